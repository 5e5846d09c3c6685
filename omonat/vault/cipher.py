"""Slots as bytes: a random secret sealed under the root and bound to its number, or the mark of its destruction."""

import os
from collections.abc import Iterable
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omonat.base.errors import Fault, OmonatError, Refused
from omonat.vault.encoding import derive, frame
from omonat.vault.root import RootKey

_SEALED, _DESTROYED, _SUITE = b"S", b"X", b"\x01"


class SlotCipher:
    """Turns secrets into slots and back, for one installation under one root."""

    def __init__(self, root: RootKey, installation: str, root_epoch: int) -> None:
        epoch = root_epoch.to_bytes(2, "big")
        self._sealed_head = _SEALED + _SUITE + epoch
        self._destroyed_head = _DESTROYED + _SUITE + epoch
        self._aead = AESGCM(root.subkey(frame("omonat/slot-key/v1", installation, epoch)))
        self._tombstone_key = root.subkey(frame("omonat/tombstone-key/v1", installation, epoch))
        self._context = frame("omonat/slot/v1", installation, epoch)

    def make(self, first: int, count: int) -> bytes:
        """`count` fresh slots from number `first`, each a random secret bound to its number.

        Secrets and nonces come from the operating system now and are used at once, never kept for later.
        """
        head, encrypt, context, random = self._sealed_head, self._aead.encrypt, self._context, os.urandom(44 * count)
        slots: list[bytes] = []
        for number, at in enumerate(range(0, 44 * count, 44), first):
            nonce, secret = random[at : at + 12], random[at + 12 : at + 44]
            slots += (head, nonce, encrypt(nonce, secret, context + number.to_bytes(8, "big")))
        return b"".join(slots)

    def open(self, number: int, slot: bytes) -> bytes:
        """The secret. Raises Refused for a destroyed slot, Fault for anything that is not this number's slot."""
        if slot[:4] == self._sealed_head:
            try:
                return self._aead.decrypt(slot[4:16], slot[16:], self._context + number.to_bytes(8, "big"))
            except InvalidTag:
                raise Fault("slot-changed", slot=str(number)) from None
        if self.is_tombstone(number, slot):
            raise Refused("key-destroyed", slot=str(number))
        raise Fault("slot-changed", slot=str(number))

    def tombstones(self, numbers: Iterable[int], generation: int) -> list[bytes]:
        """What stands in these slots after their secrets were destroyed by the batch `generation`."""
        stamp, key, context, rest = generation.to_bytes(8, "big"), self._tombstone_key, self._context, bytes(20)
        head = self._destroyed_head + stamp
        return [b"".join((head, derive(key, context + number.to_bytes(8, "big") + stamp), rest)) for number in numbers]

    def is_tombstone(self, number: int, slot: bytes) -> bool:
        """Whether `slot` is a true tombstone of this number and not merely damaged."""
        if slot[:4] != self._destroyed_head:
            return False
        return compare_digest(slot, self.tombstones([number], int.from_bytes(slot[4:12], "big"))[0])

    def moved(self, number: int, slot: bytes, to: "SlotCipher") -> bytes | None:
        """The same secret, or the same destruction, under another root; None for what is neither."""
        if slot[:4] == self._sealed_head:
            try:
                secret = self.open(number, slot)
            except Fault:
                return None
            nonce = os.urandom(12)
            context = to._context + number.to_bytes(8, "big")
            return b"".join((to._sealed_head, nonce, to._aead.encrypt(nonce, secret, context)))
        if self.is_tombstone(number, slot):
            return to.tombstones([number], int.from_bytes(slot[4:12], "big"))[0]
        return None

    def is_sealed(self, number: int, slot: bytes) -> bool:
        """Whether `slot` opens as this number's."""
        try:
            self.open(number, slot)
        except OmonatError:
            return False
        return True
