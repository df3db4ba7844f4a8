"""A contact's words read with the account's own lists, at the version that the command meets.

The words travel with the submission and are read inside its transaction: a change of the lists
that was acknowledged before a text came in counts for it, whichever process either came to.
"""

from consent_ledger.account import Account
from consent_ledger.commands import HearText, ReceiveText
from consent_ledger.keywords import lexicon_of


def read(heard: HearText, words: str, account: Account) -> ReceiveText:
    """The command that says what the words were understood as, and under which lists (R-K5)."""
    reading, language = lexicon_of(account.keywords).read(words)
    return ReceiveText(
        told=heard.told,
        understood_as=str(reading.understood_as),
        matched=reading.matched,
        lexicon_version=str(reading.lexicon_version),
        media_count=heard.media_count,
        sending_number_id=heard.sending_number_id,
        answered_by_provider=heard.answered_by_provider,
        language=language,
    )
