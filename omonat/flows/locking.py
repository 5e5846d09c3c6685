"""Locking: what leaves as a file is sealed to whoever it is for, in the age format (S2)."""

import asyncio
import re
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import pyrage

from omonat.base.errors import BadInput

_SHORTEST: Final = 12
_STANZA: Final = (
    rb"-> (?:X25519 [A-Za-z0-9+/]{43}|ssh-ed25519 [A-Za-z0-9+/]{6} [A-Za-z0-9+/]{43}|ssh-rsa [A-Za-z0-9+/]{6}"
    rb"|(?P<password>scrypt [A-Za-z0-9+/]{22} [0-9]{1,2})|[!-~]{1,16}-grease(?: [!-~]{1,16}){0,4})\n"
    rb"(?:[A-Za-z0-9+/]{64}\n){0,12}[A-Za-z0-9+/]{0,63}\n"
)
"""What the tools of age write: a recipient, a password, or a line of noise that keeps readers tolerant."""
_HEAD: Final = re.compile(rb"age-encryption\.org/v1\n(?:" + _STANZA + rb"){1,20}--- [A-Za-z0-9+/]{43}\n")
_KEY: Final = re.compile(rb"^-> (?:X25519|ssh-ed25519|ssh-rsa) ", re.MULTILINE)
_BODY: Final = 32  # a nonce of 16 bytes and the tag of an empty content


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


def locked_to(file: bytes) -> str | None:
    """How a file is locked, by its head: `key` of X25519 or SSH, `password`, or None for anything else, also armoured.

    The contents must look like ciphertext: a head alone locks nothing.
    """
    head = _HEAD.match(file)
    if head is None or len(file) < head.end() + _BODY or not is_noise(file[head.end() :]):
        return None
    if head["password"] is not None:
        return "password"
    return "key" if _KEY.search(head[0]) else None


def is_noise(raw: bytes) -> bool:
    """Whether bytes may be ciphertext: nobody reads them as text, and nothing makes them smaller."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return len(zlib.compress(raw, 9)) >= len(raw)
    return False


def _recipient(text: str) -> Any:
    kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise BadInput("age-key-malformed") from None
