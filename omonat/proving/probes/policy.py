"""The policy itself: versions, telling, acceptance, countries (P1, P2, P4, P5)."""

from datetime import timedelta

from omonat.base.instants import to_datetime
from omonat.base.verdict import CannotTell
from omonat.flows.choose import Telling
from omonat.flows.law import read_document
from omonat.flows.law_watch import CONFLICT
from omonat.policy.conflicts import conflicts
from omonat.policy.model import Policy
from omonat.policy.printer import digest_of
from omonat.policy.words import Basis, Days
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import Guest
from omonat.proving.scene import Scene


@probe(
    "P1",
    uz="Eʼlon qilingan har bir tahrir qayta oʻqiladi va izi solishtiriladi; yangi yozuv qaysi tahrirda olingani koʻriladi.",
    ru="Каждая опубликованная редакция прочитана заново и сверена с её отпечатком; видно, под какой редакцией взята новая запись.",
    en="Every published version is read again and compared with its digest; a new record shows its version.",
)
async def versions(scene: Scene) -> Outcome:
    """Old versions say today what they said, and a record keeps the one it was collected under."""
    found = Findings()
    compiled = {one.ordinal: one for one in scene.house.grounds.law.history()}
    rows = await scene.rows("published")
    for place, row in enumerate(rows, 1):
        digest = digest_of(read_document(row["document"]).policy)
        in_use = compiled[row["ordinal"]].digest if row["ordinal"] in compiled else ""
        same = digest == row["digest"] == in_use
        two = row["author"] != row["approver"]
        found.note(same and two and row["ordinal"] == place, f"version {row['version']}: {digest[:12]}")
    guest = await scene.people.guest()
    held = await scene.rows("rows_of", person=guest.id)
    right = bool(held) and all(one["version"] == scene.policy.ordinal for one in held)
    found.note(right, f"record: version {scene.policy.version}", *guest.evidence)
    return found.outcome()


@probe(
    "P2",
    uz="Namuna odamga faqat koʻrsatilgan tahrir maʼlum: undan keyingi maqsadlarga maʼlumoti xabar yetmaguncha berilmaydi.",
    ru="Пробному человеку известна лишь показанная редакция: для более поздних целей его данные не выдаются, пока он не извещён.",
    en="Somebody made for it was shown one version: for purposes that came later their data isn't given until they were told.",
)
async def told(scene: Scene) -> Outcome:
    """Nobody counts as told of more than they were shown; a use that came later is refused until then."""
    found, people = Findings(), scene.people
    history = scene.house.grounds.law.history()[: scene.policy.ordinal]
    shown = history[-2] if len(history) > 1 else history[-1]
    anchor = next((s for s in people.services() if scene.policy.services[s].case), None)
    if anchor is None:
        raise UntoldError("no-service-to-try")
    kind = str(scene.policy.services[anchor].case)
    items, case = people.asked_by(anchor) or {}, people.next_case(kind)
    answer = await people.collect(anchor, items, case=case, version=shown.version)
    guest = Guest(answer.person, case, items, cases={kind: case})
    before = (await scene.row("person_row", person=guest.id))["told"]
    tellings = [one["version"] for one in await scene.rows("tellings_of", person=guest.id)]
    right = before <= shown.ordinal and not tellings
    found.note(right, f"shown {shown.ordinal}, told {before}", answer.evidence["id"])
    for purpose, role, item in sorted(_uses(scene.written) - _uses(shown.policy)):
        law = scene.written.purposes[purpose]
        if item not in items or law.basis is Basis.CONSENT or (law.cases and kind not in law.cases):
            continue
        await people.case_for(guest, (kind,))
        said = await scene.ask(role, purpose, guest, case=case if law.cases else None, items=(item,))
        right = said.withheld.get(item) == "not-told-yet"
        found.note(right, f"{purpose} {role} {item}: {said.code or said.withheld.get(item, 'given')}", said.evidence)
    entries = [
        (await scene.house.choose.tell(Telling(person=guest.id, version=one.version, channel="center"))).id
        for one in history
    ]
    after = (await scene.row("person_row", person=guest.id))["told"]
    found.note(after == scene.policy.ordinal, f"told after: {after}", *entries)
    return found.outcome()


def _uses(policy: Policy) -> set[tuple[str, str, str]]:
    return {(purpose.id, role, item) for purpose, role, item in policy.uses()}


@probe(
    "P4",
    uz="Namuna odam shaklni qabul qiladi: tahrir qayd etiladi, hech qanday rozilik esa bundan kelib chiqmaydi.",
    ru="Пробный человек принимает форму: редакция записана, но ни одно согласие из этого не следует.",
    en="Somebody made for it accepts a form: the version is noted, and no consent follows from it.",
)
async def accepted(scene: Scene) -> Outcome:
    """Which version was accepted is recorded; nothing that needs a clear answer is inferred."""
    found, people = Findings(), scene.people
    anchor = next(s for s in people.services() if scene.policy.services[s].case)
    case = people.next_case(str(scene.policy.services[anchor].case))
    answer = await people.collect(anchor, people.asked_by(anchor) or {}, case=case, accepted=True)
    choices = await scene.rows("accepted_by", person=answer.person)
    versions = [one["version"] for one in choices if one["kind"] == "acceptance"]
    found.note(versions == [scene.policy.ordinal], f"acceptance: {versions}", answer.evidence["id"])
    standing = (await scene.row("person_row", person=answer.person))["standing"] or {}
    found.note(not standing.get("consents"), f"consents: {sorted(standing.get('consents') or ())}")
    return found.outcome()


@probe(
    "P5",
    uz="Ishlayotgan yosh va muddatlar siyosatda nomlangan qonun toʻplamlari bilan solishtiriladi: qattiqrogʻi amal qilishi, ish kunlari qayta sanalganda mos kelishi, zid qoidalar esa ish sifatida turishi kerak.",
    ru="Действующие возраста и сроки сверены с пакетами законов, названных в политике: действовать должно более строгое, рабочие дни при пересчёте сходятся, а каждое противоречие ждёт человека.",
    en="The ages and deadlines in force are compared with the packs of law the policy names: the stricter must hold, working days counted anew must agree, and each contradiction must wait for a person.",
)
async def laws(scene: Scene) -> Outcome:
    """Every country the policy names has its pack at work, the higher of two ages holds, deadlines are as counted."""
    found, policy = Findings(), scene.policy
    packs = {pack.pack for pack in policy.packs}
    found.note(packs >= set(scene.written.controller.laws), f"laws: {', '.join(sorted(packs))}")
    children = scene.written.children
    found.note(policy.child_under >= children.under, f"child: {policy.child_under}")
    found.note(policy.images_under >= children.images_under, f"images: {policy.images_under}")
    _count(scene, found)
    await scene.house.law_watch.look_after()
    torn = {one.about for one in conflicts(policy.packs)}
    waits = [one.about for one in await scene.house.doubts.standing() if one.kind == CONFLICT]
    found.note(sorted(waits) == sorted(torn), f"contradictions that wait: {', '.join(waits) or 'none'}")
    return found.outcome()


def _count(scene: Scene, found: Findings) -> None:
    """Each deadline counted in working days ends on one, with as many of them on the way as the law gives."""
    now, zone = scene.house.grounds.clock(), scene.policy.zone
    for name in sorted({name for pack in scene.policy.packs for name in pack.deadlines}):
        deadline = scene.policy.deadline(name)
        if isinstance(deadline, CannotTell) or deadline.days is not Days.WORKING:
            continue
        end = deadline.end(now, zone)
        if isinstance(end, CannotTell):
            found.note(False, f"{name}: no end")
            continue
        first, last = (to_datetime(at).astimezone(zone).date() for at in (now, end.at))
        days = [first + timedelta(days=n + 1) for n in range((last - first).days)]
        calendar = deadline.calendar
        worked = [day for day in days if calendar is None or calendar.is_working(day) is not False]
        right = len(worked) == deadline.within.days and (not days or days[-1] in worked)
        found.note(right, f"{name}: {len(worked)} working days of {len(days)}")


PROBES = (versions, told, accepted, laws)
