"""One provider that calls one endpoint of one account."""

from typing import Any
from xml.etree import ElementTree

from tests.api.answer import Answer
from tests.api.clinic import Clinic, fresh
from tests.providers.imitations import AwsSns, Call, Imitation, certificate
from tests.service import page_of


class Wire:
    """A provider and the account that it delivers to."""

    def __init__(self, clinic: Clinic, provider: Imitation) -> None:
        self.clinic = clinic
        self.provider = provider
        self.endpoint = fresh()
        path = f"/v1/provider-endpoints/{self.endpoint}"
        answer = clinic.put(path, provider=provider.name, secret=provider.secret)
        self.url: str = answer["url"]
        if isinstance(provider, AwsSns):
            page_of(clinic.service.pages, provider.certificate_url).write_bytes(certificate())

    def delivers(self, call: Call) -> Answer:
        """One request, as it is."""
        http = self.clinic.service.http
        return Answer(http.post(call.url, content=call.body, headers=call.headers))

    def sends(self, payload: Any, at: float | None = None) -> Answer:
        """One payload, signed."""
        return self.delivers(self.provider.call(self.url, payload, at))

    def text(self, number: str, body: str, message_id: str | None = None, **more: Any) -> Call:
        """A contact's text, signed."""
        payload = self.provider.text(number, body, message_id or fresh(), **more)
        return self.provider.call(self.url, payload)

    def texts(self, number: str, body: str, message_id: str | None = None, **more: Any) -> Any:
        """A contact's text arrives; the text of the reply, if there is one."""
        return self.reply_in(self.delivers(self.text(number, body, message_id, **more)))

    def reports(
        self,
        number: str,
        code: str | None = None,
        message_id: str | None = None,
        reference: str | None = None,
    ) -> None:
        """The fate of a text arrives."""
        payload = self.provider.report(number, code, message_id or fresh(), reference)
        assert self.reply_in(self.sends(payload)) is None

    def reply_in(self, answer: Answer) -> str | None:
        """The reply that the provider is asked to send, or that a relay may."""
        assert answer.status == 200, answer.response.text
        kind = answer.response.headers["content-type"].split(";")[0]
        assert kind == self.provider.answers
        if kind == "application/json":
            replies = answer["replies"]
            return replies[0]["text"] if replies else None
        document = ElementTree.fromstring(answer.response.content)
        assert document.tag == "Response"
        return document.findtext("Message")
