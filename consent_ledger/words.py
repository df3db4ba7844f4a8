"""The closed vocabularies of the ledger (rulebook sections 1 to 3), one meaning each."""

from enum import StrEnum
from typing import Final


class Basis(StrEnum):
    """Whose clock a fact's time comes from (R-O0, R-O2)."""

    PROVIDER = "provider"
    SENDER = "sender"
    LEDGER = "ledger"
    IMPORT = "import"


class ActorKind(StrEnum):
    """Who caused a fact."""

    CONTACT = "contact"
    AGENT = "agent"
    ADMIN = "admin"
    SENDER = "sender"
    SYSTEM = "system"
    LEDGER = "ledger"


class Channel(StrEnum):
    """The way by which a fact reached the ledger."""

    SMS = "sms"
    API = "api"
    WEBHOOK = "webhook"
    IMPORT = "import"
    WEB = "web"
    PAPER = "paper"
    VERBAL = "verbal"
    EMAIL = "email"
    IN_PERSON = "in_person"
    PHONE = "phone"
    OTHER = "other"


class Purpose(StrEnum):
    """The purposes every account has; an account may define more (rulebook section 1)."""

    CONVERSATION = "conversation"
    APPOINTMENT_REMINDER = "appointment_reminder"
    RECALL = "recall"
    MARKETING = "marketing"


class Consent(StrEnum):
    """Where the consent of a number stands for one purpose."""

    NONE = "none"
    REQUESTED = "requested"
    GRANTED = "granted"
    DECLINED = "declined"
    REVOKED = "revoked"


class Level(StrEnum):
    """How strong a grant is; later members are stronger."""

    IMPLIED = "implied"
    EXPRESS = "express"
    EXPRESS_WRITTEN = "express_written"


LEVEL_RANK: Final = {level: rank for rank, level in enumerate(Level)}


class Method(StrEnum):
    """How a grant was given."""

    SMS = "sms"
    WEB = "web"
    PAPER = "paper"
    VERBAL = "verbal"
    IMPORT = "import"


class Source(StrEnum):
    """Who opted a number out, the hardest to lift first (rulebook section 1)."""

    CONTACT = "contact"
    SYSTEM = "system"
    AGENT = "agent"

    @property
    def admin_may_lift(self) -> bool:
        """Whether an admin's opt-in lifts it, where it is the opt-out shown (R-F6, R-V4)."""
        return self is Source.AGENT


class Answer(StrEnum):
    """The four answers to 'may I text this number?'."""

    ALLOW = "allow"
    DEFER = "defer"
    CONFIRM = "confirm"
    DENY = "deny"


class Reason(StrEnum):
    """Why; in the order of the rulebook's table (section 3)."""

    RECORD_UNREADABLE = "record_unreadable"
    SENDER_NOT_PERMITTED = "sender_not_permitted"
    SENDING_NUMBER_NOT_ALLOWED = "sending_number_not_allowed"
    OPTED_OUT_BY_CONTACT = "opted_out_by_contact"
    OPTED_OUT_ON_OTHER_NUMBER = "opted_out_on_other_number"
    OPTED_OUT_BY_SYSTEM = "opted_out_by_system"
    OPTED_OUT_BY_AGENT = "opted_out_by_agent"
    REVOCATION_UNDER_REVIEW = "revocation_under_review"
    PURPOSE_BLOCKED = "purpose_blocked"
    MARKETING_NOT_CONSENTED = "marketing_not_consented"
    CONSENT_DECLINED = "consent_declined"
    CONSENT_PENDING = "consent_pending"
    CONSENT_REQUIRED = "consent_required"
    MARKETING_NOT_CONSENTED_NOTICE = "marketing_not_consented_notice"
    PREFERENCE_UNREADABLE_NOTICE = "preference_unreadable_notice"
    QUIET_HOURS = "quiet_hours"
    CONSENTED = "consented"
    NO_CONSENT_NEEDED = "no_consent_needed"
    PRESUMED_BY_POLICY = "presumed_by_policy"


class LiftedBy(StrEnum):
    """Who or what can change an answer (contract section 3)."""

    ADMIN = "admin"
    CONTACT_START = "contact_start"
    CONTACT_REPLY = "contact_reply"
    CONSENT_REQUEST = "consent_request"
    AGENT = "agent"
    SYSTEM_OF_RECORD = "system_of_record"
    SENDER = "sender"
    TIME = "time"


class Preference(StrEnum):
    """What a system of record says of marketing, the strictest first."""

    NOT_CONSENTED = "not_consented"
    UNREADABLE = "unreadable"
    CONSENTED = "consented"


class RevokeScope(StrEnum):
    """How far the contact's STOP reaches (rulebook section 8)."""

    ALL = "all"
    PURPOSE = "purpose"


class Permission(StrEnum):
    """'Allow SMS' for a user or a group (R-L2)."""

    ALLOW = "allow"
    DENY = "deny"
    INHERIT = "inherit"


class ReplyKind(StrEnum):
    """The replies the ledger asks the sender to send (R-K6)."""

    STOP_CONFIRMATION = "stop_confirmation"
    START_CONFIRMATION = "start_confirmation"
    CONSENT_CONFIRMATION = "consent_confirmation"
    HOW_TO_OPT_IN = "how_to_opt_in"
    HELP = "help"
    ASK_AGAIN = "ask_again"
    PLEASE_CALL = "please_call"


class Verdict(StrEnum):
    """What a person decided about a suspected revocation (R-K4, R-F10)."""

    REVOKED = "revoked"
    DISMISSED = "dismissed"


class MessageState(StrEnum):
    """The fate of a message (contract section 5)."""

    PERMITTED = "permitted"
    DEFERRED = "deferred"
    NEEDS_CONFIRMATION = "needs_confirmation"
    REFUSED = "refused"
    RELEASABLE = "releasable"
    RELEASED = "released"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Role(StrEnum):
    """What an API key may do (contract section 2)."""

    SENDER = "sender"
    AGENT = "agent"
    ADMIN = "admin"
    AUDITOR = "auditor"


STATUS_LABELS: Final = ("Authorized", "Pending Authorization", "Revoked", "Not Authorized")
"""The status shown (R-L1), the first that holds."""

LIFTED_BY: Final[dict[Reason, LiftedBy | None]] = {
    Reason.RECORD_UNREADABLE: LiftedBy.ADMIN,
    Reason.SENDER_NOT_PERMITTED: LiftedBy.ADMIN,
    Reason.SENDING_NUMBER_NOT_ALLOWED: LiftedBy.ADMIN,
    Reason.OPTED_OUT_BY_CONTACT: LiftedBy.CONTACT_START,
    Reason.OPTED_OUT_ON_OTHER_NUMBER: LiftedBy.CONTACT_START,
    Reason.OPTED_OUT_BY_SYSTEM: LiftedBy.CONTACT_START,
    Reason.OPTED_OUT_BY_AGENT: LiftedBy.ADMIN,
    Reason.REVOCATION_UNDER_REVIEW: LiftedBy.ADMIN,
    Reason.PURPOSE_BLOCKED: LiftedBy.AGENT,
    Reason.MARKETING_NOT_CONSENTED: LiftedBy.SYSTEM_OF_RECORD,
    Reason.CONSENT_DECLINED: LiftedBy.CONTACT_REPLY,
    Reason.CONSENT_PENDING: LiftedBy.CONTACT_REPLY,
    Reason.CONSENT_REQUIRED: LiftedBy.CONSENT_REQUEST,
    Reason.MARKETING_NOT_CONSENTED_NOTICE: LiftedBy.SENDER,
    Reason.PREFERENCE_UNREADABLE_NOTICE: LiftedBy.SENDER,
    Reason.QUIET_HOURS: LiftedBy.TIME,
    Reason.CONSENTED: None,
    Reason.NO_CONSENT_NEEDED: None,
    Reason.PRESUMED_BY_POLICY: None,
}

EXPLANATIONS: Final[dict[Reason, str]] = {
    Reason.RECORD_UNREADABLE: "A fact on this number cannot be read, so nothing may be sent.",
    Reason.SENDER_NOT_PERMITTED: "This user is not permitted to send texts. An admin can allow it.",
    Reason.SENDING_NUMBER_NOT_ALLOWED: (
        "The location or sending number is unknown, or does not serve this purpose. "
        "An admin can set it up."
    ),
    Reason.OPTED_OUT_BY_CONTACT: (
        "The contact asked for texts to stop. Only the contact can lift this, by texting START."
    ),
    Reason.OPTED_OUT_ON_OTHER_NUMBER: (
        "The contact said STOP on another of their numbers. A START from that number lifts this."
    ),
    Reason.OPTED_OUT_BY_SYSTEM: (
        "The carrier or SMS provider has this number on its opt-out list, or cannot reach it. "
        "The contact can lift this by texting START."
    ),
    Reason.OPTED_OUT_BY_AGENT: "An agent opted this number out. An admin can opt it in again.",
    Reason.REVOCATION_UNDER_REVIEW: (
        "The contact may have asked for texts to stop. An admin has to read the reply and decide."
    ),
    Reason.PURPOSE_BLOCKED: (
        "This number is on the blocked list for this purpose. An agent can unblock it."
    ),
    Reason.MARKETING_NOT_CONSENTED: "The system of record says: no marketing to this contact.",
    Reason.CONSENT_DECLINED: (
        "The contact declined the request for consent. Only the contact can change that."
    ),
    Reason.CONSENT_PENDING: "A request for consent waits for the contact's reply.",
    Reason.CONSENT_REQUIRED: "No consent on record covers this purpose. Ask for it first.",
    Reason.MARKETING_NOT_CONSENTED_NOTICE: (
        "The system of record says: no marketing to this contact. This text is not marketing; "
        "the person sending decides."
    ),
    Reason.PREFERENCE_UNREADABLE_NOTICE: (
        "The system of record does not show its consent setting. The person sending decides."
    ),
    Reason.QUIET_HOURS: "It is outside the permitted hours at the contact's local time.",
    Reason.CONSENTED: "The contact consented to this purpose.",
    Reason.NO_CONSENT_NEEDED: "This purpose needs no consent, and nothing bars it.",
    Reason.PRESUMED_BY_POLICY: "The account's policy presumes consent, and nothing bars it.",
}
