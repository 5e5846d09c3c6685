"""Signed notes and checkpoints of C2SP (signed-note 1.0.0, checkpoint 1.0.0, cosignature 1.1.0): one spelling only.

A checkpoint says `origin`, `size`, `root`. Our log signs it twice: with the log key (type 0x01, what a public log
must carry) and, at every heartbeat, with a clock key as a time-stamped cosignature (type 0x04), so that a silent log
is seen to be silent. What is parsed prints to the same bytes, or it is refused (`evidence-note-malformed`).
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND, Instant

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04

_MOST_SIGNATURES: Final = 64
_LONGEST: Final = 64 * 1024
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")


def _refuse(why: str) -> BadInput:
    return BadInput("evidence-note-malformed", why=why)


def strict_base64(text: str) -> bytes:
    """The bytes of canonical padded base64. Raises BadInput for any other spelling of the same bytes."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refuse("base64") from error
    if b64encode(raw).decode() != text:
        raise _refuse("base64")
    return raw


def strict_number(text: str) -> int:
    """A decimal without sign, spaces or leading zeros, below 2^63. Raises BadInput for anything else."""
    if not text.isascii() or _NUMBER.fullmatch(text) is None or int(text) >= 2**63:
        raise _refuse("number")
    return int(text)


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes that name a key inside a signature line."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name: what a reader pins."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes."""
        return key_id(self.name, self.kind, self.public)

    @property
    def vkey(self) -> str:
        """`name+id+key`, the text to pin."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey. Raises BadInput `evidence-note-malformed` for a foreign spelling or a wrong key id."""
        name, _, rest = vkey.partition("+")
        _, _, key = rest.partition("+")
        raw = strict_base64(key)
        if len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE) or _NAME.fullmatch(name) is None:
            raise _refuse("vkey")
        found = cls(name, raw[0], raw[1:])
        if found.vkey != vkey:
            raise _refuse("vkey")
        return found

    def check(self, text: str, signature: bytes) -> Instant | None:
        """The time of a cosignature, None for a plain one. Raises BadInput `evidence-signature-invalid`."""
        at: Instant | None = None
        message = text.encode()
        if self.kind == COSIGNATURE:
            seconds = int.from_bytes(signature[:8], "big")
            at = Instant(seconds * SECOND)
            message = b"cosignature/v1\ntime %d\n" % seconds + message
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadInput("evidence-signature-invalid", key=self.name) from error
        return at


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under its name."""

    name: str
    key: Ed25519PrivateKey
    kind: int = ED25519

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.kind, self.key.public_key().public_bytes_raw())

    def sign(self, text: str, *, now: Instant) -> bytes:
        """The raw signature over the note's text; a cosignature carries `now` in whole seconds."""
        if self.kind == COSIGNATURE:
            seconds = now // SECOND
            stamp = b"cosignature/v1\ntime %d\n" % seconds
            return seconds.to_bytes(8, "big") + self.key.sign(stamp + text.encode())
        return self.key.sign(text.encode())


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signature lines under it: (name, key id, signature), in order."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def __str__(self) -> str:
        lines = (f"— {name} {b64encode(number + raw).decode()}\n" for name, number, raw in self.signatures)
        return f"{self.text}\n{''.join(lines)}"

    @classmethod
    def sign(cls, text: str, signers: Sequence[Signer], *, now: Instant) -> Self:
        """Sign `text`, which ends with a newline."""
        return cls(text, tuple((s.name, s.verifier.id, s.sign(text, now=now)) for s in signers))

    @classmethod
    def parse(cls, printed: bytes) -> Self:
        """Read a note without judging its signatures. Raises BadInput `evidence-note-malformed`."""
        if len(printed) > _LONGEST:
            raise _refuse("length")
        try:
            whole = printed.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refuse("utf-8") from error
        if any(ord(letter) < 0x20 and letter != "\n" for letter in whole) or "\x7f" in whole:
            raise _refuse("control character")
        body, gap, tail = whole.rpartition("\n\n")
        if not gap or not tail.endswith("\n"):
            raise _refuse("no signatures")
        note = cls(body + "\n", tuple(_signature(line) for line in tail[:-1].split("\n")))
        if len(note.signatures) > _MOST_SIGNATURES or str(note) != whole:
            raise _refuse("spelling")
        return note

    def check(self, pinned: Sequence[Verifier]) -> Mapping[Verifier, Instant | None]:
        """Which pinned keys signed, with the time of a cosignature.

        Unknown signers are ignored; a known key that fails, or none that signed, refuses the note. Raises BadInput
        `evidence-signature-invalid`.
        """
        known = {(key.name, key.id): key for key in pinned}
        signed: dict[Verifier, Instant | None] = {}
        for name, number, raw in self.signatures:
            key = known.get((name, number))
            if key is not None:
                if key in signed:
                    raise _refuse("the same key twice")
                signed[key] = key.check(self.text, raw)
        if not signed:
            raise BadInput("evidence-signature-invalid", key=", ".join(key.name for key in pinned))
        return signed


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _LINE.fullmatch(line)
    if match is None or _NAME.fullmatch(match[1]) is None:
        raise _refuse("signature line")
    raw = strict_base64(match[2])
    if len(raw) < 5:
        raise _refuse("signature line")
    return match[1], raw[:4], raw[4:]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: so many entries, this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str, *, extended: bool = False) -> Self:
        """Read the text of a checkpoint: three lines; with `extended`, others' further lines are let be.

        Raises BadInput `evidence-note-malformed`.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or (len(lines) > 4 and not extended):
            raise _refuse("checkpoint lines")
        root = strict_base64(lines[2])
        if len(root) != 32:
            raise _refuse("root")
        return cls(lines[0], strict_number(lines[1]), root)
