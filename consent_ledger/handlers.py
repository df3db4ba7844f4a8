"""What each command does to a number: the rules of rulebook section 5, one function a command."""

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from consent_ledger import facts as f
from consent_ledger.account import purposes_of
from consent_ledger.commands import (
    AskMessage,
    BlockPurpose,
    CancelMessage,
    Command,
    DeclineConsent,
    ErasePerson,
    GiveConsent,
    Judge,
    OptIn,
    OptOut,
    Reassign,
    ReceiveText,
    RecordPreference,
    RecordTimeZone,
    ReleaseMessage,
    ReportDelivery,
    RequestConsent,
    RetractFact,
    Told,
)
from consent_ledger.decision import UnknownPurposeError
from consent_ledger.messages import ask, cancel, release
from consent_ledger.phone_number import Answered, PhoneNumber, RefusedError
from consent_ledger.receiving import receive_text
from consent_ledger.requests import request_consent
from consent_ledger.snapshot import HistoryNeededError
from consent_ledger.standing import ANY, MICROSECONDS
from consent_ledger.words import Basis, Channel, Method, Source, Verdict


def handle(number: PhoneNumber, command: Command) -> Answered:
    """Handles a command: its facts are pending on the number, its answer is returned.

    RefusedError where the rules refuse it; UnknownPurposeError for a purpose not defined;
    HistoryNeededError where the number's whole stream has to be brought.
    """
    match command:
        case ReceiveText():
            return receive_text(number, command)
        case AskMessage():
            return ask(number, command)
        case ReleaseMessage():
            return release(number, command)
        case CancelMessage():
            return cancel(number, command)
        case RequestConsent():
            return request_consent(number, command)
        case ReportDelivery():
            return _report_delivery(number, command)
        case Judge():
            return _judge(number, command)
        case OptIn():
            return _opt_in(number, command.told)
        case Reassign():
            return _record(number, command.told, _reassignment(number, command))
        case OptOut():
            contacts = command.source is Source.CONTACT
            return _record(number, command.told, f.OptedOut(command.source), contacts)
        case GiveConsent():
            _check_purposes(number, command.purposes)
            _check_method(command.method)
            given = f.ConsentGranted(
                method=command.method,
                level=command.level,
                purposes=command.purposes,
                undated=command.undated,
            )
            return _record(number, command.told, given)
        case DeclineConsent():
            _check_purposes(number, command.purposes)
            declined = f.ConsentDeclined(purposes=command.purposes or (ANY,))
            return _record(number, command.told, declined)
        case BlockPurpose():
            _check_blockable(number, command)
            kind = f.PurposeBlocked if command.blocked else f.PurposeUnblocked
            return _record(number, command.told, kind(command.purpose))
        case RecordPreference():
            said = f.MarketingPreferenceRecorded(command.system, command.value)
            return _record(number, command.told, said)
        case RecordTimeZone():
            return _record(number, command.told, f.TimeZoneRecorded(command.time_zone))
        case RetractFact():
            _check_imported(number, command.version)
            return _record(number, command.told, f.FactRetracted(command.version))
        case ErasePerson():
            return _record(number, command.told, f.PersonalDataErased())
        case _:
            raise TypeError(type(command).__name__)


def _record(
    number: PhoneNumber, told: Told, fact: f.Fact, contacts_words: bool = False
) -> Answered:
    context = number.context(told, contacts_words=contacts_words)
    number.cancel_barred(number.trigger(fact, context))
    return Answered()


def _check_purposes(number: PhoneNumber, purposes: tuple[str, ...]) -> None:
    if not set(purposes) <= set(number.policy.policy.purposes):
        raise UnknownPurposeError


def _check_blockable(number: PhoneNumber, command: BlockPurpose) -> None:
    """A block ends also where the policy dropped its purpose, as it would hold on the day on which
    a policy has that again; so every purpose that any of them had can be unblocked."""
    known = purposes_of(each.policy for each in number.account.policies)
    if command.blocked or command.purpose not in known:
        _check_purposes(number, (command.purpose,))


def _check_method(method: Method) -> None:
    """What a sender tells is never taken for the contact's own text: that could re-authorise."""
    if method is Method.SMS:
        raise RefusedError(
            "consent-by-text-not-told",
            "Consent by text is what the contact texts; tell where else it was given.",
            field="method",
        )


def _check_imported(number: PhoneNumber, version: int) -> None:
    """Only an import is undone: what the contact said, or staff did, stays said and done."""
    if number.history is None:
        raise HistoryNeededError
    found = [event for event in number.history if event.originator_version == version]
    if not found:
        raise RefusedError("not-found", "No fact of this number has this version.")
    context = found[0].context
    if context.channel != Channel.IMPORT and context.basis != Basis.IMPORT:
        raise RefusedError("not-an-import", "Only a fact that was imported can be retracted.")


def _opt_in(number: PhoneNumber, told: Told) -> Answered:
    """Only the agent's opt-out can be taken back by an admin (R-F6, R-V4)."""
    found = number.standing.opt_out
    if found is not None and not found[0].admin_may_lift:
        raise RefusedError(
            "opt-in-forbidden",
            "The contact or the carrier opted this number out; only the contact can lift it, "
            "by texting START.",
            source=found[0],
        )
    return _record(number, told, f.AdminOptedIn())


def _report_delivery(number: PhoneNumber, command: ReportDelivery) -> Answered:
    """Every report is recorded; the provider's own opt-out list is a fact of its own (R-F7)."""
    sent = number.referred
    about = _sent_at(number, command)
    request = None
    if sent is not None and isinstance(sent.fact, f.ConsentRequested):
        request = sent.originator_version
    context = replace(number.context(command.told), message_id=command.message_id)
    fact = f.DeliveryReported(
        provider=command.provider,
        code=command.code,
        delivery_class=command.delivery_class,
        unreachable_limit=number.policy.policy.unreachable_limit,
        about_at=about,
        request=request,
    )
    event = number.trigger(fact, context)
    if command.delivery_class == "opted_out":
        suppressed = f.CarrierSuppressed(command.provider, command.code, about)
        number.trigger(suppressed, replace(context, causation_id=event.event_id))
    return Answered(delivery_class=command.delivery_class)


def _sent_at(number: PhoneNumber, command: ReportDelivery) -> int | None:
    """When the text that the report is about went out: at its release, if it was held."""
    message = number.held.get(command.message_id or "")
    if message is not None and message.ended_at is not None:
        return message.ended_at
    return number.referred.context.at if number.referred is not None else None


def _judge(number: PhoneNumber, command: Judge) -> Answered:
    words = number.referred
    if words is None or not isinstance(words.fact, f.RevocationSuspected):
        raise RefusedError("not-found", "No review has this id.")
    context = number.context(command.told)
    if command.verdict is Verdict.REVOKED:
        fact: f.Fact = f.RevocationConfirmed(
            words.originator_version, words.context.at, words.context.basis
        )
    else:
        fact = f.RevocationDismissed(words.originator_version)
        if context.at <= words.context.at:
            # A verdict follows its words, also where their clock runs ahead of ours. It is by that
            # clock then: an instant of ours would hold back what is recorded next until it came.
            context = replace(context, at=words.context.at + 1, basis=words.context.basis)
    number.cancel_barred(number.trigger(fact, context))
    return Answered()


def _reassignment(number: PhoneNumber, command: Reassign) -> f.NumberReassigned:
    day = date.fromisoformat(command.disconnected_on)
    # Compared by day, as the calendar's last has no midnight after it.
    if day >= datetime.fromtimestamp(number.recorded_at // MICROSECONDS, UTC).date():
        raise RefusedError(
            "disconnected-on-not-past",
            "The day of disconnection must be before today (UTC).",
            field="disconnected_on",
        )
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    ends_at = round(midnight.timestamp()) * MICROSECONDS - 1
    return f.NumberReassigned(command.disconnected_on, ends_at)
