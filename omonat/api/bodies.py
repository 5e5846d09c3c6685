"""What each operation takes: kebab-case keys, no unknown one. `/v1` only grows, so a new key is optional."""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=100, description="A name declared in the policy.")]
ItemName = Annotated[str, Meta(min_length=1, max_length=100, description="An item of the policy, `category.item`.")]
PersonId = Annotated[str, Meta(min_length=1, max_length=100, description="A person, as `collect` answered: `per_…`.")]
RecordId = Annotated[str, Meta(min_length=1, max_length=100, description="A record, as `collect` answered: `rec_…`.")]
CaseId = Annotated[
    str, Meta(min_length=1, max_length=121, description="A case of the source system, `kind:reference`.")
]
StaffRef = Annotated[
    str,
    Meta(min_length=1, max_length=80, description="The staff member this is done for, by the number your systems use."),
]
Version = Annotated[str, Meta(min_length=1, max_length=40, description="A published version of the policy.")]
Moment = Annotated[
    str, Meta(max_length=40, description="A time with its offset, RFC 3339.", extra_json_schema={"format": "date-time"})
]
Language = Literal["uz", "ru", "en"]
State = Literal["given", "withdrawn"]


class _Body(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """One JSON object, nothing unknown in it."""


PostedFields = Annotated[
    dict[Annotated[str, Meta(max_length=200)], str | list[str]],
    Meta(max_length=400, description="The fields as the browser sent them, your own ones as well."),
]


class FormBody(_Body):
    """What a site wants of a service's form, or what came back of it."""

    items: (
        Annotated[
            tuple[ItemName, ...],
            Meta(max_length=200, description="The items to ask, in this order; required ones come anyhow."),
        ]
        | None
    ) = None
    offers: Annotated[tuple[Name, ...], Meta(max_length=100, description="The consents to offer.")] | None = None
    whole: Annotated[bool, Meta(description="false: without `<form>` and its button.")] = True
    posted: PostedFields = {}
    problem: Annotated[dict[str, Any], Meta(max_length=40, description="As `collect` answered.")] | None = None


class CollectBody(_Body):
    """Personal data for one service, with what the person was shown and chose."""

    service: Name
    items: (
        Annotated[
            dict[ItemName, Any], Meta(max_length=200, description="Values by item, in the form of the item's kind.")
        ]
        | None
    ) = None
    posted: PostedFields | None = None
    """What a browser posted from the form as HTML; `items` adds what your system knows itself."""
    version: Version | None = None
    """The version that was shown; or `form`."""
    form: Annotated[str, Meta(max_length=500, description="The token that came with the form.")] | None = None
    consents: Annotated[
        dict[Name, bool], Meta(max_length=100, description="Offered purposes: true for yes, false for no.")
    ] = {}
    person: PersonId | None = None
    case: CaseId | None = None
    collected_at: Moment | None = None
    """Demo only: when it was taken in. Everywhere else the clock says so."""
    language: Language = "uz"
    accepted: bool = False


class UseBody(_Body):
    """One use: who asks is the credential, what for is the purpose, whose data is the case or the person."""

    purpose: Name
    case: CaseId | None = None
    person: PersonId | None = None
    on_behalf_of: StaffRef | None = None
    items: Annotated[tuple[ItemName, ...], Meta(max_length=200, description="Absent: all the purpose may use.")] = ()


class UsesBody(_Body):
    """Many uses at once, answered in their order."""

    uses: Annotated[tuple[UseBody, ...], Meta(min_length=1, max_length=256)]


class LookupBody(_Body):
    """An exact look-up under a purpose that allows it; counted."""

    purpose: Name
    item: ItemName
    value: Annotated[str, Meta(min_length=1, max_length=320)]
    on_behalf_of: StaffRef | None = None


class CaseBody(_Body):
    """A case as its source system has it. An absent `assigned` leaves the assignment as it is."""

    person: PersonId | None = None
    assigned: Annotated[tuple[StaffRef, ...], Meta(max_length=50)] | None = None
    service: Name | None = None


class EventBody(_Body):
    """A named event that retention counts from. Without `at`: now."""

    name: Name
    at: Moment | None = None


class CloseBody(_Body):
    """The end of a case. Without `at`: now."""

    at: Moment | None = None


class NothingBody(_Body):
    """Nothing to say: the address says it all."""


class RequestBody(_Body):
    """A complaint or a request about data, taken in by a system: by telephone, at a counter, from a mailbox."""

    kind: Literal["complaint", "question", "access", "correction", "deletion", "objection"]
    text: Annotated[str, Meta(min_length=1, max_length=4000, description="What was asked, in the person's words.")]
    person: PersonId | None = None
    """Whose it is, where your system has made sure of it."""
    contact: Annotated[str, Meta(max_length=254, description="A phone or an e-mail, where the person isn't known.")] = (
        ""
    )
    name: Annotated[str, Meta(max_length=200)] = ""
    language: Language = "uz"
    item: Annotated[str, Meta(max_length=120, description="What is to be put right, for a correction.")] = ""
    value: Annotated[str, Meta(max_length=500, description="How it is right; sealed until it is put in.")] = ""


class MessageBody(_Body):
    """A message to a person: whom, what about and by which channel; never an address, never words."""

    person: PersonId
    template: Annotated[str, Meta(min_length=1, max_length=60, description="A template of docs/messages.md.")]
    purpose: Name
    channel: Literal["sms", "email"]
    params: Annotated[
        dict[str, str | int], Meta(max_length=20, description="Exactly the parameters the template declares.")
    ] = {}
    case: CaseId | None = None
    language: Language | None = None
    """Absent: the person's own."""
    once: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """A name for this message: saying it again for the same person does nothing."""


class TermBody(_Body):
    """How long a permission to use a location lasts, and how exact the place may be (L5)."""

    kind: Literal["once", "until", "while-open", "permanent"]
    precision: Literal["exact", "street", "district", "city"] = "street"
    until: Moment | None = None
    case: CaseId | None = None


class ConsentBody(_Body):
    """Consent to one purpose, given or taken back; `version` names the words that were shown."""

    person: PersonId
    purpose: Name
    state: State
    version: Version | None = None
    term: TermBody | None = None


class ObjectionBody(_Body):
    """An objection to one purpose, raised (`given`) or taken back."""

    person: PersonId
    purpose: Name
    state: State = "given"


class RestrictionBody(_Body):
    """A restriction of all use, asked for (`given`) or lifted."""

    person: PersonId
    state: State = "given"


class TellingBody(_Body):
    """A version of the policy reached the person: delivered or shown, not merely sent."""

    person: PersonId
    version: Version
    channel: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z][a-z0-9-]*$")]


class AgreementBody(_Body):
    """The person agreed to a purpose in the words of a version."""

    person: PersonId
    purpose: Name
    version: Version


class ErasureBody(_Body):
    """What is to go: all of a person; with `record`, that one; with `items`, those alone, of it or of every record."""

    person: PersonId
    record: RecordId | None = None
    items: Annotated[tuple[ItemName, ...], Meta(max_length=200)] = ()
    cause: Literal["asked", "inaccurate", "child"] = "asked"


class AcknowledgementBody(_Body):
    """A system has erased its copy."""

    system: Name


class HoldBody(_Body):
    """A legal hold: of a person, a case or a record; of it `items` or categories, or everything."""

    scope: Literal["person", "case", "record"]
    target: Annotated[str, Meta(min_length=1, max_length=121, description="The person, case or record.")]
    authority: Annotated[str, Meta(min_length=1, max_length=500, description="Who ordered it, under which number.")]
    review_at: Moment
    may_tell: bool
    """Whether the person may be told."""
    on_behalf_of: StaffRef
    items: Annotated[tuple[ItemName, ...], Meta(max_length=200, description="Items or categories; absent: all.")] = ()


class CampaignBody(_Body):
    """One text for everybody who said yes to a purpose; no list of people."""

    name: Annotated[str, Meta(min_length=1, max_length=80, description="Small Latin letters, digits and hyphens.")]
    purpose: Name
    on_behalf_of: StaffRef
    channel: Literal["email", "sms"]
    text: Annotated[str, Meta(min_length=1, max_length=5000, description="In Uzbek; an empty line parts paragraphs.")]
    subject: Annotated[str, Meta(max_length=150, description="For e-mail alone.")] = ""
    translations: Annotated[
        dict[Literal["ru", "en"], str],
        Meta(max_length=2, description="Short: at most the share the law packs name."),
    ] = {}


class MarketerBody(_Body):
    """A member of staff whose job the campaign is."""

    on_behalf_of: StaffRef


class ChildSignalBody(_Body):
    """Somebody or something says that a person is a child."""

    person: PersonId
    signal: Literal["declared", "staff", "parent", "birth-date", "identity-number"]


class GuardianConsentBody(_Body):
    """A parent's consent over a child's data, verified by a privacy officer; or taken back."""

    person: PersonId
    state: State
    on_behalf_of: StaffRef
    method: Annotated[str, Meta(max_length=100, description="One of the methods the packs list; for `given`.")] = ""
    reference: Annotated[str, Meta(max_length=200, description="Where the proof lies; sealed; for `given`.")] = ""
    scope: Annotated[
        Literal["data", "images"], Meta(description="A child's data, or images of somebody too young to agree to them.")
    ] = "data"
    guardian: Annotated[
        str,
        Meta(
            max_length=254,
            description="Phone or e-mail with which the parent signs in, to see and limit the child's data.",
        ),
    ] = ""
    born: Annotated[
        date | None, Meta(description="The child's birth date; needed with `guardian`: access ends by it. Sealed.")
    ] = None


class PaymentReportBody(_Body):
    """What the payment provider reports of a parent's payment: the question, amount and notice it was asked with."""

    event: Literal["payment.paid", "payment.refunded"]
    payment: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z][A-Za-z0-9_-]{7,63}$",
            description="The provider's number of the payment, beginning with a letter; never one of a card.",
        ),
    ]
    order: Annotated[str, Meta(pattern="^pas_[a-z2-7]{26}$", description="As the payment page was asked.")]
    amount: Annotated[int, Meta(ge=0, le=1_000_000_000, description="In tiyin.")]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    notice: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="As the payment page was asked.")]


class OfficerBody(_Body):
    """The privacy officer this is done for."""

    on_behalf_of: StaffRef


class ReviewBody(_Body):
    """A hold was looked at and stands, until a later review."""

    on_behalf_of: StaffRef
    review_at: Moment


class StaffBody(_Body):
    """A staff member: role, when it ends (absent: open), until when the training holds."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    role: Name
    trained_until: Moment
    role_until: Moment | None = None
    login: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class UnsealBody(_Body):
    """One proof of somebody who may open the house: a share of the root key, or its passphrase."""

    share: Annotated[str, Meta(min_length=1, max_length=400)] | None = None
    passphrase: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class DeviceBody(_Body):
    """The key a device signs with; its private half never leaves the device."""

    key: Annotated[str, Meta(min_length=43, max_length=43, description="Ed25519, public, in base64url.")]
