"""From a body to a question: what every route reads that asks for a decision on one number."""

from uuid import UUID

from msgspec.structs import replace

from api.schemas.questions import BatchCheckBody, QuestionBody
from api.service import Service
from api.submit import Number, read_contacts, read_number, sending_number_id
from consent_ledger.decision import Question

Contacts = tuple[tuple[UUID, ...], ...]
"""The ids of each number of a contact, the newest key's first."""


def read_question(
    service: Service, account_id: UUID, body: QuestionBody
) -> tuple[Number, Contacts, Question]:
    """What is asked, about which number, beside which others of the contact."""
    number = read_number(service, account_id, body.number)
    contacts = read_contacts(service, account_id, body.contact_numbers)
    question = read_terms(service, account_id, body)
    if body.time_zone is not None:
        question = replace(question, time_zone=body.time_zone)
    return number, contacts, question


def read_terms(service: Service, account_id: UUID, body: QuestionBody | BatchCheckBody) -> Question:
    """What is asked, whichever number it is about."""
    return Question(
        purpose=body.purpose,
        location=body.location,
        sending_number_id=sending_number_id(service, account_id, body.sending_number),
        sent_by=body.sent_by,
        manual=body.manual,
    )
