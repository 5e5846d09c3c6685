"""What people say about their data: complaints taken in, and what is held of them kept right (A2, Q1)."""

from secrets import token_hex
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.base.instants import MINUTE
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.flows.asked import NewRequest, RequestReceipt
from omonat.flows.confirm import CHANNELS
from omonat.policy.kinds import normalise
from omonat.policy.model import Kind as ItemKind
from omonat.promises.requests.escalation import goes_to
from omonat.promises.requests.facts import NATURES, Kind
from omonat.promises.requests.rule import decide_role, due_at
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import Guest
from omonat.proving.scene import Scene
from omonat.proving.values import invent

_queries = load("omonat.proving")
_TEXT: Final = "namuna shikoyat"


class _UndoneError(Exception):
    """Raised in the transaction that takes a complaint in: a law has complaints kept for years, so none of ours stays."""


@probe(
    "A2",
    uz="Hisob bilan va hisobsiz shikoyat qabul qilinadi: raqam, qonuniy muddat, dalil va xat bitta amalda yozilishi kerak; keyin u bekor qilinadi. Muddati oʻtgan har bir murojaat rahbarga yetkazilgan boʻlishi kerak.",
    ru="Жалоба принимается с учётной записью и без неё: номер, срок по закону, запись и письмо должны появиться в одной операции; затем она отменяется. О каждом просроченном обращении должны знать наверху.",
    en="A complaint is taken in with an account and without: number, lawful deadline, entry and letter must be written in one act; then it is undone. Whatever is overdue must have gone up to management.",
)
async def complaints(scene: Scene) -> Outcome:
    """Anybody can complain, and it is written with its deadline. Undone before it is kept: answering isn't tried."""
    found, guest = Findings(), await scene.people.guest()
    stranger = {"contact": f"prove-{token_hex(6)}@prove.test", "name": "Namuna Sinovchi"}
    for who, more in (("account", {"person": guest.id}), ("no account", stranger)):
        receipt, row = await _taken_in(scene, more)
        lawful = due_at(scene.policy.deadline(NATURES[Kind.COMPLAINT].deadline), receipt.received_at, scene.policy.zone)
        found.note(row["due_at"] == receipt.due_at == lawful, f"{who}: deadline")
        found.note(row["kind"] == receipt.kind.value and bool(row["sealed"]), f"{who}: {row['kind']}, {row['state']}")
        found.note(row["entries"] == 1, f"{who}: entries {row['entries']}")
        found.note(row["letters"] == 1, f"{who}: letters {row['letters']}")
        found.note(await scene.row("request_written", number=receipt.number) is None, f"{who}: undone")
    may = [role for role in scene.policy.roles if isinstance(decide_role(scene.policy, Kind.COMPLAINT, role), Allow)]
    found.note(bool(may), f"answered by: {', '.join(sorted(may)) or 'nobody'}")
    up = goes_to(scene.policy)
    found.note(up in scene.policy.roles, f"late answers go up to: {up}")
    await scene.house.escalate.look_after()
    late = await scene.row("late_and_not_gone_up", now=scene.house.grounds.clock())
    found.note(late["requests"] == 0, f"overdue and not gone up: {late['requests']} of {late['overdue']}")
    return found.outcome()


async def _taken_in(scene: Scene, more: dict[str, Any]) -> tuple[RequestReceipt, Any]:
    """What the flow wrote and answered, looked at from within, and undone."""
    seen: list[tuple[RequestReceipt, Any]] = []

    async def look(connection: Any, receipt: RequestReceipt) -> None:
        seen.append((receipt, await _queries.request_written(connection, number=receipt.number)))
        raise _UndoneError

    credential = await scene.house.inner_credential("requests")
    try:
        await scene.house.ask(
            NewRequest(credential=credential, kind=Kind.COMPLAINT, text=_TEXT, door="site", **more), also=look
        )
    except _UndoneError:
        return seen[0]
    raise UntoldError("nothing-to-try")


@probe(
    "Q1",
    uz="Keyin aytilgan qiymat amalda boʻlishi, har bir qiymatning yoshi koʻrinishi, yangi pochta yoki telefon esa kodi kiritilmaguncha hisobga olinmasligi kerak.",
    ru="Действовать должно сказанное последним, у каждого значения виден возраст, а новая почта или телефон не считаются, пока не введён их код.",
    en="What was said last must count, each value must show its age, and a new e-mail or phone must not count before its code is typed.",
)
async def current(scene: Scene) -> Outcome:
    """What is held is what was said last, and a channel is its owner's."""
    found, house = Findings(), scene.house
    guest, service = await _reachable(scene)
    item = next(name for name in ("contact.email", *CHANNELS) if name in guest.items)
    before = (await house.my_data(guest.id)).newest()
    fresh = invent(scene.policy.items[item], today=scene.policy.today(house.grounds.clock()))
    held = before[item]
    kept = await house.correct.begin(guest.id, held.record, item, fresh, language="uz")
    found.note(kept is not None, f"{item}: {'a code is asked' if kept else 'changed without a code'}")
    if kept is not None:
        found.note(await _wrong_code(scene, guest, kept), f"{item}: a wrong code")
        await scene.row("forget_code", id=house.correct.pending(guest.id, kept).ticket)
    view = await house.my_data(guest.id)
    found.note(view.newest()[item].value == held.value, f"{item}: unchanged", view.receipt.id)
    found.note(await _finds(scene, item, fresh) == 0, f"{item}: the new one finds nobody")

    name = next((n for n in guest.items if scene.policy.items[n].kind is ItemKind.PERSON_NAME), None)
    if name is None:
        raise UntoldError("nothing-to-try")
    given = {
        **{n: v for n, v in guest.items.items() if n in (scene.people.asked_by(service) or {})},
        name: "Boshqa Namuna",
    }
    answer = await scene.people.collect(service, given, person=guest.id)
    newest = (await house.my_data(guest.id)).newest()
    found.note(newest[name].value == "Boshqa Namuna", f"{name}: said last", answer.evidence["id"])
    found.note(0 <= house.grounds.clock() - newest[name].collected_at < MINUTE, f"{name}: its age")
    return found.outcome()


async def _reachable(scene: Scene) -> tuple[Guest, str]:
    """Somebody who gave a channel to a service that opens no case and leaves nothing."""
    for service in scene.people.services():
        asked = scene.people.asked_by(service) or {}
        if scene.policy.services[service].case is None and any(name in asked for name in CHANNELS):
            return await scene.people.guest(service), service
    raise UntoldError("no-service-to-try")


async def _wrong_code(scene: Scene, guest: Guest, kept: str) -> bool:
    try:
        await scene.house.correct.enter(guest.id, kept, "no code", language="uz")
    except Refused as refused:
        return refused.code == "code-wrong"
    return False


async def _finds(scene: Scene, item: str, value: str) -> int:
    """How many people the value leads to."""
    normal = normalise(scene.policy.item(item).kind, value, country=scene.policy.policy.controller.country)
    digests = scene.house.grounds.vault.lookup_digests(item, normal.lookup or "")
    return int((await scene.row("found_by", digests=digests, item=item))["people"])


PROBES = (complaints, current)
