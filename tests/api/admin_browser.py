"""Somebody at the admin's pages, with a browser without scripts."""

import re
from html import unescape

import httpx2

from tests.api.clinic import Clinic
from tests.service import LOCAL

SHOWN_ANN = "+1 415-555-0131"
SHOWN_BEN = "+1 415-555-0132"


class Browser:
    """Somebody at the pages of one account."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.http = httpx2.Client(base_url=clinic.service.base_url, follow_redirects=True, **LOCAL)
        self.text = ""
        self.status = 0

    def signs_in(self, role: str = "admin") -> "Browser":
        """With a key of the account."""
        return self.sends("/admin", key=self.clinic.keys[role])

    def opens(self, path: str) -> "Browser":
        """Follows a link."""
        return self._got(self.http.get(path))

    def sends(
        self, path: str, headers: dict[str, str] | None = None, **fields: object
    ) -> "Browser":
        """Sends a form."""
        return self._got(self.http.post(path, data=fields, headers=headers))

    def follows(self, words: str) -> "Browser":
        """Clicks a link of the page."""
        (path,) = re.findall(rf'<a href="([^"]+)">{words}</a>', self.response.text)
        return self.opens(unescape(path))

    @property
    def address(self) -> str:
        """What stands in the address bar."""
        return str(self.response.url.raw_path.decode())

    def hidden(self) -> dict[str, str]:
        """The fields of the page's forms that nobody sees."""
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.response.text)
        return {name: unescape(value) for name, value in found}

    def _got(self, response: httpx2.Response) -> "Browser":
        self.response = response
        self.status = response.status_code
        words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", response.text, flags=re.DOTALL)
        self.text = unescape(" ".join(words.split()))
        return self

    def reads(self, *words: str) -> "Browser":
        """All of this stands on the page."""
        for each in words:
            assert each in self.text, self.text
        return self

    def misses(self, *words: str) -> "Browser":
        """None of this stands on the page."""
        for each in words:
            assert each not in self.text, self.text
        return self

    def ticks(self) -> list[str]:
        """The numbers that can be ticked, by their ids."""
        return re.findall(r'type="checkbox" name="number_id" value="([^"]+)"', self.response.text)
