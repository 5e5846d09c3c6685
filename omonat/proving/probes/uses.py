"""The purposes: each role sees exactly what the document gives it, and nothing without the consent it names.

U1–U11 and the categories G1–G6: what comes out is compared with the published document. C1: every situation that needs
an explicit yes is refused without one.
"""

from typing import Final

from omonat.policy.model import Keep, Purpose
from omonat.policy.words import Basis
from omonat.proving.outcome import CannotTell, Findings, Kept, Outcome, Probe, UntoldError, probe
from omonat.proving.people import Guest
from omonat.proving.scene import Scene

_ALLOWED_NOT_HELD: Final = frozenset(
    {"not-held", "no-longer-kept", "only-in-an-older-record", "key-gone", "due-unknown", "not-told-yet"}
)
"""Codes of items that the rule grants, and that aren't at hand."""
UZ = "{}: har bir vazifa {} boʻyicha aynan siyosatda yozilgan maʼlumotni olishi, rozilik kerak boʻlsa, usiz rad etilishi kerak."
RU = "{}: каждая роль {} должна получить ровно то, что написано в политике, а где нужно согласие, без него — отказ."
EN = "{}: each role asks for everything {} and must get exactly what the policy names; without a needed consent, nothing."


def _exactly(promise: str) -> Probe:
    """The probe of all purposes that keep one promise."""

    @probe(
        promise,
        uz=UZ.format(promise, "shu maqsadlar"),
        ru=RU.format(promise, "по этим целям"),
        en=EN.format(promise, "for its purposes"),
    )
    async def exactly(scene: Scene) -> Outcome:
        return await seen_by_roles(scene, promise)

    return exactly


async def seen_by_roles(scene: Scene, promise: str) -> Outcome:
    """Ask, in every role of every purpose that keeps the promise, for every item there is."""
    purposes = [one for one in scene.written.purposes.values() if promise in one.promises]
    if not purposes:
        raise UntoldError("no-such-purpose")
    found, guest, given, untold = Findings(), await scene.well_known(), 0, list[str]()
    for purpose in purposes:
        try:
            case = await scene.people.case_for(guest, purpose.cases) if purpose.cases else None
        except UntoldError:
            untold.append(purpose.id)
            continue
        given += await _one_purpose(scene, purpose, guest, case, found)
    outcome = found.outcome()
    if isinstance(outcome, Kept) and not given:
        return CannotTell("nothing-given", (*outcome.seen, *untold), outcome.evidence)
    if isinstance(outcome, CannotTell) and untold:
        return CannotTell("no-source-for-case", tuple(untold))
    return outcome


async def _one_purpose(scene: Scene, purpose: Purpose, guest: Guest, case: str | None, found: Findings) -> int:
    """How many values were given, rightly."""
    by_consent = purpose.basis is Basis.CONSENT
    if by_consent:
        await _refused_without(scene, purpose, guest, case, found)
        await scene.choose(guest, "consent", "given", purpose.id)
    given = 0
    for role in purpose.roles:
        given += await _one_role(scene, purpose, role, guest, case=case, found=found)
    if by_consent:
        await scene.choose(guest, "consent", "withdrawn", purpose.id)
        await _refused_without(scene, purpose, guest, case, found)
    return given


async def _refused_without(scene: Scene, purpose: Purpose, guest: Guest, case: str | None, found: Findings) -> None:
    role = next(iter(purpose.roles))
    answer = await scene.ask(role, purpose.id, guest, case=case)
    found.note(answer.code == "no-consent", f"{purpose.id} {role}: {answer.code or 'given'}", answer.evidence)


async def _one_role(
    scene: Scene, purpose: Purpose, role: str, guest: Guest, *, case: str | None, found: Findings
) -> int:
    everything = tuple(scene.written.items)
    readable = {item.id for item in scene.written.items.values() if item.keep is not Keep.VERIFY_ONLY}
    expected = {item for item in purpose.items_for(role) if item in readable}
    answer = await scene.ask(role, purpose.id, guest, case=case, items=everything)
    allowed = {*answer.given, *(item for item, code in answer.withheld.items() if code in _ALLOWED_NOT_HELD)}
    strange = (item for item, code in answer.withheld.items() if code == "no-relation")
    allowed |= {item for item in strange if not _given_for(scene, item, purpose.id)}
    for item in sorted(allowed ^ expected):
        found.note(False, f"{purpose.id} {role} {item}: {'given' if item in allowed else answer.code or 'withheld'}")
    changed = [item for item, value in answer.given.items() if guest.items.get(item, value) != value]
    for item in changed:
        found.note(False, f"{purpose.id} {role} {item}: changed")
    right = not changed and allowed == expected
    found.note(right, f"{purpose.id} {role}: {len(answer.given)} of {len(expected)}", answer.evidence)
    return len(answer.given) if right else 0


def _given_for(scene: Scene, item: str, purpose: str) -> bool:
    """Whether a service that collects for the purpose was given the item: else staff without a case see nothing."""
    services = (scene.written.services[name] for name in scene.people.services())
    near = [law.id for law in services if purpose in (*law.for_, *law.offers)]
    return any(item in (scene.people.asked_by(name) or {}) for name in near)


@probe(
    "C1",
    uz="Roziligi soʻraladigan har bir maqsad roziliksiz soʻraladi: hammasi rad etilishi kerak.",
    ru="Каждая цель, для которой нужно согласие, запрашивается без него: всё должно быть отклонено.",
    en="Each purpose that needs an explicit yes is asked for without one: every one must be refused.",
)
async def without_consent(scene: Scene) -> Outcome:
    """The situations that need explicit consent are those of the document; none goes on without it."""
    found, guest = Findings(), await scene.people.guest()
    listed = {*scene.written.consent_needed}
    for purpose in scene.written.purposes.values():
        if purpose.id not in listed and purpose.basis is not Basis.CONSENT:
            continue
        try:
            case = await scene.people.case_for(guest, purpose.cases) if purpose.cases else None
        except UntoldError:
            continue
        await _refused_without(scene, purpose, guest, case, found)
    return found.outcome()


@probe(
    "G3",
    uz="Parol va maxfiy javob har bir vazifada soʻraladi: hech kimga, hech qaysi eshikdan berilmasligi kerak.",
    ru="Пароль и секретный ответ запрашивает каждая роль: их не должна получить ни одна.",
    en="Password and security answer are asked for in every role that has a part in them: nobody may get one.",
)
async def verify_only(scene: Scene) -> Outcome:
    """What is only ever compared is never read back."""
    found, guest = Findings(), await scene.well_known()
    secret = [item.id for item in scene.written.items.values() if item.keep is Keep.VERIFY_ONLY]
    for purpose in scene.written.purposes.values():
        if purpose.cases or not set(secret).intersection(purpose.items):
            continue
        for role in purpose.roles:
            answer = await scene.ask(role, purpose.id, guest, items=tuple(secret))
            right = not answer.given
            found.note(right, f"{purpose.id} {role}: {sorted({*answer.withheld.values()})}", answer.evidence)
    return found.outcome()


PROBES = (
    without_consent,
    *(_exactly(f"U{n}") for n in range(1, 12)),
    *(_exactly(f"G{n}") for n in range(1, 7)),
    verify_only,
)
