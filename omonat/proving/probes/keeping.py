"""Keeping and deleting: due instants, factors, erasure, sealing (R1, R2, R3, Q2, S2)."""

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

import pyrage

from omonat.base.errors import Refused
from omonat.base.instants import Instant, to_rfc3339
from omonat.base.paper import batch_of, joined
from omonat.database.statements import load
from omonat.flows import on_paper
from omonat.flows.erase import ErasureRequest
from omonat.flows.locking import Lock, locked
from omonat.flows.reckon import due_of
from omonat.policy.model import RoleKind
from omonat.policy.words import Basis
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import BY, Guest
from omonat.proving.scene import Scene
from omonat.proving.values import invent

_retention = load("omonat.promises.retention")
_GONE = ("no-longer-kept", "only-in-an-older-record", "not-held", "key-gone")


@dataclass(frozen=True, slots=True)
class _Subscription:
    """A service whose data is kept by a consent alone, what is given there, and who else may read it."""

    service: str
    consent: str
    items: dict[str, Any]
    reader: str
    role: str


def _subscription(scene: Scene) -> _Subscription:
    """Data that a consent alone keeps, and that another purpose may read while it is kept."""
    law, today = scene.written, scene.policy.today(scene.house.grounds.clock())
    for service in law.services.values():
        rules = law.retention[service.keeps].rules
        if service.case or any(rule.factor.value != "consent" or rule.items for rule in rules):
            continue
        for consent in (law.purposes[name] for name in (*service.for_, *service.offers)):
            for reader in law.purposes.values():
                shared = [item for item in consent.items if item in reader.items]
                plain = reader.basis is not Basis.CONSENT and not reader.cases
                if not plain or not set(consent.needs) <= set(shared) or not scene.people.services():
                    continue
                values = {item: invent(law.items[item], today=today) for item in shared}
                near = reader.id in (*service.for_, *service.offers)  # staff see nobody they have nothing to do with
                for role in reader.roles:
                    may = near or law.roles[role].kind is RoleKind.SYSTEM
                    if may and set(shared) <= set(reader.items_for(role)):
                        return _Subscription(service.id, consent.id, values, reader.id, role)
    raise UntoldError("no-such-purpose")


async def _subscribed(scene: Scene, plan: _Subscription) -> Guest:
    """Somebody who gave these items for the subscription alone: their first record holds none of them."""
    guest = await scene.people.guest()
    items = {item: value for item, value in plan.items.items() if item not in guest.items}
    if not items:
        raise UntoldError("nothing-to-try")
    answer = await scene.people.collect(plan.service, items, person=guest.id, consents={plan.consent: True})
    guest.records.append(answer.record)
    guest.items |= items
    return guest


async def _index(scene: Scene, guest: Guest) -> list[tuple[str, Instant | None, Instant | None]]:
    """Service, due instant of the index, due instant reckoned now, of each record under the policy in force."""
    async with scene.house.grounds.database.transaction() as connection:
        rows = [r async for r in _retention.to_reckon_of_person(connection, target=guest.id, after="", most=100)]
    same = [row for row in rows if row["due_under"] == scene.policy.ordinal]
    return [(row["service"], row["due_at"], due_of(scene.policy, row)) for row in same]


@probe(
    "R1",
    uz="Namuna odamning har bir yozuvi: muddati hozir hisoblangan bilan bir xil, kelajakda va sababi siyosatdagi omil boʻlishi kerak.",
    ru="Каждая запись пробного человека: срок совпадает с вычисленным сейчас, лежит в будущем, причина — фактор из политики.",
    en="Each record of somebody made for it: its term must be the one reckoned now, lie ahead, and name a factor of the policy.",
)
async def terms(scene: Scene) -> Outcome:
    """Everything kept has a term and a reason, and the sweeper's index knows it."""
    found = Findings()
    guest = await scene.people.guest(*scene.people.services())
    for service, at, reckoned in await _index(scene, guest):
        said = "never" if at is None else to_rfc3339(at) if at < 2**53 else "never"
        found.note(at == reckoned and at is not None, f"{service}: {said}")
    view = await scene.house.my_data(guest.id)
    for held in view.held:
        schedule = scene.written.retention[scene.written.services[held.service].keeps]
        factors = {rule.factor.value for rule in schedule.rules} | {"at-most"}
        if held.due is None or held.due <= scene.house.grounds.clock() or held.factor not in factors:
            found.note(False, f"{held.service} {held.item}: {held.factor}")
    found.note(bool(view.held), f"held: {len(view.held)}", view.receipt.id)
    return found.outcome()


@probe(
    "R2",
    uz="Ochiq ish bor paytda oʻchirish rejasi nimani qaysi omil saqlashini aytadi; ish yopilgach hech narsa qolmasligi kerak.",
    ru="Пока дело открыто, план удаления называет, что и какой фактор удерживает; когда дело закрыто, не остаётся ничего.",
    en="While a case is open the plan of an erasure names what stays and for which factor; once it is closed nothing may stay.",
)
async def factors(scene: Scene) -> Outcome:
    """Only what a surviving factor of the schedule needs is kept, and the factor is named."""
    found, guest = Findings(), await scene.people.guest()
    plan = await scene.house.erase.plan(ErasureRequest(person=guest.id, by=BY))
    for stay in plan.stays:
        schedule = scene.written.retention[scene.written.services[stay.service].keeps]
        lasting = {rule.factor.value for rule in schedule.rules} - {"consent", "relevance", "interest"}
        found.note(stay.factor in lasting | {"at-most"} and bool(stay.until), f"{stay.item}: {stay.factor}")
    found.note({stay.item for stay in plan.stays} == set(guest.items), f"open case keeps: {len(plan.stays)}")
    for case in guest.cases.values():
        await scene.people.close(case)
    plan = await scene.house.erase.plan(ErasureRequest(person=guest.id, by=BY))
    found.note(not plan.stays, f"closed case keeps: {len(plan.stays)}")
    return found.outcome()


@probe(
    "R3",
    uz="Obunaning oxirgi sababi tugashi bilan maʼlumot rad etiladi. Odam oʻchiriladi: oldingi nusxa va bugungi kalitlar bilan hech narsa ochilmaydi.",
    ru="С концом последней причины данные не выдаются. Человек удалён: прежняя копия строк с сегодняшними ключами ничего не открывает.",
    en="The moment the last reason ends data is refused. A person is erased: a copy of the rows from before opens nothing with today's keys.",
)
async def deleted(scene: Scene) -> Outcome:
    """Refused at once by the read; hidden, keys destroyed, swept; an attacker with yesterday's rows has nothing."""
    found = Findings()
    await _refused_when_due(scene, found)
    guest = await scene.people.guest(*scene.people.services())
    rows = await scene.rows("rows_of", person=guest.id)
    row = await scene.row("person_row", person=guest.id)
    opened = sum(_opens(scene, one) for one in rows)
    found.note(opened == len(rows) > 0, f"opened before: {opened} of {len(rows)}")
    erasure = await scene.people.see_off(guest)
    stages = (("hidden", erasure.hidden_at), ("key-destroyed", erasure.destroyed_at), ("swept", erasure.swept_at))
    for name, at in stages:
        found.note(at is not None, f"{name}: {'–' if at is None else to_rfc3339(at)}", *erasure.entries.values())
    found.note(not erasure.stays, f"stays: {len(erasure.stays)}")
    opened = sum(_opens(scene, one) for one in rows)
    found.note(opened == 0, f"opened after: {opened} of {len(rows)}")
    vault = scene.house.grounds.vault
    slots = sorted({row["slot"], *(one["record_slot"] for one in rows)})
    living = vault.living_of(slots)  # on any registered copy
    found.note(row["slot"] not in living, f"keys destroyed: {len(slots) - len(living)} of {len(slots)}")
    left = dict(await scene.row("left_of", person=guest.id))
    found.note(not any(left.values()), f"rows left: {sum(left.values())}")
    certificate = await scene.house.certify(erasure.id)
    found.note(certificate["says"] in ("content-final-look-up-pending", "final"), f"certificate: {certificate['says']}")
    return found.outcome()


async def _refused_when_due(scene: Scene, found: Findings) -> None:
    try:
        plan = _subscription(scene)
    except UntoldError:
        return
    guest = await _subscribed(scene, plan)
    item = next(item for item in plan.items if item in guest.items and item not in _first(scene))
    before = await scene.ask(plan.role, plan.reader, guest, items=(item,))
    await scene.choose(guest, "consent", "withdrawn", plan.consent)
    after = await scene.ask(plan.role, plan.reader, guest, items=(item,))
    right = before.given.get(item) == guest.items[item] and after.withheld.get(item) in _GONE and not after.given
    said = f"{plan.service} {item}: {before.withheld.get(item, 'given')}, {after.withheld.get(item, 'given')}"
    found.note(right, said, before.evidence, after.evidence)


def _first(scene: Scene) -> set[str]:
    """What everybody made for a probe gives first."""
    anchor = next(s for s in scene.people.services() if scene.policy.services[s].case)
    return set(scene.people.asked_by(anchor) or {})


def _opens(scene: Scene, row: Any) -> bool:
    return scene.house.grounds.vault.section_opens(
        person=row["person"], person_slot=row["person_slot"], record=row["record"], record_slot=row["record_slot"],
        category=row["category"], version=row["version"], sealed=row["sealed"],
    )  # fmt: skip


@probe(
    "Q2",
    uz="Namuna odamning bitta notoʻgʻri maʼlumoti oʻchiriladi: faqat shu maʼlumot ketishi kerak.",
    ru="У пробного человека удаляют одно неверное данное: уйти должно только оно.",
    en="One inaccurate item of somebody made for it is erased: that item must go, and no other.",
)
async def one_item(scene: Scene) -> Outcome:
    """A finding ends in an erasure of just what is wrong."""
    found, plan = Findings(), _subscription(scene)
    guest = await _subscribed(scene, plan)
    item = next(item for item in plan.items if item in guest.items and item not in _first(scene))
    request = ErasureRequest(person=guest.id, items=(item,), cause="inaccurate", by=BY)
    erasure = await scene.house.erase(request)
    answer = await scene.ask(plan.role, plan.reader, guest)
    found.note(item not in answer.given, f"{item}: {answer.withheld.get(item, 'given')}", *erasure.entries.values())
    held = (await scene.house.my_data(guest.id)).newest()
    kept = {name for name in guest.items if name != item}
    found.note(kept <= set(held) and item not in held, f"others: {len(held)} of {len(kept)}")
    return found.outcome()


@probe(
    "S2",
    uz="Muhrlangan baytlarda qiymat izi yoʻqligi va boshqa yozuv baytlari bu kalit bilan ochilmasligi tekshiriladi; ochiq yoki faqat parolli fayl qogʻozga chiqmasligi, oluvchi uchun shifrlangani esa butun qaytishi ham.",
    ru="Проверено, что в запечатанных байтах нет самих значений и что чужие байты этими ключами не открываются; что открытый файл и закрытый лишь паролем на бумагу не выводятся, а зашифрованный для получателя возвращается целым.",
    en="Sealed bytes are searched for the values they hold, and bytes of another record are tried with these keys: neither may work. A plain file and one behind a password alone must be refused on paper; one encrypted to its recipient must come back whole.",
)
async def sealed(scene: Scene) -> Outcome:
    """What lies in the tables says nothing, and is bound to its person, record and category."""
    found = Findings()
    one, other = await scene.people.guest(), await scene.people.guest()
    rows = await scene.rows("rows_of", person=one.id)
    theirs = {row["category"]: row for row in await scene.rows("rows_of", person=other.id)}
    values = [str(value) for value in one.items.values() if len(str(value)) > 3]
    for row in rows:
        raw = bytes(row["sealed"])
        seen = [v for v in values if any(form in raw for form in _forms(v))]
        found.note(not seen, f"{row['category']}: {len(raw)} bytes, {len(seen)} values")
        found.note(_opens(scene, row), f"{row['category']} own: opens")
        if row["category"] in theirs:
            swapped = {**dict(row), "sealed": theirs[row["category"]]["sealed"]}
            found.note(not _opens(scene, swapped), f"{row['category']} another's: closed")
        flipped = {**dict(row), "sealed": raw[:-1] + bytes([raw[-1] ^ 1])}
        found.note(not _opens(scene, flipped), f"{row['category']} changed: closed")
    await _on_paper(found, " ".join(values).encode())
    return found.outcome()


async def _on_paper(found: Findings, plain: bytes) -> None:
    """What is sealed to its recipient goes on sheets and comes back; nothing else does."""
    reader = pyrage.x25519.Identity.generate()
    for_reader = await locked(plain, Lock(recipient=str(reader.to_public())))
    by_password = await locked(plain, Lock(password=token_urlsafe()))
    for code, file in (("paper-unsealed", plain), ("paper-password", by_password)):
        try:
            sheets = on_paper.codes_of(file)
            found.note(False, f"{code}: {len(sheets)} codes")
        except Refused as refused:
            found.note(refused.code == code, f"paper: {refused.code}")
    back = joined({"sheets": "\n".join(on_paper.codes_of(for_reader)).encode()})[batch_of(for_reader)]
    found.note(pyrage.decrypt(back, [reader]) == plain, "paper, sealed: opens for its recipient")


def _forms(value: str) -> tuple[bytes, ...]:
    raw = value.encode()
    return raw, raw.hex().encode(), value.encode("utf-16-le"), raw[::-1]


PROBES = (terms, factors, deleted, one_item, sealed)
