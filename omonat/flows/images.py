"""Images of the young (G5, K3): who said an age under the packs' is closed for photos, videos and recordings of them
until a parent agrees or they are old enough.

The latest day on which they can have been born lies sealed on the person's row while that is so; nobody else has one.
A duty of law to hand something over isn't a use of the company's own, and is not stopped by it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from omonat.base.errors import OmonatError
from omonat.base.instants import Instant
from omonat.base.verdict import Deny, Reason
from omonat.database.statements import load
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis, Kind
from omonat.promises.children.guardian import born_context
from omonat.promises.children.rule import decide_images, latest_birth
from omonat.vault.vault import Vault

_queries = load("omonat.promises.children")
_RECORDINGS: Final = frozenset({Kind.IMAGE_REF, Kind.VIDEO_REF, Kind.AUDIO_REF})
_CLOSED: Final = Reason("images-need-parent", "K3")


def recordings(policy: CompiledPolicy, items: Iterable[str]) -> tuple[str, ...]:
    """Those of the items that show or let hear a person."""
    return tuple(item for item in items if policy.items[item].kind in _RECORDINGS)


def footage(policy: CompiledPolicy, items: Iterable[str]) -> tuple[str, ...]:
    """Those of the items that record whoever comes into view: nobody gives them of their own will (K1)."""
    return tuple(item for item in recordings(policy, items) if not policy.items[item].voluntary)


def closed_items(
    vault: Vault,
    policy: CompiledPolicy,
    items: Iterable[str],
    *,
    basis: Basis,
    person: str,
    slot: int,
    sealed: bytes | None,
    now: Instant,
) -> Mapping[str, Reason]:
    """Which of the items a use may not have of this person, and why. Nothing where no age closes them."""
    if sealed is None or basis is Basis.LEGAL_OBLIGATION:
        return {}
    shown = recordings(policy, items)
    if not shown or not _young(policy, read_birth(vault, person, slot, sealed), now):
        return {}
    return dict.fromkeys(shown, _CLOSED)


def decide_taking(
    policy: CompiledPolicy,
    items: Iterable[str],
    ages: Sequence[date | int],
    *,
    known: date | None,
    closed: bool,
    agreed: bool,
    now: Instant,
) -> Deny | None:
    """Whether a form's recordings may be taken in: `ages` are what it tells itself, `known` what was told before.

    `closed`: images of the person are closed, and `known` None then means that nobody can tell how old they are.
    `agreed`: a parent's consent to images stands.
    """
    if agreed or not recordings(policy, items):
        return None
    told = latest_birth(ages, policy.today(now))
    young = (told is not None and _young(policy, told, now)) or (closed and _young(policy, known, now))
    return Deny((_CLOSED,)) if young else None


def seal_if_young(
    vault: Vault, policy: CompiledPolicy, ages: Sequence[date | int], now: Instant, *, person: str, slot: int
) -> bytes | None:
    """What is to stand on the row of somebody whose form tells an age under the packs'; None for everybody else."""
    born = latest_birth(ages, policy.today(now))
    if born is None or not _young(policy, born, now):
        return None
    return vault.seal_value(born_context(person), born.isoformat().encode(), slot=slot)


async def close_images(connection: Any, young: Mapping[str, bytes]) -> None:
    """Close the images of these people, in the caller's transaction, where no parent has agreed to them."""
    if young:
        found = _queries.close_images(connection, ids=list(young), born=list(young.values()))
        _ = [row async for row in found]


def read_birth(vault: Vault, person: str, slot: int, sealed: bytes | None) -> date | None:
    """The latest day of birth that was sealed; None where it can't be opened: then nobody is old enough."""
    if sealed is None:
        return None
    try:
        return date.fromisoformat(vault.open_value(born_context(person), bytes(sealed), slot=slot).decode())
    except (OmonatError, ValueError):
        return None


def _young(policy: CompiledPolicy, born: date | None, now: Instant) -> bool:
    return born is None or isinstance(decide_images(born, under=policy.images_under, today=policy.today(now)), Deny)
