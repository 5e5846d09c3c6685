"""Locking: what leaves as a file is sealed to whoever it is for, in the age format (S2)."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import pyrage

from omonat.base.errors import BadInput

_SHORTEST: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """How the file is locked: by a password, or for a key of the person's own. Neither stays anywhere."""

    password: str = field(default="", repr=False)
    recipient: str = ""

    @property
    def used(self) -> bool:
        """Whether there is a lock at all."""
        return bool(self.password or self.recipient)


def check(lock: Lock) -> None:
    """Raises BadInput `password-short`, or `age-key-malformed` for what is no public key of age or SSH."""
    if lock.password and len(lock.password) < _SHORTEST:
        raise BadInput("password-short")
    if lock.recipient:
        _recipient(lock.recipient)


async def locked(content: bytes, lock: Lock) -> bytes:
    """The file in the age format, or as it is without a lock. A password takes about a second: off the loop."""
    if lock.recipient:
        return bytes(await asyncio.to_thread(pyrage.encrypt, content, [_recipient(lock.recipient)]))
    if lock.password:
        return bytes(await asyncio.to_thread(pyrage.passphrase.encrypt, content, lock.password))
    return content


def _recipient(text: str) -> Any:
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise BadInput("age-key-malformed") from None
