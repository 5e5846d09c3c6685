"""Taking data in: what is refused leaves nothing behind (D1, D2, L1, L2, L3, K1, T2)."""

from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.flows.images import footage
from omonat.policy.model import Kind, Service
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene

_WRONG: dict[Kind, Any] = {
    Kind.PERSON_NAME: "7",
    Kind.PHONE: "12",
    Kind.EMAIL: "prove",
    Kind.AGE_BAND: "old",
    Kind.MONEY: "100",
    Kind.BIRTH_DATE: "1990-13-41",
}
_NOT_COLLECTED = "item-not-collected"
_CARD = "4111 1111 1111 1111"  # the number every card scheme gives out for tests


def _anchor(scene: Scene) -> Service:
    name = next((s for s in scene.people.services() if scene.policy.services[s].case), None)
    if name is None:
        raise UntoldError("no-service-to-try")
    return scene.policy.services[name]


async def _tried(scene: Scene, service: str, items: dict[str, Any], **more: Any) -> tuple[str, str]:
    """The code a collection is refused with, or "" when it was taken in; and the item it is about.

    What is taken in against all promises must be found again to be removed: it is somebody's whose case we know.
    """
    kind = scene.policy.services[service].case
    if "person" not in more:
        more |= {"case": scene.people.next_case(kind)} if kind else {"person": (await scene.well_known()).id}
    try:
        await scene.people.collect(service, items, **more)
    except (BadInput, Refused) as error:
        return error.code, error.about.get("item", "")
    return "", ""


async def _somebody_of_their_own(scene: Scene, service: str) -> dict[str, str]:
    """Whom a child's age is told of: a signal closes their data for every probe after it (K2)."""
    return {} if scene.policy.services[service].case else {"person": (await scene.people.guest()).id}


async def _nobody_found(scene: Scene, items: dict[str, Any]) -> bool:
    """Whether nothing that was handed in leads to anybody."""
    vault = scene.house.grounds.vault
    for name, value in items.items():
        item = scene.policy.items[name]
        if not item.lookup:
            continue
        normal = scene.policy.normalise(name, value)
        digests = vault.lookup_digests(name, normal.lookup or "")
        if (await scene.row("found_by", digests=digests, item=name))["people"]:
            return False
    return True


@probe(
    "D1",
    uz="Har turdagi maʼlumot uchun notoʻgʻri shakldagi qiymat beriladi: rad etilishi kerak.",
    ru="Для каждого вида данных подаётся значение неверной формы: оно должно быть отклонено.",
    en="A value of the wrong shape is handed in for each kind of data: it must be refused.",
)
async def shapes(scene: Scene) -> Outcome:
    """Items are typed: what isn't of the kind is no such item."""
    found, service = Findings(), _anchor(scene)
    for name in scene.policy.forms[service.id].items:
        kind = scene.policy.items[name].kind
        if kind in _WRONG:
            items = {**(scene.people.asked_by(service.id) or {}), name: _WRONG[kind]}
            code, about = await _tried(scene, service.id, items)
            found.note(code.startswith("value-") and about == name, f"{name}: {code or 'taken'}")
    return found.outcome()


@probe(
    "D2",
    uz="Karta raqami matn ichida, tekshiruv kodi esa alohida beriladi: ikkalasi ham hech bir xizmatda qabul qilinmaydi.",
    ru="Номер карты подаётся внутри текста, код проверки — отдельно: ни то ни другое не принимает ни одна услуга.",
    en="A card number is handed in inside a note, and a verification code by itself: no service takes either.",
)
async def cards(scene: Scene) -> Outcome:
    """Payment data comes in only where the policy takes it, and a verification code nowhere."""
    found = Findings()
    notes = [i.id for i in scene.policy.items.values() if i.kind in (Kind.NOTE, Kind.TEXT)]
    for name in scene.people.services():
        form = scene.policy.forms[name]
        asked = scene.people.asked_by(name) or {}
        note = next((item for item in notes if item in form.required or item in form.optional), None)
        if note is not None:
            code, _ = await _tried(scene, name, {**asked, note: f"karta {_CARD}"})
            found.note(bool(code), f"{name} {note}: {code or 'taken'}")
        code, _ = await _tried(scene, name, {**asked, "financial.cvv": "123"})
        found.note(bool(code), f"{name} cvv: {code or 'taken'}")
        card = next((i.id for i in scene.policy.items.values() if i.kind is Kind.CARD_BRAND), None)
        if card is not None and card not in scene.written_items(name):
            code, _ = await _tried(scene, name, {**asked, card: "humo"})
            found.note(code == _NOT_COLLECTED, f"{name} {card}: {code or 'taken'}")
    return found.outcome()


@probe(
    "L1",
    uz="Har bir xizmatda ixtiyoriy maydonlar boʻsh qoldiriladi: xizmat baribir koʻrsatilishi kerak.",
    ru="В каждой услуге необязательные поля остаются пустыми: услуга всё равно должна быть оказана.",
    en="Optional fields are left empty at each service: it must be given all the same.",
)
async def withheld(scene: Scene) -> Outcome:
    """Leaving out what is optional costs nothing."""
    found, guest = Findings(), await scene.people.guest()
    for name in scene.people.services():
        items = scene.people.asked_by(name, optional=False) or {}
        kind = scene.policy.services[name].case
        if kind and kind not in guest.cases:
            guest.cases[kind] = scene.people.next_case(kind)
        try:
            answer = await scene.people.collect(name, items, case=guest.cases.get(kind or ""), person=guest.id)
        except Refused as error:
            found.note(False, f"{name}: {error.code}")
        else:
            found.note(True, f"{name}: {len(items)}", answer.evidence["id"])
    return found.outcome()


@probe(
    "L2",
    uz="Majburiy maydonlar birma-bir tushirib qoldiriladi: rad javobi yetishmagan maʼlumotni nomlashi kerak.",
    ru="Обязательные поля опускаются по одному: отказ должен назвать, чего не хватает.",
    en="Required fields are left out one by one: the refusal must name what is missing.",
)
async def required(scene: Scene) -> Outcome:
    """The refusal says which item is missing, and nothing of the rest is kept."""
    found, service = Findings(), _anchor(scene)
    asked = scene.people.asked_by(service.id, optional=False) or {}
    for name in scene.written_required(service.id):
        items = {item: value for item, value in asked.items() if item != name}
        code, about = await _tried(scene, service.id, items)
        gone = await _nobody_found(scene, items)
        found.note(code == "required-withheld" and about == name and gone, f"{name}: {code or 'taken'}")
    return found.outcome()


@probe(
    "L3",
    uz="Har bir xizmatga unga kerak boʻlmagan maʼlumot beriladi: rad etilishi va undan hech narsa qolmasligi kerak.",
    ru="Каждой услуге подаётся то, что ей не нужно: это должно быть отклонено, и ничего не должно остаться.",
    en="Each service is handed something it doesn't need: it must be refused, and nothing may be kept.",
)
async def unneeded(scene: Scene) -> Outcome:
    """What no purpose of a service needs is refused at the door."""
    found = Findings()
    for name in scene.people.services():
        asked = scene.people.asked_by(name) or {}
        for item, value in scene.values_beyond(name):
            items = {**asked, item: value}
            code, about = await _tried(scene, name, items)
            gone = await _nobody_found(scene, items)
            found.note(code == _NOT_COLLECTED and about == item and gone, f"{name} {item}: {code or 'taken'}")
    return found.outcome()


@probe(
    "K1",
    uz="Yosh chegarasidan kichik bola nomidan maʼlumot, hech kim tanilmagan kamera yozuvi ham beriladi: rad etilishi va ulardan hech narsa qolmasligi kerak.",
    ru="Подаются данные от имени ребёнка младше порога и запись камеры, на которой никто не опознан: они должны быть отклонены, и ничего не должно остаться.",
    en="Data is handed in for a child below the age, and footage of nobody: it must be refused, and nothing may be kept.",
)
async def child(scene: Scene) -> Outcome:
    """Below the age of the policy nothing is stored, whatever tells of it."""
    found, under = Findings(), scene.written.children.under
    today = scene.policy.today(scene.house.grounds.clock())
    born = today.replace(year=today.year - under + 1, day=1)
    told = {Kind.BIRTH_DATE: born.isoformat(), Kind.AGE_BAND: f"{under - 5}-{under - 2}"}
    for name in scene.people.services():
        form = scene.policy.forms[name]
        for item in (*form.required, *form.optional):
            kind = scene.policy.items[item].kind
            if kind in told:
                items = {**(scene.people.asked_by(name) or {}), item: told[kind]}
                code, _ = await _tried(scene, name, items, **await _somebody_of_their_own(scene, name))
                gone = await _nobody_found(scene, items)
                found.note(code == "child" and gone, f"{name} {item}: {code or 'taken'}")
    for name in scene.people.services():
        items = scene.people.asked_by(name) or {}
        if footage(scene.policy, items):
            code, _ = await _tried(scene, name, items, person=None)
            found.note(code == "footage-of-nobody", f"{name} of nobody: {code or 'taken'}")
    return found.outcome()


@probe(
    "T2",
    uz="Har bir xizmatga siyosatda nomlanmagan manbadan maʼlumot beriladi: rad etilishi kerak.",
    ru="Каждой услуге подаются данные из источника, который политика для неё не называет: они должны быть отклонены.",
    en="Each service is handed data from a source the policy doesn't name for it: it must be refused.",
)
async def sources(scene: Scene) -> Outcome:
    """Data from elsewhere has no rule, so it is refused."""
    found = Findings()
    for name in scene.people.services():
        named = scene.written.services[name].sources
        foreign = next((source for source in scene.written.sources if source not in named), None)
        if foreign is not None:
            code, _ = await _tried(scene, name, scene.people.asked_by(name) or {}, source=foreign)
            found.note(code == "source-not-named", f"{name} {foreign}: {code or 'taken'}")
    return found.outcome()


PROBES = (shapes, cards, withheld, required, unneeded, child, sources)
