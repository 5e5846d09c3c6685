"""What is held and wrong is put right, and what is old is asked about (Q2, Q1)."""

from dataclasses import replace
from typing import Any, Final

from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.flows.asked import NewRequest, RequestReceipt
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Kind as ItemKind
from omonat.promises.accuracy.rule import Ageing, ages_of, decide_reminder
from omonat.promises.requests.facts import NATURES, REASONS, Kind, Outcome, Settled, Standing, State
from omonat.promises.requests.rule import correctable, decide_outcome, due_at
from omonat.proving.outcome import Findings, UntoldError, probe
from omonat.proving.outcome import Outcome as Proved
from omonat.proving.people import Guest
from omonat.proving.scene import Scene

_queries = load("omonat.proving")
_TEXT: Final = "namuna soʻrov"


class _UndoneError(Exception):
    """Raised in the transaction that takes a request in: a law has requests kept for years, so none of ours stays."""


@probe(
    "Q2",
    uz="Tuzatish soʻraladi: u qonuniy muddat bilan odamning oʻziga bogʻlanishi va tuzatishsiz, oʻchirishsiz yoki sababsiz tugamasligi kerak; keyin qiymat tuzatiladi.",
    ru="Просят об исправлении: оно должно получить срок по закону, относиться к самому человеку и не заканчиваться без исправления, удаления или причины; затем значение исправляют.",
    en="A correction is asked for: it must get its lawful deadline, be about that person, and not end without a correction, an erasure or a reason; then a value is corrected.",
)
async def put_right(scene: Scene) -> Proved:
    """The request is undone before it is kept; the correction is made, on somebody made for it."""
    found, policy = Findings(), scene.policy
    guest, name = await _named(scene)
    receipt, row = await _taken_in(scene, guest, name)
    lawful = due_at(policy.deadline(NATURES[Kind.CORRECTION].deadline), receipt.received_at, policy.zone)
    found.note(row["due_at"] == receipt.due_at == lawful, "asked: deadline")
    found.note(row["about"] == guest.id and row["item"] == name and row["given"], f"asked: about {row['item']}, sealed")
    _note_ends(found)
    may = [role for role in policy.roles if name in correctable(policy, role)]
    found.note(bool(may), f"put right by: {', '.join(may) or 'nobody'}")

    view = (await scene.house.my_data(guest.id)).newest()[name]
    await scene.house.correct.begin(guest.id, view.record, name, "Boshqa Namuna", language="uz")
    corrected = await scene.house.my_data(guest.id)
    found.note(corrected.newest()[name].value == "Boshqa Namuna", f"{name}: corrected", corrected.receipt.id)
    return found.outcome()


def _note_ends(found: Findings) -> None:
    """The three ends there are, and no fourth one."""
    for settled, outcome, reason, may in (
        (None, Outcome.DONE, None, False),
        (None, Outcome.PARTLY, None, False),
        (None, Outcome.REJECTED, None, False),
        (None, Outcome.REJECTED, REASONS[0], True),
        (Settled.CORRECTED, Outcome.DONE, None, True),
        (Settled.ERASED, Outcome.DONE, None, True),
    ):
        verdict = decide_outcome(_standing(settled), outcome, reason)
        said = f"{settled or 'nothing done'}, {outcome}, {'a reason' if reason else 'no reason'}"
        found.note(
            isinstance(verdict, Allow) is may, f"{said}: {'may end' if isinstance(verdict, Allow) else 'refused'}"
        )


def _standing(settled: Settled | None) -> Standing:
    return Standing(
        kind=Kind.CORRECTION, state=State.CLAIMED, needs_proof=True, proved=True, claimed_by="prove", settled=settled,
        received_at=Instant(0), answered_at=None,
    )  # fmt: skip


async def _named(scene: Scene) -> tuple[Guest, str]:
    """Somebody who gave a name to a service that leaves nothing."""
    for service in scene.people.services():
        for item in scene.people.asked_by(service) or {}:
            if scene.policy.items[item].kind is ItemKind.PERSON_NAME:
                return await scene.people.guest(service), item
    raise UntoldError("no-service-to-try")


async def _taken_in(scene: Scene, guest: Guest, item: str) -> tuple[RequestReceipt, Any]:
    seen: list[tuple[RequestReceipt, Any]] = []

    async def look(connection: Any, receipt: RequestReceipt) -> None:
        seen.append((receipt, await _queries.request_written(connection, number=receipt.number)))
        raise _UndoneError

    credential = await scene.house.inner_credential("requests")
    wanted = NewRequest(
        credential=credential, kind=Kind.CORRECTION, text=_TEXT, door="privacy-center", person=guest.id, item=item,
        value="Boshqa Namuna",
    )  # fmt: skip
    try:
        await scene.house.ask(wanted, also=look)
    except _UndoneError:
        return seen[0]
    raise UntoldError("nothing-to-try")


@probe(
    "Q1",
    uz="Siyosat soʻraydigan har bir maʼlumot muddatidan keyin bir marta soʻralishi kerak: boladan, cheklagan, eʼtiroz bildirgan yoki soʻralishni istamagan odamdan hech qachon.",
    ru="О каждом названном в политике данном спрашивают один раз за срок: и никогда ребёнка, того, кто ограничил данные, возразил или не хочет напоминаний.",
    en="Each item the policy asks about must be asked about once a period: and never a child, nor who restricted, objected or wants no reminders.",
)
async def aged(scene: Scene) -> Proved:
    """The rule, at the ages the policy names; the row of somebody made for it; and that a second tap changes nothing."""
    found, policy, now = Findings(), scene.policy, scene.house.grounds.clock()
    if not policy.policy.confirm:
        raise UntoldError("nothing-to-try")
    for rule in policy.policy.confirm:
        for item, service in ((item, service) for item in rule.items for service in rule.services):
            given = {(item.partition(".")[0], service): now}
            due = ages_of(policy, Ageing(given=given, confirmed={}))[item]
            old = Ageing(given=given, confirmed={}, sure=frozenset({item}))
            said = f"{item} of {service}"
            found.note(not _asks(policy, old, Instant(due - 1)), f"{said}: not before its age")
            found.note(_asks(policy, old, due), f"{said}: asked at its age")
            found.note(not _asks(policy, replace(old, asked_at=due), Instant(due + 1)), f"{said}: once a period")
            for stop, stopped in _stopped(old).items():
                found.note(not _asks(policy, stopped, due), f"{said}: not when {stop}")
    guest = await scene.people.guest()
    standing = await scene.house.remind.standing(guest.id)
    found.note(not standing.old, f"given today: asked about {len(standing.old)}")
    return found.outcome()


def _stopped(old: Ageing) -> dict[str, Ageing]:
    return {
        "closed": replace(old, closed=True),
        "restricted": replace(old, restricted=True),
        "guarded": replace(old, guarded=True),
        "objected": replace(old, objected=True),
        "quiet": replace(old, quiet=True),
    }


def _asks(policy: CompiledPolicy, ageing: Ageing, now: Instant) -> bool:
    return isinstance(decide_reminder(policy, ageing, now), Allow)


PROBES = (put_right, aged)
