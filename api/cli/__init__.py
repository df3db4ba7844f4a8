"""The command line: one file a command, thin over the same HTTP and stores as everything else.

What a command needs is imported when it runs, so that `consent-ledger --help` answers at once.
"""
