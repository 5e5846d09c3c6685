"""Devices as an offline desk is one: they know the public key, and sign with a key of their own."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import json
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from omonat.base.ids import new_id
from omonat.base.instants import Instant, to_rfc3339
from omonat.flows import forms
from omonat.flows.clients import parse_credential
from omonat.flows.sealed_forms import Batch, SealedForm, Taken
from omonat.flows.use import Credential
from omonat.vault.encoding import text_of
from omonat.vault.sealing import form_info, signed_part
from tests.flows.conftest import Shop, clock, house, settings, shop  # noqa: F401 - fixtures

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass
class Device:
    """A desk without a network. `key` and `token` are what it was given while it had one."""

    shop: Shop
    id: str
    credential: Credential
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    orders: int = 0

    @property
    def public(self) -> bytes:
        return self.signing.public_key().public_bytes_raw()

    async def seal(
        self, service: str = "order", *, id: str = "", made_at: Instant | None = None, **said: Any
    ) -> SealedForm:
        """A filled form. `said` replaces parts of what is in it; `shown_at` when its notice was."""
        house = self.shop.house
        key = await house.sealing_keys.current()
        self.orders += 1
        made = self.shop.clock.now if made_at is None else made_at
        token = forms.issue(
            house.grounds.vault, service=service, version=said.pop("version", "1"), now=said.pop("shown_at", made)
        )
        content = {
            "items": self.shop.order_items(),
            "consents": {},
            "accepted": True,
            "case": f"order:d-{self.id[4:10]}-{self.orders}",
        } | said
        form = SealedForm(
            id=id or new_id("sfm"), key=key.number, service=service, form=token, made_at=to_rfc3339(made), sealed="",
            signature="",
        )  # fmt: skip
        return self.sign(form, json.dumps(content).encode(), key.public)

    def sign(self, form: SealedForm, content: bytes, public: bytes) -> SealedForm:
        sealed = SUITE.encrypt(content, X25519PublicKey.from_public_bytes(public), self.info(form))
        return self.resigned(form, sealed)

    def resigned(self, form: SealedForm, sealed: bytes) -> SealedForm:
        changed = {name: getattr(form, name) for name in form.__struct_fields__}
        signature = self.signing.sign(signed_part(self.info(form), sealed))
        return SealedForm(**changed | {"sealed": text_of(sealed), "signature": text_of(signature)})

    def info(self, form: SealedForm) -> bytes:
        installation = self.shop.house.grounds.vault.installation
        return form_info(
            installation, key=form.key, id=form.id, device=self.id, service=form.service, form=form.form,
            made_at=form.made_at,
        )  # fmt: skip

    def batch(self, *given: SealedForm) -> Batch:
        return Batch(format="omonat-sealed-forms/1", device=self.id, forms=given)

    async def hand_in(self, *given: SealedForm) -> list[Taken]:
        return list(await self.shop.house.sealed_forms(self.batch(*given)))


def changed(form: SealedForm, /, **parts: Any) -> SealedForm:
    """The same form with parts of it replaced."""
    return SealedForm(**{name: getattr(form, name) for name in form.__struct_fields__} | parts)


async def device_of(shop: Shop, name: str, source: str = "call-centre") -> Device:
    """A device that is set up."""
    credential = parse_credential(await shop.house.clients.issue(name=name, source=source, roles=["system"]))
    device = Device(shop, credential.client, credential)
    await shop.house.devices.set_up(credential, device.public)
    return device


async def count(shop: Shop, table: str) -> int:
    async with shop.house.grounds.database.connection() as connection:
        return int(await connection.fetchval(f"select count(*) from {table}"))


async def acts(shop: Shop, act: str) -> list[dict[str, Any]]:
    """The facts of every entry of this act."""
    async with shop.house.grounds.database.connection() as connection:
        rows = await connection.fetch("select body from entries order by txid, at, id")
    found = [json.loads(bytes(row["body"])) for row in rows]
    return [each["facts"] for each in found if each["act"] == act]


@pytest_asyncio.fixture(loop_scope="session")
async def device(shop: Shop) -> Device:
    return await device_of(shop, "kiosk-1")
