"""A list while it comes in: its bytes as rows are cut from them, and its first line.

Rows are cut by newlines, and read in UTF-8 or an encoding that keeps its letters. What a list is
written in otherwise is told by its first bytes, and put right before anybody looks at a row.
"""

import asyncio
import codecs
import io
import re
from typing import Final

from starlette.types import Receive

from api.scrubbing.columns import DELIMITER_LINE, HEADER_LIMIT
from api.scrubbing.spool import Spool

MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""How UTF-16 begins, as a spreadsheet saves "Unicode text"."""
MARK_LENGTH: Final = 2
Decoder = codecs.IncrementalDecoder | io.IncrementalNewlineDecoder
_LINE_END: Final = re.compile(rb"\n|\r(?=[^\n])")
"""A return at the end of what came may belong to a newline."""


class Recoder:
    """Gives what it takes in another encoding, or with other line ends."""

    def __init__(self, decoder: Decoder, encoding: str) -> None:
        self._decoder, self._encoding = decoder, encoding

    def feed(self, data: bytes, ended: bool = False) -> bytes:
        """A part; nothing where more of it is needed."""
        return self._decoder.decode(data, ended).encode(self._encoding)

    @classmethod
    def from_utf_16(cls, name: str) -> "Recoder":
        """To UTF-8; the mark at the beginning stays one."""
        return cls(codecs.getincrementaldecoder(name)("replace"), "utf-8")

    @classmethod
    def from_returns(cls) -> "Recoder":
        """To newlines. Any bytes are a text in Latin-1, and the same bytes again."""
        latin = codecs.getincrementaldecoder("latin-1")()
        return cls(io.IncrementalNewlineDecoder(latin, translate=True), "latin-1")


class Incoming:
    """The body of a request, taken in whether or not somebody waits for it."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.spool = Spool()
        self.gone = asyncio.Event()
        self._recoders: list[Recoder] = []

    async def run(self) -> None:
        """Takes in the body, and then waits for the client to go."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                await self.spool.end(gone=True)
                return
            if message.get("body"):
                await self.spool.put(message["body"])
            more = message.get("more_body", False)
        await self.spool.end()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    async def take(self) -> bytes:
        """The next part as rows are cut from it; nothing at the end."""
        while data := await self.spool.take():
            if data := self._recoded(data):
                return data
        return self._recoded(b"", ended=True)

    async def first_line(self) -> tuple[bytes, bytes]:
        """The header of a list as far as it may go, and what came with it.

        The line by which a spreadsheet names the delimiter comes before it.
        """
        line, rest = await self._line(await self._begun())
        if DELIMITER_LINE.fullmatch(line):
            header, rest = await self._line(rest)
            line += header
        return line, rest

    async def _begun(self) -> bytes:
        """As much as tells the encoding."""
        held = b""
        while len(held) < MARK_LENGTH and (data := await self.spool.take()):
            held += data
        name = MARKS.get(held[:MARK_LENGTH])
        if name is None:
            return held
        self._recoders.append(Recoder.from_utf_16(name))
        return self._recoded(held)

    async def _line(self, held: bytes) -> tuple[bytes, bytes]:
        while (found := _LINE_END.search(held)) is None and len(held) <= HEADER_LIMIT:
            data = await self.take()
            if not data:
                return held, b""
            held += data
        end = found.end() if found else len(held)
        if found is None or found[0] == b"\n":
            return held[:end], held[end:]
        # Lines that end as an old Mac ends them, all over the list.
        self._recoders.append(Recoder.from_returns())
        return held[: end - 1] + b"\n", self._recoders[-1].feed(held[end:])

    def _recoded(self, data: bytes, ended: bool = False) -> bytes:
        for recoder in self._recoders:
            data = recoder.feed(data, ended)
        return data
