"""What the server answers, typed. Unknown keys are passed over: `/v1` grows."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct


class _Answer(Struct, rename="kebab", kw_only=True):
    """One JSON object."""


class Evidence(_Answer):
    """The signed promise that an act is in the log and provable from `due` on; keep `receipt` to hold us to it."""

    id: str
    leaf: str
    due: datetime
    receipt: str


class Collected(_Answer):
    """Where the data went."""

    person: str
    record: str
    case: str | None
    version: str
    evidence: Evidence


class Withheld(_Answer):
    """Why an item isn't there: `code` for programs, `says` for people, in the language that was asked for."""

    code: str
    promise: str
    says: str


class Used(_Answer):
    """What may be known, and reasons for the rest."""

    person: str
    items: dict[str, Any]
    withheld: dict[str, Withheld]
    evidence: Evidence
    records: tuple[str, ...] = ()


class Asked(_Answer):
    """A complaint or a request was taken in; the code that opens its answer went to the person."""

    number: str
    due: datetime
    waits_for_proof: bool
    evidence: Evidence


class Problem(Struct, kw_only=True):
    """An error as the server put it (RFC 9457). Tell errors apart by `code`."""

    code: str
    status: int
    detail: str = ""
    title: str = ""
    type: str = "about:blank"
    promise: str = ""
    next: str = ""
    at: str = ""
    line: int = 0
    column: int = 0
    nearest: str = ""
    item: str = ""
    instance: str = ""


class Answers(_Answer):
    """Many uses' answers; each is a `Used` or a `Problem`."""

    answers: list[dict[str, Any]]


class Acknowledged(_Answer):
    """It is done, and provable."""

    evidence: Evidence


class VisitLink(_Answer):
    """The address for the bill, its QR as an SVG drawing, and when both end (RFC 3339)."""

    address: str
    until: str
    qr: str
    evidence: Evidence


class Registered(_Answer):
    """The staff member's own id."""

    staff: str


class FoundPeople(_Answer):
    """One person and their open cases, or nobody; `several`: more than one is behind the value, and none is named."""

    person: str | None
    cases: tuple[str, ...]
    several: bool
    evidence: Evidence


class Version(_Answer):
    """A published version of the policy."""

    ordinal: int
    version: str
    digest: str
    effective: datetime
    in_force: bool


class Versions(_Answer):
    """All published versions, newest first."""

    versions: list[Version]


class PolicyDocument(_Answer):
    """The policy in force, as data."""

    policy: str
    version: str
    ordinal: int
    digest: str
    effective: datetime
    document: dict[str, Any]


class Why(_Answer):
    """A purpose that asks for an item, in its own sentence; `seen_by` names the people who see it for that."""

    purpose: str
    says: str
    tells: str
    seen_by: list[str] = []


class Field(_Answer):
    """One field to ask, with the sentences to say beside it."""

    item: str
    label: str
    kind: str
    ask: Literal["required", "optional", "with-consent"]
    why: list[Why]
    consents: list[str]
    choices: dict[str, str]
    kept: list[str] = []


class Offer(_Answer):
    """A consent to offer beside the form."""

    purpose: str
    says: str
    tells: str


class ServiceForm(_Answer):
    """A service's form; send `form` back with the data."""

    service: str
    label: str
    version: str
    language: str
    case: str | None
    fields: list[Field]
    offers: list[Offer]
    form: str
    valid_until: datetime
    born_by: int
    """The last year of birth served without a parent: ask the year before the form, and tell nothing of it."""


class Staying(_Answer):
    """What stays after an erasure, why, and until when; `count` records share it."""

    item: str
    service: str
    reason: str
    source: str
    until: datetime | None
    waits_for: str
    count: int


class ErasurePlan(_Answer):
    """What an erasure would take, by item and number of records, and what it would leave."""

    goes: dict[str, int]
    stays: list[Staying]


class Erasure(_Answer):
    """How far an erasure is: `stage` is hidden, key-destroyed, swept or final; a stage not reached has no time."""

    id: str
    scope: str
    cause: str
    stage: str
    person: str | None
    record: str | None
    items: tuple[str, ...]
    hidden_at: datetime
    key_destroyed_at: datetime | None
    swept_at: datetime | None
    final_at: datetime | None
    key_copies: int | None
    lookup_epoch: int | None
    stays: list[Staying]
    entries: dict[str, str]


class Proof(_Answer):
    """An entry's place in the log; `proof` is a C2SP tlog-proof file."""

    id: str
    index: int
    proof: str
    checkpoint: str


class Checkpoint(_Answer):
    """The newest signed checkpoint of the log."""

    size: int
    signed_at: datetime | None
    checkpoint: str


class Health(_Answer):
    """Whether data can be taken and given."""

    status: str
    sealed: bool
    policy: str | None


class Code(_Answer):
    """A stable code with its words."""

    id: str
    status: int
    promise: str
    says: str
    next: str


class Codes(_Answer):
    """Every code the server can answer."""

    codes: list[Code]
