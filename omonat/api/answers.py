"""What each operation answers. Printed by one encoder; times in UTC, RFC 3339 with six decimals."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from omonat.base.instants import Instant, to_rfc3339
from omonat.evidence.receipts import Receipt

encode = msgspec.json.Encoder().encode
rfc3339 = lru_cache(512)(to_rfc3339)


class _Answer(Struct, rename="kebab", kw_only=True):
    """One JSON object."""


class Evidence(_Answer):
    """The signed promise that this act is in the log and provable from `due` on."""

    id: str
    leaf: str
    due: str
    receipt: str


class Collected(_Answer):
    """Where the data went: ids only."""

    person: str
    record: str
    case: str | None
    version: str
    evidence: Evidence


class Withheld(_Answer):
    """Why an item isn't in the answer."""

    code: str
    promise: str
    says: str


class Used(_Answer):
    """What may be known, reasons for the rest, the records the values came from, the evidence."""

    person: str
    items: dict[str, Any]
    withheld: dict[str, Withheld]
    records: tuple[str, ...]
    evidence: Evidence


class Problem(Struct, kw_only=True, omit_defaults=True):
    """RFC 9457. Tell errors apart by `code`; `detail` says what happened, `next` what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    promise: str = ""
    next: str = ""
    at: str = ""
    """The place in the body, such as `$.items`."""
    line: int = 0
    column: int = 0
    nearest: str = ""
    """The nearest valid name."""
    item: str = ""
    """The policy's item it is about, where it is about one."""
    instance: str = ""
    """The request's id, which is also in the log."""


class UsedMany(_Answer):
    """One `Used` or `Problem` for each use, in order."""

    answers: list[Any]


class Acknowledged(_Answer):
    """It is done, and provable."""

    evidence: Evidence


class VisitLinkMade(_Answer):
    """The address for the bill, its QR as an SVG drawing, and when both end."""

    address: str
    until: str
    qr: str
    evidence: Evidence


class Asked(_Answer):
    """The request's number, and by when it is answered. The code that opens the answer goes to the person alone;
    `waits_for_proof`: what was asked waits until the person has typed another one."""

    number: str
    due: str
    waits_for_proof: bool
    evidence: Evidence


class Registered(_Answer):
    """The staff member's own id."""

    staff: str


class Staying(_Answer):
    """What stays, for which of the policy's reasons, and until when; `count` records share it.

    `until` is null where no date is known: a hold, or data the policy in force doesn't know. `waits-for` names the
    event that brings the date forward.
    """

    item: str
    service: str
    reason: str
    source: str
    until: str | None
    waits_for: str
    count: int


class ErasurePlan(_Answer):
    """What would go, by item and number of records, and what would stay."""

    goes: dict[str, int]
    stays: list[Staying]


class ErasureAnswer(_Answer):
    """How far an erasure is: a stage that isn't reached has no time. `entries` names the evidence of each stage.

    `final` waits for the end of look-up key number `lookup-epoch`, where a digest of an erased channel was left in
    older copies: until then the content is final, the look-up pending.
    """

    id: str
    scope: Literal["person", "record", "items", "due", "evidence"]
    cause: Literal["asked", "inaccurate", "child", "due"]
    stage: Literal["hidden", "key-destroyed", "swept", "final"]
    person: str | None
    record: str | None
    items: tuple[str, ...]
    hidden_at: str
    key_destroyed_at: str | None
    swept_at: str | None
    final_at: str | None
    key_copies: int | None
    lookup_epoch: int | None
    stays: list[Staying]
    entries: dict[str, str]


class ErasureAcknowledged(_Answer):
    """The evidence entry that says so; the same one when said again."""

    entry: str


class HoldAnswer(_Answer):
    """A legal hold as it stands; staff as the pseudonyms the evidence knows. Approved or not, released or not."""

    id: str
    scope: Literal["person", "case", "record"]
    target: str
    items: tuple[str, ...]
    authority: str
    may_tell: bool
    review_at: str
    placed_at: str
    placed_by: str
    approved_at: str | None
    approved_by: str | None
    ending_by: str | None
    released_at: str | None
    released_by: str | None
    entries: dict[str, str]


class ChildAnswer(_Answer):
    """A child's data: closed since when (null: a parent's consent stands), and until when a parent may agree."""

    person: str
    closed_at: str | None
    until: str | None
    evidence: str


class PaymentAnswer(_Answer):
    """What became of a reported payment: whether a parent's consent stands by it."""

    payment: str
    counts: bool


class CampaignAnswer(_Answer):
    """A campaign as it stands. `counted`: people by reason when it was planned; `letters`: by state, and why."""

    name: str
    purpose: str
    channel: Literal["email", "sms"]
    subject: str
    text: str
    translations: dict[str, str]
    state: Literal["planned", "approved", "running", "stopped", "done"]
    all_written: bool
    counted: dict[str, int]
    letters: dict[str, int]
    planned_at: str
    approved_at: str | None
    started_at: str | None
    ended_at: str | None
    evidence: str


class HoldList(_Answer):
    """Every hold that stands, the one to be reviewed first first."""

    holds: list[HoldAnswer]


class FoundPeople(_Answer):
    """One person and their open cases, or nobody; `several`: more than one is behind the value, and none is named."""

    person: str | None
    cases: tuple[str, ...]
    several: bool
    evidence: Evidence


class VersionRow(_Answer):
    """A published version; `ordinal` counts them from 1."""

    ordinal: int
    version: str
    digest: str
    effective: str
    in_force: bool


class Versions(_Answer):
    """All published versions, newest first."""

    versions: list[VersionRow]


class PolicyDocument(_Answer):
    """The policy in force: the document as data, and the digest that evidence entries name."""

    policy: str
    version: str
    ordinal: int
    digest: str
    effective: str
    document: dict[str, Any]


class Why(_Answer):
    """A purpose that asks for an item, in its own sentence; `seen-by` names the people who see the item for it."""

    purpose: str
    says: str
    tells: str
    seen_by: list[str]


class Field(_Answer):
    """One field to ask. `ask` is `required`, `optional`, or `with-consent` (only with one of `consents`).

    `kept`: every term that keeps it, then the end none passes. `choices`: what may be sent, and how it reads.
    """

    item: str
    label: str
    kind: str
    ask: Literal["required", "optional", "with-consent"]
    why: list[Why]
    consents: list[str]
    choices: dict[str, str]
    kept: list[str]


class Offer(_Answer):
    """A consent to offer beside the form; refusing it costs nothing."""

    purpose: str
    says: str
    tells: str


class ServiceForm(_Answer):
    """A service's form: show it with `version`, send `form` back with the data within `valid-until`."""

    service: str
    label: str
    version: str
    language: str
    case: str | None
    fields: list[Field]
    offers: list[Offer]
    form: str
    valid_until: str
    born_by: int


class ProofAnswer(_Answer):
    """An entry's place in the log; `proof` is a C2SP tlog-proof file, `checkpoint` the signed note it ends in."""

    id: str
    index: int
    proof: str
    checkpoint: str


class DemographicsReport(_Answer):
    """One question over one period. A null number may not be seen; a null total: none of them may. `incomplete`: some
    answers of these weeks were lost with a restore, so no number is shown."""

    question: str
    since: str
    until: str
    cells: dict[str, int | None]
    total: int | None
    incomplete: bool


class DemographicsAnswer(_Answer):
    """Anonymous answers; no number below `threshold` is shown."""

    threshold: int
    reports: list[DemographicsReport]


class ConsentReceiptList(_Answer):
    """Receipts in JSON-LD, newest first: docs/consent-receipt.schema.json."""

    receipts: list[dict[str, Any]]


class ConsistencyAnswer(_Answer):
    """The proof (RFC 6962, base64) that the log of `checkpoint` begins with the log of `old` entries."""

    old: int
    size: int
    proof: list[str]
    checkpoint: str


class CheckpointAnswer(_Answer):
    """The newest signed checkpoint: its size, when the log's clock signed it, and the note itself."""

    size: int
    signed_at: str | None
    checkpoint: str


class Health(_Answer):
    """`sealed`: the keys are not open yet, so no data can be taken or given."""

    status: Literal["ok", "sealed", "unavailable"]
    sealed: bool
    policy: str | None


class Unsealing(_Answer):
    """How far unsealing has come. `threshold` and `needed` are null until the first share tells; `passphrase`: one may
    be given instead."""

    sealed: bool
    threshold: int | None
    given: int
    needed: int | None
    passphrase: bool


class SealingKeyAnswer(_Answer):
    """What forms are sealed to: HPKE, docs/formats.md. `fingerprint` is for people; `evidence` the entry naming it."""

    installation: str
    key: int
    public: str
    fingerprint: str
    since: str
    evidence: str
    days: int


class DeviceAnswer(_Answer):
    """A device that is set up; `services` are those its source may collect for."""

    device: str
    source: str
    services: list[str]


class FormTaken(_Answer):
    """What became of one sealed form. `taken` and `repeated`: forget it, `evidence` is its entry. `refused`: forget it
    as well, `code` says why, nothing of it was kept. `later`: send it again."""

    id: str
    state: Literal["taken", "repeated", "refused", "later"]
    evidence: str
    code: str
    says: str
    next: str


class SealedCollected(_Answer):
    """A form that was sealed in a browser and is taken in, now or before (`repeated`). Its person and record are null
    when they were deleted since."""

    state: Literal["taken", "repeated"]
    person: str | None
    record: str | None
    case: str | None
    evidence: str


class FormsTaken(_Answer):
    """What became of each form, in the order of the batch."""

    forms: list[FormTaken]


class CodeRow(_Answer):
    """A stable code with its words."""

    id: str
    status: int
    promise: str
    says: str
    next: str


class Codes(_Answer):
    """Every code this program can answer."""

    codes: list[CodeRow]


def evidence(receipt: Receipt) -> Evidence:
    """A receipt as it is answered."""
    return Evidence(id=receipt.id, leaf=receipt.leaf, due=rfc3339(receipt.due), receipt=receipt.token)


def evidence_of(kept: Mapping[str, Any]) -> Evidence:
    """As `evidence`, from the mapping a flow keeps for repeated requests."""
    return Evidence(id=kept["id"], leaf=kept["leaf"], due=rfc3339(Instant(kept["due"])), receipt=kept["receipt"])
