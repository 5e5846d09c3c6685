"""Forms sealed without a network (S1)."""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.ids import new_id
from omonat.base.instants import to_rfc3339
from omonat.flows import forms
from omonat.flows.sealed_forms import Batch, SealedForm, Taken
from omonat.flows.sealing_keys import PublicKey
from omonat.proving.outcome import Findings, Outcome, UntoldError, probe
from omonat.proving.scene import Scene
from omonat.vault.encoding import bytes_of, text_of
from omonat.vault.sealing import form_info, seal, signed_part

_FORMAT: Final = "omonat-sealed-forms/1"


@dataclass(frozen=True, slots=True)
class _Device:
    """A device made for the run: what it knows of the house is a public key and the notice it was shown."""

    scene: Scene
    id: str
    key: PublicKey
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def info(self, form: SealedForm) -> bytes:
        named = {name: getattr(form, name) for name in ("key", "id", "service", "form", "made_at")}
        return form_info(self.scene.house.grounds.vault.installation, device=self.id, **named)

    def sealed(self, service: str, content: dict[str, Any]) -> SealedForm:
        grounds = self.scene.house.grounds
        now = grounds.clock()
        token = forms.issue(grounds.vault, service=service, version=self.scene.policy.version, now=now)
        blank = SealedForm(
            id=new_id("sfm"), key=self.key.number, service=service, form=token, made_at=to_rfc3339(now), sealed="",
            signature="",
        )  # fmt: skip
        return self.signed(blank, seal(self.key.public, msgspec.json.encode(content), self.info(blank)))

    def signed(self, form: SealedForm, sealed: bytes) -> SealedForm:
        signature = self.signing.sign(signed_part(self.info(form), sealed))
        return msgspec.structs.replace(form, sealed=text_of(sealed), signature=text_of(signature))

    async def hand_in(self, form: SealedForm) -> Taken:
        (taken,) = await self.scene.house.sealed_forms(Batch(format=_FORMAT, device=self.id, forms=(form,)))
        return taken


@probe(
    "S1",
    uz="Shakl omborning ochiq kaliti bilan muhrlanadi: unda qiymat izi yoʻq, boshqa nom ostida ochilmaydi, ikki marta "
    "topshirilsa bir marta qabul qilinadi.",
    ru="Форма запечатывается открытым ключом хранилища: значений в ней не видно, под другим именем она не открывается, а "
    "переданная дважды принимается один раз.",
    en="A form is sealed to the vault's public key: no value shows in it, it opens under no other name, and handed in "
    "twice it is taken in once.",
)
async def sealed_forms(scene: Scene) -> Outcome:
    """What a desk without a network does, from setting it up to handing in."""
    service = next((s for s in scene.people.services() if scene.policy.services[s].case), None)
    if service is None:
        raise UntoldError("no-service-to-try")
    found, law = Findings(), scene.policy.services[service]
    credential = await scene.people.bringing(scene.policy.forms[service].sources[0])
    device = _Device(scene, credential.client, await scene.house.sealing_keys.current())
    await scene.house.devices.set_up(credential, device.signing.public_key().public_bytes_raw())
    items = scene.people.asked_by(service) or {}
    form = device.sealed(service, {"items": items, "case": scene.people.next_case(str(law.case))})

    raw = bytes_of(form.sealed)
    shown = [item for item, value in items.items() if len(str(value)) > 3 and str(value).encode() in raw]
    found.note(not shown, f"{len(raw)} bytes, {len(shown)} values", device.key.entry)
    renamed = msgspec.structs.replace(form, id=new_id("sfm"))
    for what, changed, expected in (
        ("another name", device.signed(renamed, raw), "sealed-form-changed"),
        ("one bit changed", device.signed(form, raw[:-1] + bytes([raw[-1] ^ 1])), "sealed-form-changed"),
        ("another hand", renamed, "form-signature-wrong"),
    ):
        told = await device.hand_in(changed)
        code = told.error.code if told.error else told.state
        found.note(code == expected, f"{what}: {code}")
    first, second = await device.hand_in(form), await device.hand_in(form)
    found.note((first.state, second.state) == ("taken", "repeated"), f"{first.state}, {second.state}", first.entry)
    return found.outcome()


PROBES = (sealed_forms,)
