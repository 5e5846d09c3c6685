"""What a source hands in, read by the policy: every value has its type, or nothing is kept of it (L1, D2)."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy, Form
from omonat.policy.kinds import Normalised, age_signal
from omonat.policy.kinds.guard import refuse_in_reference
from omonat.policy.model import Item, Keep, Kind, Scope
from omonat.vault.vault import Vault

CASE = re.compile(r"([a-z][a-z0-9-]{0,39}):([A-Za-z0-9][A-Za-z0-9._-]{0,79})")
"""kind:reference, in one spelling."""


def kind_of_case(case: str) -> str:
    """The kind a case's name begins with. Raises BadInput for another form, and for a reference that tells of a card or
    a phone: it would stand in the clear everywhere (D2)."""
    match = CASE.fullmatch(case)
    if match is None:
        raise BadInput("case-malformed")
    refuse_in_reference(match[2])
    return match[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A form that was sealed on a device, by which its collection is known for ever: it is taken in once (S1)."""

    id: str
    digest: bytes
    kept_until: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What a source system hands in.

    `version` is the policy version that was shown with the form (its published name) and `accepted` whether it was
    accepted; `consents` maps offered purposes to yes or no, and `left_empty` are those whose box was offered and not
    touched: what that says depends on whether the person is known. `key` is the idempotency key, `body_digest` anything
    that is the same for the same request; both are kept only as keyed digests. `at` states when the data was taken in:
    only the demo, whose people are dated backwards from its start, takes it, and the flow that opens `sealed` forms.
    """

    credential: Credential
    service: str
    items: Mapping[str, Any]
    version: str
    consents: Mapping[str, bool]
    person: str | None = None
    case: str | None = None
    language: str = "uz"
    accepted: bool = False
    at: Instant | None = None
    key: str | None = None
    body_digest: bytes = b""
    sealed: Sealed | None = None
    left_empty: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectAnswer:
    """Ids only. `repeated` says that the same key was answered before and nothing was done now."""

    person: str
    record: str
    case: str | None
    version: str
    evidence: Mapping[str, Any]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A request whose every value has its type.

    `values` are normalised; `lookups` maps items to look-up epoch and keyed digest; `ages` is what the
    values tell. `outside` names an item that nobody may hand in here: refused once it is known who asks.
    """

    request: CollectRequest
    policy: CompiledPolicy
    shown: CompiledPolicy
    form: Form
    values: dict[str, Any]
    lookups: Mapping[str, tuple[int, bytes]]
    ages: Sequence[date | int]
    key: bytes | None
    body_digest: bytes
    outside: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A verify-only value as typed; hashed only once its collection is accepted: that costs a third of a second."""

    text: str = field(repr=False)


async def hash_secrets(parsed: Parsed, vault: Vault) -> None:
    """Replace what nobody may read back by its hash."""
    for name, value in parsed.values.items():
        if isinstance(value, Secret):
            parsed.values[name] = (await asyncio.to_thread(vault.hash_secret, value.text)).hex()


def parse(policy: CompiledPolicy, request: CollectRequest, vault: Vault, shown: CompiledPolicy | None) -> Parsed:
    """Read a request by the policy. Raises BadInput; no error ever holds a value."""
    form = policy.form(request.service)
    if shown is None or shown.ordinal > policy.ordinal:
        raise BadInput("version-unknown")
    _case(form, request)
    values: dict[str, Any] = {}
    lookups: dict[str, tuple[int, bytes]] = {}
    epoch = vault.lookup_epoch
    ages: list[date | int] = []
    outside = None
    for name, value in request.items.items():
        item = policy.item(name)
        if item.kind is Kind.CARD_NUMBER and item.scope is Scope.PCI:
            outside = name
            continue
        normal = _normal(policy, item, value)
        age = age_signal(item.kind, normal.value)
        if age is not None:
            ages.append(age)
        if item.keep is Keep.VERIFY_ONLY:
            values[name] = Secret(str(normal.value))
            continue
        values[name] = normal.value
        if item.lookup and normal.lookup is not None:
            lookups[name] = (epoch, vault.lookup_digest(name, normal.lookup, epoch=epoch))
    for purpose in (*request.consents, *request.left_empty):
        policy.purpose(purpose)
    key = None
    if request.key is not None:
        key = vault.keyed_digest("idempotency-key", f"{request.credential.client}\n{request.key}".encode())
    body = vault.keyed_digest("idempotency-body", request.body_digest) if key is not None else b""
    return Parsed(request, policy, shown, form, values, lookups, ages, key, body, outside)


def _normal(policy: CompiledPolicy, item: Item, value: Any) -> Normalised:
    """The value in its one spelling. Raises BadInput naming the item, never the value."""
    try:
        return policy.normalise(item.id, value)
    except BadInput as error:
        raise BadInput(error.code, **{**error.about, "item": item.id}) from None


def _case(form: Form, request: CollectRequest) -> None:
    if request.case is None:
        if form.case is not None:
            raise BadInput("case-needed", service=request.service, kind=form.case)
        return
    kind = kind_of_case(request.case)
    if form.case is not None and kind != form.case:
        raise BadInput("case-malformed")
