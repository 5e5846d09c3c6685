"""Devices: desks without a network, each with a credential of its own and a key it signs with (S1, S4).

The credential is typed once, while there is a network; the device keeps only what it made itself, a private key its
browser gives nobody, and what it signs can only be taken in. So a stolen device reads nothing and uses nothing; ending
the credential ends it.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import Client, require_client
from omonat.flows.grounds import Grounds
from omonat.flows.use import Credential
from omonat.vault.encoding import bytes_of, text_of

_queries: Final = load("omonat.promises.identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device whose credential is alive: whose it is, and the public half of what it signs with."""

    id: str
    source: str
    key: bytes
    secret: bytes = field(repr=False)


class Devices:
    """Set up and find."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def set_up(self, credential: Credential, key: bytes) -> Client:
        """Give the device of this credential its key, once; the same key again changes nothing.

        Raises Refused credential-refused, source-without-forms, device-set-up, BadInput device-key-malformed.
        """
        now, text = self._clock(), text_of(key)
        try:
            Ed25519PublicKey.from_public_bytes(key)
        except ValueError:
            raise BadInput("device-key-malformed") from None
        policy = await self._law.current()
        async with self._database.transaction() as connection:
            client = await require_client(connection, credential, now)
            if not any(client.source in service.sources for service in policy.services.values()):
                raise Refused("source-without-forms", source=client.source)
            if (await _queries.device_by_id(connection, id=client.id))["device_key"] == text:
                return client
            if await _queries.set_device_key(connection, id=client.id, key=text) is None:
                raise Refused("device-set-up")
            facts = {"client": client.id, "source": client.source, "key": sha256(key).hexdigest()}
            await self._journal.append(connection, [Entry(new_id("ev"), now, "client:device:set-up", facts)], now=now)
            reach("device.recorded")
        return client

    async def live(self, device: str) -> Device:
        """The device of this id. Raises Refused device-unknown: never set up, or ended."""
        async with self._database.connection() as connection:
            row = await _queries.device_by_id(connection, id=device)
        if row is None or row["device_key"] is None or row["until"] <= self._clock():
            raise Refused("device-unknown")
        return Device(id=row["id"], source=row["source"], key=bytes_of(row["device_key"]), secret=bytes(row["secret"]))
