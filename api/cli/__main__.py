"""`python -m api.cli` is `consent-ledger`."""

from api.cli.main import main

if __name__ == "__main__":
    main()
