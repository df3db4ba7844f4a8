"""The account's own words: what counts as STOP, and what its replies say (R-K2, R-K6)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.account_changes import always, change, current, documented_change
from api.callers import Admin, Anyone
from api.problems import Problem
from api.responses import documented, reply
from api.schemas import texts as s
from api.strict import StrictRoute
from api.submit import ServiceIn
from consent_ledger import account_facts as a
from consent_ledger.account import Account
from consent_ledger.facts import Fact
from consent_ledger.keywords import Keyword, keywords, lexicon_of
from consent_ledger.language import language_tag
from consent_ledger.segments import segments
from consent_ledger.wording import DEFAULT_TEXTS, NAME

router = APIRouter(tags=["texts"], route_class=StrictRoute)

WORD: Final = {"kind": "stop", "language": "en", "word": "stop"}
WORDS: Final = {
    "lexicon_version": "1-5f0c1a2b",
    "items": [{**WORD, "default": True, "removable": False}],
    "removed": [{"kind": "stop", "language": "es", "word": "alto"}],
    "next_cursor": None,
}


@router.get("/v1/keywords", responses=documented("The words that count", "KeywordList", WORDS))
async def get_keywords(caller: Anyone, service: ServiceIn) -> Response:
    """Every word that counts and what it means, and the default words that no longer do."""
    account, _ = await current(service, caller)
    found = list(keywords(account.keywords))
    counting = [
        {**_word(each), "default": each.default, "removable": each.removable}
        for each in found
        if not each.removed
    ]
    return reply(
        {
            "lexicon_version": str(lexicon_of(account.keywords).lexicon.version),
            "items": counting,
            "removed": [_word(each) for each in found if each.removed],
            "next_cursor": None,
        }
    )


def _word(found: Keyword) -> dict[str, str]:
    return {"kind": str(found.kind), "language": found.language, "word": found.word}


KEYWORD_PROBLEMS: Final = (
    "set-up-refused",
    "keyword-protected",
    "keyword-taken",
    "keyword-unknown",
    "keyword-unusable",
)


@router.put(
    "/v1/keywords",
    responses=documented_change("KeywordsChanged", *KEYWORD_PROBLEMS, "reply-unanswerable"),
)
async def put_keywords(
    body: s.KeywordsBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Sets the account's own changes of one list; it counts for every text that comes after."""
    fact = a.KeywordsChanged(
        body.kind,
        language_tag(body.language),
        tuple(dict.fromkeys(body.add)),
        tuple(dict.fromkeys(body.remove)),
    )
    return reply(await change(service, caller, always(fact), request))


REPLY: Final[dict[str, Any]] = {
    "kind": "stop_confirmation",
    "language": None,
    "text": DEFAULT_TEXTS["stop_confirmation"],
    "own": False,
    "encoding": "gsm-7",
    "segments": 1,
    "placeholders": [NAME],
}


@router.get(
    "/v1/replies",
    responses=documented("The texts", "WordingList", {"items": [REPLY], "next_cursor": None}),
)
async def get_replies(caller: Anyone, service: ServiceIn) -> Response:
    """Each reply and request as it is worded: for every language, then for single ones."""
    account, _ = await current(service, caller)
    items = [item for kind in DEFAULT_TEXTS for item in _wordings(account, kind)]
    return reply({"items": items, "next_cursor": None})


def _wordings(account: Account, kind: str) -> list[dict[str, Any]]:
    own = account.replies.get(kind)
    everywhere = _wording(account, kind, None, own or DEFAULT_TEXTS[kind], own is not None)
    return [everywhere] + [
        _wording(account, kind, language, texts[kind], True)
        for language, texts in sorted(account.replies_in.items())
        if kind in texts
    ]


def _wording(
    account: Account, kind: str, language: str | None, text: str, own: bool
) -> dict[str, Any]:
    found = segments(text.replace(NAME, account.name))
    return {
        "kind": kind,
        "language": language,
        "text": text,
        "own": own,
        "encoding": found.encoding,
        "segments": found.parts,
        "placeholders": [NAME],
    }


@router.put(
    "/v1/replies/{kind}",
    responses=documented_change("ReplyWorded", "set-up-refused", "reply-unanswerable"),
)
async def put_reply(
    kind: s.KindName, body: s.WordingBody, request: Request, caller: Admin, service: ServiceIn
) -> Response:
    """Words a reply or request as the account likes, within what a contact has to be told."""
    fact = a.ReplyWorded(kind, body.text, _tag(body.language))
    return reply(await change(service, caller, always(fact), request))


@router.delete(
    "/v1/replies/{kind}",
    responses=documented_change(
        "ReplyRestored", "not-found", "set-up-refused", "reply-unanswerable"
    ),
)
async def delete_reply(
    kind: s.KindName,
    request: Request,
    caller: Admin,
    service: ServiceIn,
    language: Annotated[s.Language | None, Query()] = None,
) -> Response:
    """Takes the account's own wording back; what is less special, or the default, counts again."""
    tag = _tag(language)

    def restore(account: Account, now: int) -> list[Fact]:
        own = account.replies if tag is None else account.replies_in.get(tag, {})
        if kind not in own:
            raise Problem(404, "not-found", "The account has no wording of its own here.")
        return [a.ReplyRestored(kind, tag)]

    return reply(await change(service, caller, restore, request))


def _tag(language: str | None) -> str | None:
    return None if language is None else language_tag(language)
