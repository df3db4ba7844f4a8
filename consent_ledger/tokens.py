"""The words of a text in their one spelling (R-K1), for word lists and replies alike."""

import re
import unicodedata
from typing import Final

BREAK: Final = "."
"""Where a sentence ends: no word is spelt so, as punctuation is never part of one."""

_BREAKS: Final = frozenset(".!?;,:\n\r\u2026\u2013\u2014\u3002\uff01\uff1f\uff0c\uff1b\u060c\u061f")
_APOSTROPHES: Final = frozenset("'\u2018\u2019\u02bc`\u00b4")
_ACCENTS: Final = range(0x300, 0x370)
# Vowel signs, hamza and the stretching stroke: Arabic is texted with and without them.
_ARABIC_MARKS: Final = (*range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670)
# Chinese signs of the phrases that differ between Taiwan or Hong Kong and the mainland.
_TRADITIONAL: Final = (
    "訂閱發傳簡訊請謝煩擾騷聯繫絡電話號碼機資單統錯認識誰給對興廣終結關閉絕斷開滾夠嗎們這個裡裏麼麽"
    "樣點應該覆復訴舉報檢師購買賣產業務員網頁鎖門無見還會經過來後時間為從沒說講錢顧歡願讓將幫貴厭惡"
    "隱權據庫組錄冊註罵靜線離遠難鬧誤寫換確屬於別妳罷瘋讀費違優團體醫藥診預約記當條種類刪誌處證夾騙"
    "輸徵軟創詐劃擇選獲須備絡邊兒裝髒彈掛鈴圍繞續總亂樓萬億實戶陳張趙劉東媽嚟佔銷週賬銀廢擋"
)
_SIMPLIFIED: Final = (
    "订阅发传简讯请谢烦扰骚联系络电话号码机资单统错认识谁给对兴广终结关闭绝断开滚够吗们这个里里么么"
    "样点应该复复诉举报检师购买卖产业务员网页锁门无见还会经过来后时间为从没说讲钱顾欢愿让将帮贵厌恶"
    "隐权据库组录册注骂静线离远难闹误写换确属于别你罢疯读费违优团体医药诊预约记当条种类删志处证夹骗"
    "输征软创诈划择选获须备络边儿装脏弹挂铃围绕续总乱楼万亿实户陈张赵刘东妈来占销周账银废挡"
)
# Squared and circled white-on-black letters are look-alikes of form that NFKC does not fold; the
# Arabic ones are two spellings of one ending, or Persian keys for the same letters.
_FOLDED: Final = {
    **{
        start + place: letter
        for start in (0x1F150, 0x1F170)
        for place, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
    },
    **dict.fromkeys(_ARABIC_MARKS, ""),
    **dict.fromkeys((0x629, 0x6C1, 0x6BE), "\u0647"),
    **dict.fromkeys((0x649, 0x6CC), "\u064a"),
    0x6A9: "\u0643",
    **{ord(old): f" {new} " for old, new in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)},
    **dict.fromkeys(range(0xFE00, 0xFE10), ""),  # They only choose how an emoji looks.
}
_DASH: Final = re.compile(" - |--")
_NUMBER_SIGN: Final = re.compile(r"\b(wrong|my|this|the|your|ur|a) ?#(?!\w)", re.IGNORECASE)


class _Folding(dict[int, str]):
    """What becomes of each character, learnt as characters come (Unicode bounds its size)."""

    def __init__(self, breaks: frozenset[str]) -> None:
        self._breaks = breaks

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = _FOLDED.get(code)
        if folded is None:
            folded = f" {BREAK} " if char in self._breaks else _fold(char)
        self[code] = folded
        return folded


def _fold(char: str) -> str:
    category = unicodedata.category(char)
    if char in _APOSTROPHES or ord(char) in _ACCENTS or category in ("Cf", "Me"):
        return ""
    if is_han(char):  # Written without spaces: each sign is a word, and phrases are made of them.
        return f" {char} "
    return char if category[0] in "LNM" else " "


def is_han(char: str) -> bool:
    """Whether it is a Chinese sign; those are told apart by signs, not by spaces."""
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


_PLAIN: Final = _Folding(frozenset())
_WITH_BREAKS: Final = _Folding(_BREAKS)


def _ascii_table(breaks: frozenset[str]) -> bytes:
    chars = (chr(code).lower() for code in range(128))
    kept = (BREAK if char in breaks else char if char.isalnum() else " " for char in chars)
    return "".join(kept).encode() + bytes(128)


# Most texts are ASCII, and are folded ten times as fast for it.
_ASCII_PLAIN: Final = _ascii_table(frozenset())
_ASCII_WITH_BREAKS: Final = _ascii_table(_BREAKS)


def tokens_of(text: str) -> tuple[str, ...]:
    """The words of a text by R-K1: no case, accent, punctuation, emoji or look-alike of form."""
    if text.isascii():
        return tuple(text.encode().translate(_ASCII_PLAIN, b"'`").decode().split())
    return tuple(_split(text, _PLAIN))


def sentences_of(text: str) -> list[str]:
    """The same words, with a BREAK wherever a sentence or a part of one ends."""
    if "-" in text:
        text = _DASH.sub(BREAK, text)
    if "#" in text:
        text = _NUMBER_SIGN.sub(r"\1 number", text)
    if text.isascii():
        folded = text.encode().translate(_ASCII_WITH_BREAKS, b"'`").decode()
        return folded.replace(BREAK, f" {BREAK} ").split()
    return _split(text, _WITH_BREAKS)


def _split(text: str, folding: _Folding) -> list[str]:
    # Folding case can bring back what decomposition took apart (Unicode 3.13, D145).
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", apart.translate(folding)).split()


def written(tokens: tuple[str, ...]) -> str:
    """The words as one writes them: with spaces between, but for Chinese signs."""
    parts: list[str] = []
    for token in tokens:
        if parts and not (is_han(token[0]) and is_han(parts[-1][-1])):
            parts.append(" ")
        parts.append(token)
    return "".join(parts)
