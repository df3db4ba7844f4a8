"""An account in a database that has no key to ask the service with yet."""

from uuid import UUID, uuid4

from phonenumbers.phonenumberutil import country_code_for_region

from api.auth import issue_key
from api.cli.database import run
from api.cli.errors import CommandError
from api.cli.opening import names_of_accounts, open_account
from consent_ledger.keyring import Keyring
from consent_ledger.store.connection import connect_as_owner, connector
from consent_ledger.store.keys import check_keys
from consent_ledger.words import Role


def open_first_account(
    database_url: str, ring: Keyring, name: str, preset: str, region: str
) -> dict[str, str] | None:
    """The account's id and an admin's key; None where an account has the name already."""
    if not country_code_for_region(region.upper()):
        raise CommandError("--region is an ISO 3166 code such as US")
    account_id = uuid4()
    with connect_as_owner(database_url) as conn:
        if name in names_of_accounts(conn):
            return None
        run(_open(database_url, ring, account_id, name, preset, region.upper()))
        key_id, key = issue_key(conn, ring, account_id, Role.ADMIN, "bootstrap")
    return {"account_id": str(account_id), "key_id": key_id, "key": key}


async def _open(
    database_url: str, ring: Keyring, account_id: UUID, name: str, preset: str, region: str
) -> None:
    async with await connector(database_url)() as conn:
        await check_keys(conn, ring)
        await open_account(conn, account_id, name, region, preset)
