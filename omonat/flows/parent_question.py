"""A question to a parent, as the flows around it share it: what it asks, how it stands, what its page shows (K2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from omonat.base.instants import Instant
from omonat.flows.letter_links import ParentStep
from omonat.flows.payment_reports import CURRENCY
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import Normalised, normalise
from omonat.policy.packs import ConsentMethod, shared_methods
from omonat.policy.words import VerifiedBy
from omonat.promises.children.asking import asked_by, undisclosed_only
from omonat.promises.children.guardian import born_context
from omonat.promises.children.paying import Terms
from omonat.vault.vault import Vault

State = Literal["asked", "answered", "stands", "withdrawn", "refused", "stopped", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an officer asks a parent: by which method, where to, in which language. `born`, where known, lets the
    consent end when the child comes of age."""

    person: str
    method: str
    address: str
    language: str
    born: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a question stands. `confirm_from`: when the second message goes; `over_at`: when an answer comes too late."""

    id: str
    person: str
    method: str
    channel: str
    state: State
    asked_at: Instant
    over_at: Instant
    confirm_from: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a parent's page needs: the question, at which step the link is, the kinds of data, and what they are used
    for; names of the policy, no values. By payment: what it costs, and where to pay once the notice was agreed to."""

    asked: Asked
    step: ParentStep
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    total: int | None = None
    pay_at: str = ""


def read_address(policy: CompiledPolicy, typed: str) -> tuple[str, Normalised]:
    """A parent's phone or e-mail. Raises BadInput."""
    item = "contact.email" if "@" in typed else "contact.mobile"
    return item, normalise(policy.item(item).kind, typed.strip(), country=policy.policy.controller.country)


def state_of(row: Any, now: Instant) -> State:
    if row["ended_as"] is not None:
        return "refused" if row["ended_as"] == "refused" else "stopped"
    if row["consent"] is not None:
        return "stands" if row["stands"] else "withdrawn"
    if row["over_at"] <= now:
        return "over"
    return "asked" if row["answered_at"] is None else "answered"


def asked_of(row: Any, person: str, now: Instant) -> Asked:
    return Asked(
        id=row["id"], person=person, method=row["method"], channel=row["channel"], state=state_of(row, now),
        asked_at=row["asked_at"], over_at=row["over_at"], confirm_from=row["confirm_from"],
    )  # fmt: skip


def digests_of(vault: Vault, policy: CompiledPolicy, item: str, typed: str) -> list[bytes]:
    """By what an address is found among a child's own: a number given as a landline is the same as a mobile one."""
    kind = policy.item(item).kind
    normal = normalise(kind, typed, country=policy.policy.controller.country).lookup or ""
    alike = [each.id for each in policy.items.values() if each.lookup and each.kind is kind]
    return [digest for each in alike for digest in vault.lookup_digests(each, normal)]


def address_context(ask: str) -> str:
    """What a parent's address is bound to."""
    return f"parent-ask:{ask}"


def first_message(ask: str) -> str:
    """What names the first message, so that it can be called back."""
    return f"parent-ask:{ask}"


def second_message(ask: str) -> str:
    """What names the second message, so that it can be called back."""
    return f"parent-confirm:{ask}"


def kind_of(policy: CompiledPolicy, method: str) -> VerifiedBy:
    """How a parent who was written to is verified: by what they pay, or by a message and its confirmation."""
    paid = {each.id for each in asked_by(policy.packs, VerifiedBy.PAYMENT)}
    return VerifiedBy.PAYMENT if method in paid else VerifiedBy.MESSAGE


def ways_that_cover(policy: CompiledPolicy, *, payments: bool) -> list[ConsentMethod]:
    """The ways to verify a parent that count whatever the data is handed to; by payment only where it can be paid."""
    left_out = set(undisclosed_only(policy.packs))
    if not payments:
        left_out |= {each.id for each in asked_by(policy.packs, VerifiedBy.PAYMENT)}
    return [each for name, each in shared_methods(policy.packs).items() if name not in left_out]


def about(policy: CompiledPolicy, services: Iterable[str], categories: Iterable[str]) -> tuple[list[str], list[str]]:
    """The kinds of data and the purposes that a parent is told of: what is held, and what its services use it for."""
    kinds = [each for each in sorted(categories) if each in policy.policy.categories]
    used = [each for name in sorted(services) if name in policy.services for each in policy.services[name].for_]
    return kinds, list(dict.fromkeys(used))


def terms_of(vault: Vault, policy: CompiledPolicy, ask: str, held: Any, total: int) -> Terms:
    """What a parent is shown who goes to pay. The notice's digest tells nobody without the vault what it says; another
    version, kind of data, purpose or amount is another notice."""
    kinds, purposes = about(policy, held["services"], held["categories"])
    said = "\n".join((ask, policy.digest, ",".join(kinds), ",".join(purposes), str(total), CURRENCY))
    notice = vault.keyed_digest("parent-notice", said.encode()).hex()
    return Terms(ask=ask, total=total, currency=CURRENCY, notice=notice)


def born_of(vault: Vault, ask: Any, row: Any) -> date | None:
    """The child's birth date, where the officer knew it."""
    if ask["born"] is None:
        return None
    opened = vault.open_value(born_context(row["id"]), bytes(ask["born"]), slot=row["slot"])
    return date.fromisoformat(opened.decode())
