"""Messages, up to the moment one would be handed over: the permission is asked, nothing leaves (N2, X0, X1, T1)."""

from dataclasses import replace

from omonat.flows.outgoing import Outgoing
from omonat.flows.send import Ready, SendPorts, Withheld, send
from omonat.policy.model import Purpose
from omonat.policy.words import Messages
from omonat.promises.messages import TEMPLATES, Channel, MessageClass, Waiting
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.people import Guest
from omonat.proving.scene import Scene

_ITEM = {Channel.EMAIL: "contact.email", Channel.SMS: "contact.mobile"}
_NOBODY = "omonat-prove-nobody"


async def _never(_person: str, _since: object) -> list[object]:
    return []


def _ports(scene: Scene, purpose: Purpose, channel: Channel, carrier: str | None = None) -> SendPorts:
    """The ports of the outbox, with the carrier the policy registers for this purpose, or another."""
    house = scene.house
    outgoing = Outgoing(
        house.use, house.grounds.law, house.grounds.vault, lambda: house.inner_credential("outbox"), house.words
    )  # fmt: skip
    registered = (
        r.id for r in scene.written.recipients.values() if purpose.id in r.purposes and _ITEM[channel] in r.items
    )
    through = carrier or next(registered, None)
    if through is None:
        raise UntoldError("no-recipient", purpose.id)
    return SendPorts(
        open_channel=outgoing.open_channel,
        open_sealed=house.grounds.vault.open_value,
        rules=outgoing,
        through={channel: through},
        service_sent=_never,  # type: ignore[arg-type]  # nothing was ever sent to somebody made a moment ago
    )


async def _waiting(scene: Scene, guest: Guest, purpose: Purpose, template: str) -> Waiting:
    kind, row = TEMPLATES[template], await scene.row("person_row", person=guest.id)
    channel = next(c for c in (Channel.EMAIL, Channel.SMS) if c in kind.channels and c.value in _channels(purpose))
    now = scene.house.grounds.clock()
    return Waiting(
        id="msg_prove", claim="", person=guest.id, person_slot=row["slot"], template=template,
        message_class=kind.message_class, purpose=purpose.id, channel=channel, address_item=_ITEM[channel],
        language="uz", case=None, facts={"kind": "service-change", "title": "namuna", "text": "namuna"}, sealed=None,
        attempt=1, written=now, expires=None,
    )  # fmt: skip


def _channels(purpose: Purpose) -> set[str]:
    return {c.value for c in purpose.channels} or {c.value for c in Channel}


def _sending(scene: Scene, messages: Messages) -> Purpose:
    found = (p for p in scene.written.purposes.values() if p.messages is messages and not p.cases)
    purpose = next(found, None)
    if purpose is None:
        raise UntoldError("no-such-purpose")
    return purpose


async def _looks(scene: Scene, guest: Guest, purpose: Purpose) -> set[str]:
    """The entries of openings for a purpose, as the person sees them."""
    page = await scene.house.my_data.who_looked(guest.id, most=200)
    return {one.id for one in page.entries if one.facts.get("purpose") == purpose.id}


@probe(
    "N2",
    "U3",
    uz="Obunadan chiqqan namuna odamga xizmat xabari berilsa, oʻtadi; reklama xizmat xabari nomi bilan oʻtmaydi.",
    ru="Отписавшемуся пробному человеку служебное сообщение проходит; реклама под видом служебного не проходит.",
    en="A service notice passes to somebody who left all mail; marketing in its name doesn't. Nothing is sent.",
)
async def service_notices(scene: Scene) -> Outcome:
    """Service messages are a class of their own."""
    found, guest = Findings(), await scene.well_known()
    service = _sending(scene, Messages.SERVICE)
    message = await _waiting(scene, guest, service, "service-notice")
    now = scene.house.grounds.clock()
    before = await _looks(scene, guest, service)
    answer = await send(message, _ports(scene, service, message.channel), now=now)
    opened = await _looks(scene, guest, service) - before
    found.note(isinstance(answer, Ready), f"{service.id}: {_code(answer) or type(answer).__name__.lower()}", *opened)
    disguised = replace(message, template="newsletter-welcome", message_class=MessageClass.MARKETING)
    answer = await send(disguised, _ports(scene, service, message.channel), now=now)
    found.note(_code(answer) == "message-class-mismatch", f"{service.id} marketing: {_code(answer) or 'ready'}")
    return found.outcome()


@probe(
    "X0",
    "X1",
    "T1",
    uz="Xabar siyosat roʻyxatida yoʻq oluvchi orqali yuborilmoqchi boʻladi: manzil ochilmasdan rad etilishi kerak.",
    ru="Сообщение пытаются отдать получателю, которого нет в реестре: отказ должен быть до того, как открыт адрес.",
    en="A message is about to leave through a recipient nobody registered: it must be refused with the address unopened.",
)
async def strangers(scene: Scene) -> Outcome:
    """Only registered recipients get anything."""
    found, guest = Findings(), await scene.well_known()
    service = _sending(scene, Messages.SERVICE)
    message = await _waiting(scene, guest, service, "service-notice")
    before = await _looks(scene, guest, service)
    answer = await send(
        message, _ports(scene, service, message.channel, _NOBODY), now=scene.house.grounds.clock()
    )  # fmt: skip
    found.note(_code(answer) == "recipient-not-registered", f"{_NOBODY}: {_code(answer) or 'ready'}")
    opened = await _looks(scene, guest, service) - before
    found.note(not opened, f"addresses opened: {len(opened)}", *opened)
    for recipient in scene.written.recipients.values():
        if service.id not in recipient.purposes:
            ports = _ports(scene, service, message.channel, recipient.id)
            code = _code(await send(message, ports, now=scene.house.grounds.clock()))
            found.note(code == "recipient-not-registered", f"{recipient.id} {service.id}: {code or 'ready'}")
    return found.outcome()


def _code(answer: object) -> str:
    return answer.reasons[0].code if isinstance(answer, Withheld) else ""


PROBES = (service_notices, strangers)
