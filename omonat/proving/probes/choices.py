"""Choices: taken back as easily as given, at once, and no more than that (C2, C3, C4)."""

from urllib.parse import urlsplit

from omonat.flows.choose import Choosing
from omonat.mail.leave import signed_links
from omonat.policy.model import Purpose
from omonat.policy.words import Basis, Messages
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene


def _consents(scene: Scene) -> list[Purpose]:
    return [p for p in scene.written.purposes.values() if p.basis is Basis.CONSENT and not p.cases]


def _free(scene: Scene) -> tuple[Purpose, str]:
    """A purpose that needs neither consent nor case, whose data somebody who registered holds; and a role."""
    for purpose in scene.written.purposes.values():
        plain = purpose.basis is not Basis.CONSENT and not purpose.cases and purpose.messages is Messages.NONE
        if plain and any(item.startswith("contact.") for item in purpose.needs):
            return purpose, next(iter(purpose.roles))
    raise UntoldError("no-such-purpose")


@probe(
    "C2",
    uz="Har bir rozilik beriladi va qaytarib olinadi, eʼtiroz va cheklov qoʻyiladi va olinadi: har biri shu zahoti amal qilishi kerak.",
    ru="Каждое согласие даётся и отзывается, возражение и ограничение ставятся и снимаются: всё должно действовать сразу.",
    en="Each consent is given and taken back, an objection and a restriction are set and lifted: each must hold at once.",
)
async def every_choice(scene: Scene) -> Outcome:
    """Every choice has its effect with the next use, and its line in the history."""
    found, guest, made = Findings(), await scene.well_known(), 0
    for purpose in _consents(scene):
        role = next(iter(purpose.roles))
        await scene.choose(guest, "consent", "given", purpose.id)
        before = await scene.ask(role, purpose.id, guest)
        entry = await scene.choose(guest, "consent", "withdrawn", purpose.id)
        after = await scene.ask(role, purpose.id, guest)
        right = before.code == "" and after.code == "no-consent"
        found.note(right, f"{purpose.id}: {before.code or 'given'}, {after.code or 'given'}", entry, after.evidence)
        made += 2
    for purpose in scene.written.purposes.values():
        if purpose.basis is Basis.LEGITIMATE_INTEREST and purpose.may_be_objected_to and not purpose.cases:
            role = next(iter(purpose.roles))
            entry = await scene.choose(guest, "objection", "given", purpose.id)
            after = await scene.ask(role, purpose.id, guest)
            await scene.choose(guest, "objection", "withdrawn", purpose.id)
            found.note(after.code == "objected", f"{purpose.id}: {after.code or 'given'}", entry, after.evidence)
            made += 2
    free, role = _free(scene)
    entry = await scene.choose(guest, "restriction", "given")
    after = await scene.ask(role, free.id, guest)
    await scene.choose(guest, "restriction", "withdrawn")
    again = await scene.ask(role, free.id, guest)
    right = after.code == "person-restricted" and again.code == ""
    found.note(right, f"restriction {free.id}: {after.code or 'given'}, {again.code or 'given'}", entry)
    history = await scene.house.my_data.choices(guest.id)
    found.note(len(history) >= made + 2, f"history: {len(history)}")
    return found.outcome()


@probe(
    "C3",
    uz="Namuna odam har bir xat turidan undagi havola orqali voz kechadi: undan keyin shu turdagi xat ketmaydi.",
    ru="Пробный человек отписывается от каждого вида писем по ссылке из письма: после этого ни одно такое не уходит.",
    en="Somebody made for it leaves each kind of mail by its link: after that none of the kind goes out.",
)
async def leaving(scene: Scene) -> Outcome:
    """One click, no sign-in; in force before it is acknowledged."""
    found, guest = Findings(), await scene.well_known()
    links = signed_links(scene.house, scene.written.controller.mailbox)
    for purpose in _consents(scene):
        if purpose.messages is Messages.NONE:
            continue
        role = next(iter(purpose.roles))
        await scene.choose(guest, "consent", "given", purpose.id)
        before = await scene.ask(role, purpose.id, guest)
        path = urlsplit(links(person=guest.id, purpose=purpose.id).address).path
        try:
            status = str((await scene.visit(path, method="POST")).status_code)
        except UntoldError:  # nobody serves the page: what it calls is called
            status = "flow"
            request = Choosing(person=guest.id, kind="consent", purpose=purpose.id, state="withdrawn", door="mail")
            await scene.house.choose(request)
        after = await scene.ask(role, purpose.id, guest)
        right = before.code == "" and after.code == "no-consent" and status in ("200", "flow")
        said = f"{purpose.id}: {before.code or 'given'}, {status}, {after.code or 'given'}"
        found.note(right, said, before.evidence, after.evidence)
    return found.outcome()


@probe(
    "C4",
    uz="Voz kechilgandan keyin eski maʼlumot oʻsha tahriri boʻyicha qoladi va xizmat uchun hamon oʻqiladi.",
    ru="После отписки прежние данные остаются под своей редакцией и по-прежнему доступны для самой услуги.",
    en="After somebody left, what they gave stays under its version, and the service itself still reads it.",
)
async def after_leaving(scene: Scene) -> Outcome:
    """An unsubscribe is no erasure."""
    found, guest = Findings(), await scene.well_known()
    consent = next(iter(_consents(scene)), None)
    free, role = _free(scene)
    before = await scene.rows("rows_of", person=guest.id)
    if consent is not None:
        await scene.choose(guest, "consent", "given", consent.id)
        await scene.choose(guest, "consent", "withdrawn", consent.id)
    after = await scene.rows("rows_of", person=guest.id)
    same = [(r["record"], r["category"], r["version"]) for r in before] == [
        (r["record"], r["category"], r["version"]) for r in after
    ]
    found.note(same, f"sections: {len(before)}, {len(after)}")
    answer = await scene.ask(role, free.id, guest)
    found.note(bool(answer.given), f"{free.id}: {answer.code or len(answer.given)}", answer.evidence)
    return found.outcome()


PROBES = (every_choice, leaving, after_leaving)
