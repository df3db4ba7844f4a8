"""The admin's pages: the account, its opted-out numbers, and replies that wait for a person."""
