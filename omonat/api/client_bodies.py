"""What the operations take and answer by which business clients are told (N1)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from omonat.api.bodies import Moment, PersonId, StaffRef
from omonat.api.speaking import Tongue, WordsAnswer, WordsIn

Occasion = Literal["engaged", "policy-version", "security-breach"]
ByChannel = Literal["email", "sms", "letter", "meeting", "contract", "privacy-center"]
StepName = Annotated[str, Meta(min_length=1, max_length=120, pattern="^[a-z][a-z0-9-]*$")]
EntryId = Annotated[str, Meta(pattern="^ev_[a-z2-7]{26}$")]


class _Taken(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """One JSON object, nothing unknown in it."""


class _Answered(Struct, rename="kebab", kw_only=True):
    """One JSON object."""


class StepBody(_Taken):
    """One step: on which occasion whoever is named for a part is told what, within how many days, and how."""

    id: StepName
    occasion: Occasion
    part: StepName
    within_days: Annotated[int, Meta(ge=0, le=365)]
    channels: Annotated[tuple[ByChannel, ...], Meta(min_length=1, max_length=6)]
    says: Annotated[dict[Tongue, WordsIn], Meta(max_length=3)]


class ProcedureBody(_Taken):
    """A whole version of the procedure, and who wrote it."""

    steps: Annotated[tuple[StepBody, ...], Meta(min_length=1, max_length=50)]
    on_behalf_of: StaffRef


class ClientBody(_Taken):
    """A company by its name, or a sole trader by their person."""

    on_behalf_of: StaffRef
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    trader: PersonId | None = None


class ContactBody(_Taken):
    """Whom to tell, and which part of the procedure is theirs; with `ends` not any more."""

    person: PersonId
    part: StepName
    on_behalf_of: StaffRef
    ends: bool = False


class GivenBody(_Taken):
    """Every contact of the step's part was told."""

    step: StepName
    channel: ByChannel
    at: Moment
    on_behalf_of: StaffRef


class ConfirmationBody(_Taken):
    """A contact confirmed that a notice reached them. It is named by its entry."""

    notice: EntryId
    at: Moment
    on_behalf_of: StaffRef


class StepAnswer(_Answered):
    """One step."""

    id: str
    occasion: str
    part: str
    within_days: int
    channels: list[str]
    says: dict[str, WordsAnswer] | None


class ProcedureAnswer(_Answered):
    """A version; in force is the newest that was approved. Staff as pseudonyms."""

    version: int
    steps: list[StepAnswer]
    written_by: str
    written_at: str
    approved_by: str | None
    approved_at: str | None
    entries: dict[str, str]


class ProcedureList(_Answered):
    """Every version, newest first."""

    procedures: list[ProcedureAnswer]


class ContactAnswer(_Answered):
    """Somebody to be told."""

    person: str
    part: str
    since: str


class GivenAnswer(_Answered):
    """A notice that was given. `receipt` is our signed word that its entry is in the log; anybody can check it."""

    person: str
    procedure: int
    step: str
    version: int
    channel: str
    at: str
    evidence: str
    receipt: str
    acknowledged_at: str | None = None
    acknowledgement: str | None = None


class OwedAnswer(_Answered):
    """A notice that wasn't given yet, of which occasion, and until when it is due."""

    person: str
    step: str
    about: str
    due: str


class ClientAnswer(_Answered):
    """A client: whom to tell, what they were told, what is owed to them, the most urgent first."""

    id: str
    name: str | None
    trader: str | None
    registered_at: str
    ended_at: str | None
    contacts: list[ContactAnswer]
    given: list[GivenAnswer]
    owed: list[OwedAnswer]
    entries: dict[str, str]


class ClientList(_Answered):
    """Every client, the newest first."""

    clients: list[ClientAnswer]


class GivenList(_Answered):
    """What each contact was given."""

    given: list[GivenAnswer]


class ClientRegistered(_Answered):
    """The client's id."""

    id: str
