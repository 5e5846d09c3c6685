"""Who gets at data, and who can see that they did (S4, B2, B3, A3)."""

from omonat.policy.model import Purpose
from omonat.policy.words import CaseRule
from omonat.promises.cases.rule import sources_of
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene


def _by_assignment(scene: Scene) -> tuple[Purpose, str]:
    """A purpose that needs a case somebody keeps, and a role that must be given it."""
    for purpose in scene.written.purposes.values():
        if purpose.cases and sources_of(scene.policy, purpose.cases[0]) and purpose.basis.value != "consent":
            for role in purpose.roles:
                if scene.written.roles[role].cases is CaseRule.ASSIGNED:
                    return purpose, role
    raise UntoldError("no-such-purpose")


@probe(
    "S4",
    uz="Xodim oʻz ishini koʻradi; boshqa xodim, boshqa odam, vazifasi tugagan xodim va yopilgan ish rad etilishi kerak.",
    ru="Сотрудник видит своё дело; чужое дело, другой человек, закончившаяся роль и закрытое дело должны быть отклонены.",
    en="Staff see their own case; a colleague's, another person's, an ended role and a closed case must be refused.",
)
async def only_for_the_job(scene: Scene) -> Outcome:
    """An open case, assigned, and a role that still holds: each by itself closes the door."""
    found, people = Findings(), scene.people
    purpose, role = _by_assignment(scene)
    guest, other = await people.guest(*people.services()[:1]), await people.guest()
    first, second = await people.colleague(role), await people.colleague(role, 1)
    case = await people.case_for(guest, purpose.cases, assigned=(first,))

    async def tried(what: str, code: str, staff: str, whose: object = guest) -> None:
        answer = await scene.ask(role, purpose.id, whose, case=case, staff=staff)  # type: ignore[arg-type]
        right = answer.code == code and bool(answer.given) is not bool(code)
        found.note(right, f"{what}: {answer.code or len(answer.given)}", answer.evidence)

    await tried("own case", "", first)
    await tried("a colleague's case", "no-open-case", second)
    await tried("another person", "no-open-case", first, other)
    await people.colleague(role, ended=True)
    await tried("role ended", "role-ended", first)
    await people.colleague(role)
    await tried("role again", "", first)
    await people.close(case)
    await tried("closed case", "no-open-case", first)
    return found.outcome()


@probe(
    "B2",
    uz="Xodimning oʻqish muddati tugaydi: keyingi murojaatdan boshlab rad etilishi kerak.",
    ru="Обучение сотрудника истекает: со следующего обращения должен быть отказ.",
    en="A staff member's training lapses: the next use must be refused.",
)
async def training(scene: Scene) -> Outcome:
    """Lapsed training suspends access."""
    found, people = Findings(), scene.people
    purpose, role = _by_assignment(scene)
    guest, staff = await people.guest(), await people.colleague(role)
    case = await people.case_for(guest, purpose.cases, assigned=(staff,))
    answer = await scene.ask(role, purpose.id, guest, case=case, staff=staff)
    found.note(bool(answer.given), f"trained: {answer.code or len(answer.given)}", answer.evidence)
    await people.colleague(role, trained=False)
    answer = await scene.ask(role, purpose.id, guest, case=case, staff=staff)
    found.note(answer.code == "training-lapsed", f"lapsed: {answer.code or 'given'}", answer.evidence)
    return found.outcome()


@probe(
    "B3",
    uz="Namuna odamning maʼlumotiga murojaat qilinadi: berilgani ham, rad etilgani ham unga “kim koʻrgan” roʻyxatida chiqishi kerak.",
    ru="К данным пробного человека обращаются: и выдача, и отказ должны появиться у него в списке «кто смотрел».",
    en="Data of somebody made for it is asked for: what was given and what was refused must both stand in who looked.",
)
async def who_looked(scene: Scene) -> Outcome:
    """Our own accesses are explained to the person like everybody's."""
    found, guest = Findings(), await scene.people.guest()
    purpose, role = _by_assignment(scene)
    case = await scene.people.case_for(guest, purpose.cases)
    given = await scene.ask(role, purpose.id, guest, case=case)
    viewed = (await scene.house.my_data(guest.id)).receipt.id
    page = await scene.house.my_data.who_looked(guest.id)
    lines = {entry.id: entry for entry in page.entries}
    for what, entry in (("given", given.evidence), ("viewed", viewed), ("collected", guest.evidence[0])):
        found.note(entry in lines, f"{what}: {lines[entry].act if entry in lines else 'missing'}", entry)
    named = lines[given.evidence].facts.get("purpose") if given.evidence in lines else None
    found.note(named == purpose.id, f"why: {named}")
    before = {entry.id for entry in page.entries}
    refused = await scene.ask(role, purpose.id, guest)
    after = (await scene.house.my_data.who_looked(guest.id)).entries
    added = [entry for entry in after if entry.id not in before and entry.act == "use:person:refused"]
    found.note(bool(refused.code) and bool(added), f"refused: {refused.code or 'given'}", *(e.id for e in added))
    return found.outcome()


@probe(
    "A3",
    uz="Namuna odam oʻz maʼlumotini ochadi: har bir maʼlumot qiymati, maqsadlari, muddati va sababi bilan koʻrsatilishi kerak.",
    ru="Пробный человек открывает свои данные: у каждого должно быть значение, цели, срок и причина из политики.",
    en="Somebody made for it looks at their data: each item must come with its value, the policy's purposes, its term and reason.",
)
async def answers(scene: Scene) -> Outcome:
    """What a person is told is made from the running rules, and agrees with the document."""
    found, guest = Findings(), await scene.well_known()
    view = await scene.house.my_data(guest.id)
    newest = view.newest()
    for item, value in sorted(guest.items.items()):
        held = newest.get(item)
        if held is None:
            found.note(False, f"{item}: missing")
            continue
        law = scene.written.services[held.service]
        why = {name for name in (*law.for_, *law.offers) if item in scene.written.purposes[name].items}
        right = held.value == value and set(held.purposes) == why
        found.note(right, f"{item}: {held.factor}, {len(held.purposes)}", view.receipt.id)
    return found.outcome()


PROBES = (only_for_the_job, training, who_looked, answers)
