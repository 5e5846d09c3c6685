"""Children that are found: closed at once, opened by a parent's verified consent alone (K2)."""

import time
from collections.abc import Awaitable, Sequence
from typing import Final

from omonat.base.errors import BadInput, Refused
from omonat.flows.children import OFFICER, Agreement, Closed
from omonat.flows.clear_child import Clearing
from omonat.policy.packs import shared_methods
from omonat.policy.words import VerifiedBy
from omonat.promises.children.consent import SIGNALS
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import BY, Guest
from omonat.proving.scene import Scene

_AT_ONCE: Final = 1.0
"""Seconds from the signal until nobody gets anything any more."""
_CLOSED: Final = "person-quarantined"


@probe(
    "K2",
    uz="Namuna odam bola deb aytiladi: bir soniya ichida har bir maqsad uchun yopilishi, faqat tekshirilgan rozilik ochishi kerak.",
    ru="О пробном человеке говорят, что он ребёнок: за секунду он закрыт для всех целей, открывает только проверенное согласие.",
    en="Somebody made for it is said to be a child: closed for every purpose within a second, opened by a verified consent alone.",
)
async def found(scene: Scene) -> Outcome:
    """Each signal closes; no way but a listed one opens; taken back, it is closed again until the deadline."""
    findings, guest = Findings(), await scene.people.guest()
    uses = await _uses(scene, guest)
    for signal in SIGNALS[1:]:
        await _signalled(scene, findings, await scene.people.guest(), signal, uses[:1])
    closed = await _signalled(scene, findings, guest, SIGNALS[0], uses)
    await _waited_for(scene, findings, closed)
    if await _consented(scene, findings, guest, uses[0]):
        await _cleared(scene, findings, guest, uses[0])
    return findings.outcome()


async def _signalled(
    scene: Scene, findings: Findings, guest: Guest, signal: str, uses: Sequence[tuple[str, str]]
) -> Closed:
    """Somebody says so: closed for all of these uses, and at once."""
    began = time.monotonic()
    closed = await scene.house.children.signal(guest.id, signal, by=BY)
    took = time.monotonic() - began
    findings.note(took < _AT_ONCE and closed.closed_at is not None, f"{signal}: {took:.3f} s", closed.entry)
    for role, purpose in uses:
        code = await _told(scene, guest, (role, purpose))
        findings.note(code == _CLOSED, f"{purpose} {role}: {code or 'given'}")
    return closed


async def _uses(scene: Scene, guest: Guest) -> list[tuple[str, str]]:
    """Roles and purposes that get something of this person while nobody says that it is a child."""
    got = []
    for purpose in scene.policy.purposes.values():
        for role in list(purpose.roles)[:1]:
            try:
                case = await scene.people.case_for(guest, purpose.cases) if purpose.cases else None
                answer = await scene.ask(role, purpose.id, guest, case=case)
            except (UntoldError, BadInput):
                continue  # no such case can be opened here, or enough was looked at: then another purpose is tried
            if answer.given:
                got.append((role, purpose.id))
    if not got:
        raise UntoldError("no-such-purpose")
    return got


async def _told(scene: Scene, guest: Guest, use: tuple[str, str]) -> str:
    """The code of the refusal; empty when something was given."""
    role, purpose = use
    kinds = scene.policy.purposes[purpose].cases
    case = next((guest.cases[kind] for kind in kinds if kind in guest.cases), None)
    answer = await scene.ask(role, purpose, guest, case=case)
    return "" if answer.given else answer.code


async def _waited_for(scene: Scene, findings: Findings, closed: Closed) -> None:
    """How long a parent is waited for: the law says it, and it ends."""
    periods = [p.deadlines["child-consent"] for p in scene.policy.packs if "child-consent" in p.deadlines]
    since = closed.closed_at
    assert since is not None
    latest = min((each.within.after(since, scene.policy.zone) for each in periods), default=None)
    findings.note(closed.until == latest, f"until: {'the next sweep' if latest is None else latest - since}")


async def _consented(scene: Scene, findings: Findings, guest: Guest, use: tuple[str, str]) -> bool:
    """Nobody opens it but an officer by a listed way, until that is taken back; whether all of it was so."""
    children, methods = scene.house.children, shared_methods(scene.policy.packs)
    checked = [each.id for each in methods.values() if each.by is VerifiedBy.STAFF]
    if OFFICER not in scene.policy.roles or not checked:
        raise UntoldError("no-such-purpose")
    by = await scene.people.colleague(OFFICER)
    other = next(role.id for role in scene.policy.roles.values() if role.id != OFFICER)
    stranger = await scene.people.colleague(other, 1)
    elsewhere = [each.id for each in methods.values() if each.by is not VerifiedBy.STAFF]
    for who, method, wanted in (
        *((by, method, "consent-method-refused") for method in ("no-such-method", *elsewhere)),
        (stranger, checked[0], "child-officer-needed"),
    ):
        code, entry = await _said(children.agree(_agreement(guest, method), by=who))
        findings.note(code == wanted, f"{method}: {code or 'taken'}", entry)
        if not code:
            return False
    findings.note(await _told(scene, guest, use) == _CLOSED, "no consent: closed")
    steps = (
        ("given", children.agree(_agreement(guest, checked[0]), by=by), ""),
        ("taken back", children.take_back(guest.id, by=by), _CLOSED),
    )
    for step, doing, wanted in steps:
        refused, entry = await _said(doing)
        code = refused or await _told(scene, guest, use)
        findings.note(code == wanted, f"{checked[0]} {step}: {code or 'open'}", entry)
    return True


async def _cleared(scene: Scene, findings: Findings, guest: Guest, use: tuple[str, str]) -> None:
    """A signal that was wrong is taken back by a proof of age alone."""
    by, today = await scene.people.colleague(OFFICER), scene.policy.today(scene.house.grounds.clock())
    under = scene.written.children.under
    young, grown = (today.replace(year=today.year - years, day=1) for years in (under - 1, under + 5))
    clear = scene.house.clear_child
    wrong = Clearing(person=guest.id, cause="age-proved", reference="prove", born=young)
    code, _ = await _said(clear(wrong, by=by))
    findings.note(code == "a-child-indeed", f"proof of a child's age: {code or 'taken'}")
    if not code:
        return
    findings.note(await _told(scene, guest, use) == _CLOSED, "no proof: closed")
    right = Clearing(person=guest.id, cause="age-proved", reference="prove", born=grown)
    code, entry = await _said(clear(right, by=by))
    code = code or await _told(scene, guest, use)
    findings.note(not code, f"proof of age: {code or 'open'}", entry)


def _agreement(guest: Guest, method: str) -> Agreement:
    return Agreement(person=guest.id, method=method, reference="prove")


async def _said(doing: Awaitable[Closed | str]) -> tuple[str, str]:
    """The code it is refused with, or "" and the entry."""
    try:
        done = await doing
    except (BadInput, Refused) as error:
        return error.code, ""
    return "", done if isinstance(done, str) else done.entry


PROBES = (found,)
