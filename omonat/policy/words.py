"""Closed vocabularies of the policy document: everything whose meaning the engine itself knows."""

from enum import StrEnum


class Basis(StrEnum):
    """Why a purpose is lawful."""

    CONTRACT = "contract"
    CONSENT = "consent"
    LEGAL_OBLIGATION = "legal-obligation"
    LEGITIMATE_INTEREST = "legitimate-interest"


class Language(StrEnum):
    """A language people are spoken to in."""

    UZBEK = "uz"
    RUSSIAN = "ru"
    ENGLISH = "en"


class Keeping(StrEnum):
    """How a promise is kept: code prevents the breach, code records the act, or a person states it."""

    ENFORCED = "enforced"
    EVIDENCED = "evidenced"
    ATTESTED = "attested"


class ItemClass(StrEnum):
    """How sensitive an item is (D2; law: special and biometric data)."""

    ORDINARY = "ordinary"
    FINANCIAL = "financial"
    SPECIAL = "special"
    BIOMETRIC = "biometric"
    CREDENTIAL = "credential"


class Kind(StrEnum):
    """What an item looks like; `omonat.policy.kinds` has a validator for each."""

    PERSON_NAME = "person-name"
    USERNAME = "username"
    ADDRESS = "address"
    EMAIL = "email"
    PHONE = "phone"
    TEXT = "text"
    NOTE = "note"
    DATE = "date"
    BIRTH_DATE = "birth-date"
    AGE_BAND = "age-band"
    GENDER = "gender"
    MARITAL_STATUS = "marital-status"
    CHOICE = "choice"
    INTERESTS = "interests"
    GEO_POINT = "geo-point"
    MONEY = "money"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    IDENTIFIER = "identifier"
    ORDER_LINES = "order-lines"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    SECURITY_ANSWER = "security-answer"
    IP_ADDRESS = "ip-address"
    DEVICE_ID = "device-id"
    USER_AGENT = "user-agent"
    URL = "url"
    LOG_LINE = "log-line"
    COOKIE = "cookie"
    IMAGE_REF = "image-ref"
    AUDIO_REF = "audio-ref"
    VIDEO_REF = "video-ref"
    CARD_TOKEN = "card-token"  # noqa: S105 - the name of a kind
    CARD_BRAND = "card-brand"
    CARD_LAST_FOUR = "card-last-four"
    CARD_EXPIRY = "card-expiry"
    CARD_NUMBER = "card-number"
    CARD_VERIFICATION = "card-verification"
    TAX_NUMBER = "tax-number"
    CONSENT_REF = "consent-ref"
    PINFL = "pinfl"


COARSE = frozenset({Kind.AGE_BAND, Kind.GENDER, Kind.CHOICE})
"""Kinds whose values are a few bands, declared beforehand: what may be counted without a person (L4)."""

IDENTIFYING = frozenset(
    {
        *(Kind.PERSON_NAME, Kind.USERNAME, Kind.ADDRESS, Kind.EMAIL, Kind.PHONE, Kind.GEO_POINT, Kind.IDENTIFIER),
        *(Kind.IP_ADDRESS, Kind.DEVICE_ID, Kind.COOKIE, Kind.LOG_LINE, Kind.IMAGE_REF, Kind.AUDIO_REF, Kind.VIDEO_REF),
        *(Kind.CARD_TOKEN, Kind.CARD_NUMBER, Kind.TAX_NUMBER, Kind.PINFL, Kind.BIRTH_DATE, Kind.CONSENT_REF),
    }
)
"""Kinds that single a person out, alone or with what others hold: never anonymous by themselves."""


class Keep(StrEnum):
    """How an item may come back."""

    READABLE = "readable"
    VERIFY_ONLY = "verify-only"


class Scope(StrEnum):
    """What an installation must have declared before it may hold the item in plain text."""

    NONE = "none"
    PCI = "pci"


class CaseRule(StrEnum):
    """Which cases let a role use data."""

    ASSIGNED = "assigned"
    OPEN = "open"
    NONE = "none"


class RoleKind(StrEnum):
    """Who acts in a role."""

    HUMAN = "human"
    SYSTEM = "system"


class Messages(StrEnum):
    """The class of messages a purpose sends (N2: service messages are never marketing)."""

    NONE = "none"
    SERVICE = "service"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    SURVEY = "survey"


class Channel(StrEnum):
    """How a purpose reaches out."""

    EMAIL = "email"
    SMS = "sms"
    CALL = "call"
    PUSH = "push"
    TELEGRAM = "telegram"
    POST = "post"


class Factor(StrEnum):
    """Why an item is kept (R2), the weightiest first: it is the one named when two end together."""

    OBLIGATION = "obligation"
    NORM = "norm"
    CONTRACT = "contract"
    DISPUTE = "dispute"
    CONSENT = "consent"
    INTEREST = "interest"
    RELEVANCE = "relevance"


class Anchor(StrEnum):
    """Events a retention period counts from."""

    COLLECTED = "collected"
    CASE_OPENED = "case-opened"
    CASE_CLOSED = "case-closed"
    LAST_COMPLAINT = "last-complaint"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    ACCOUNT_CLOSED = "account-closed"
    LAST_SEEN = "last-seen"


KNOWN_FROM_THE_START = frozenset({Anchor.COLLECTED, Anchor.CASE_OPENED, Anchor.LAST_SEEN})
"""Anchors every record of the service has: an `at-most` counts from one of these, so the end is always in sight."""

MAY_NEVER_COME = frozenset({Anchor.LAST_COMPLAINT})
"""Anchors whose absence means "did not happen": the rule is not in force. Other absent anchors are still awaited."""

OF_A_CASE = frozenset({Anchor.CASE_OPENED, Anchor.CASE_CLOSED})
"""Anchors that only records of a case have."""


class Party(StrEnum):
    """Whose cookie it is."""

    FIRST = "first"
    THIRD = "third"


class CookieKind(StrEnum):
    """What is put into, or loaded by, the browser."""

    COOKIE = "cookie"
    STORAGE = "storage"
    BEACON = "beacon"
    PIXEL = "pixel"


class RecipientKind(StrEnum):
    """What a recipient is to the company."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    AUDITOR = "auditor"
    AUTHORITY = "authority"
    PUBLIC = "public"


class SafeguardKind(StrEnum):
    """Which sort of safeguard (S3)."""

    ADMINISTRATIVE = "administrative"
    TECHNICAL = "technical"
    PHYSICAL = "physical"


class Threshold(StrEnum):
    """How the policy's ages meet the pack's."""

    HIGHER = "higher-of-policy-and-pack"
    POLICY = "policy"


class Erases(StrEnum):
    """How another system of the company learns that it must erase."""

    WEBHOOK = "webhook"
    BY_HAND = "by-hand"
    API = "api"


class Status(StrEnum):
    """How the document answers a finding of the linter."""

    ACCEPTED = "accepted"
    RESOLVED = "resolved"


class VerifiedBy(StrEnum):
    """What makes sure that it is a parent who agrees: somebody of the staff, or a message and its confirmation."""

    STAFF = "staff"
    MESSAGE = "message"
    PAYMENT = "payment"


class Mark(StrEnum):
    """How sure we are of a value of law."""

    VERIFIED = "V"
    MEMORY = "M"
    UNKNOWN = "U"


class Weekday(StrEnum):
    """A day of the week, in the order of the calendar (ISO 8601)."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Days(StrEnum):
    """Which days a deadline counts."""

    CALENDAR = "calendar"
    WORKING = "working"
