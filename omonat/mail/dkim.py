"""Signing what leaves: DKIM (RFC 6376) with RSA and Ed25519 (RFC 8463), relaxed/relaxed, so that a letter of ours can
be told from a forged one.

Our own, on `cryptography`: the one library there is, dkimpy, comes as source alone (everything here is installed as
checked wheels), computes RSA in Python, and needs a second library of ciphers for Ed25519. Compared with the signatures
that RFC 8463 prints.

Signed are the fields a reader sees or a mail program acts on (RFC 8058 wants both of List-Unsubscribe); From, Subject
and what stands for one recipient once more than they occur, so that nobody adds another one.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND, Instant

Key = RSAPrivateKey | Ed25519PrivateKey
Field = tuple[str, str]
_SIGNED: Final = (
    *("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
    *("content-language", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post"),
)
_NO_SECOND: Final = ("from", "subject", "to", "date")
_SMALLEST_RSA: Final = 1024
_PIECE: Final = 250
_SELECTOR: Final = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name under which its public one stands in the DNS."""

    selector: str
    key: Key = field(repr=False)

    @property
    def algorithm(self) -> str:
        """As the tag `a=` has it."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def record(self) -> str:
        """What the TXT record at `selector._domainkey.domain` says."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={b64encode(raw).decode()}"
        return f"v=DKIM1; k=ed25519; p={b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()}"

    def zone_line(self, domain: str) -> str:
        """The same as a line of a zone file, in strings of the length that a TXT record can hold."""
        record = self.record()
        pieces = " ".join(f'"{record[at : at + _PIECE]}"' for at in range(0, len(record), _PIECE))
        return f"{self.selector}._domainkey.{domain}. IN TXT {pieces}"

    def sign(self, data: bytes) -> bytes:
        """The signature of canonical fields: Ed25519 signs their digest (RFC 8463, section 3)."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), SHA256())
        return self.key.sign(sha256(data).digest())


def signing_keys(keys: Sequence[str]) -> tuple[SigningKey, ...]:
    """The keys a setting names, `selector=/path` each: PEM files. Raises BadInput `dkim-key-unusable`."""
    return tuple(_read(*one.partition("=")[::2]) for one in keys)


def _read(selector: str, path: str) -> SigningKey:
    try:
        key = load_pem_private_key(Path(path).expanduser().read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise BadInput("dkim-key-unusable", file=path) from None
    if not _SELECTOR.fullmatch(selector) or not isinstance(key, Key):
        raise BadInput("dkim-key-unusable", file=path)
    if isinstance(key, RSAPrivateKey) and key.key_size < _SMALLEST_RSA:
        raise BadInput("dkim-key-unusable", file=path)
    return SigningKey(selector, key)


def signed(letter: bytes, keys: Sequence[SigningKey], *, now: Instant) -> bytes:
    """The letter with a signature by each key on top; unchanged without a key. `letter` has CRLF line ends."""
    head, _, body = letter.partition(b"\r\n\r\n")
    fields = fields_of(head)
    domain = parseaddr(next(value for name, value in fields if name.lower() == "from"))[1].rpartition("@")[2]
    hashed = b64encode(sha256(relaxed_body(body)).digest()).decode()
    names = [name for name in _SIGNED if any(name == known.lower() for known, _ in fields)]
    signatures = []
    for key in keys:
        value = (
            f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain}; s={key.selector};\r\n t={now // SECOND};"
            f"\r\n h={_folded(':'.join([*names, *(n for n in _NO_SECOND if n in names)]))};\r\n bh={hashed};\r\n b="
        )
        signature = b64encode(key.sign(canonical(fields, value))).decode()
        folded = "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        signatures.append(f"DKIM-Signature: {value}{folded}\r\n".encode())
    return b"".join(signatures) + letter


def canonical(fields: Sequence[Field], value: str) -> bytes:
    """What is signed under a DKIM-Signature field of this value, its `b=` left empty: the fields that its `h=` names,
    each time the lowest one not taken yet, then itself (RFC 6376, sections 3.4.2, 3.7, 5.4.2)."""
    wanted = re.search(r"(?:^|;)\s*h=([^;]*)", value)
    assert wanted is not None
    left = list(fields)
    lines = []
    for name in (part.strip().lower() for part in wanted[1].split(":")):
        place = next((at for at in range(len(left) - 1, -1, -1) if left[at][0].lower() == name), None)
        if place is not None:
            lines.append(_relaxed(*left.pop(place)) + "\r\n")
    return ("".join(lines) + _relaxed("DKIM-Signature", value)).encode("utf-8", "surrogateescape")


def fields_of(head: bytes) -> list[Field]:
    """The fields of a header block, unfolded by nobody yet, in their order."""
    lines = re.split(r"\r\n(?![ \t])", head.decode("utf-8", "surrogateescape"))
    return [(name.rstrip(), value) for name, colon, value in (line.partition(":") for line in lines) if colon]


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, section 3.4.4."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _relaxed(name: str, value: str) -> str:
    """RFC 6376, section 3.4.2."""
    flat = re.sub("[ \t]+", " ", value.replace("\r\n", "")).strip(" ")
    return f"{name.lower()}:{flat}"


def _folded(names: str) -> str:
    """The list of names on lines of a bearable length; a break may stand after a colon."""
    return re.sub(r"(.{1,60}:)(?=.)", r"\1\r\n  ", names)
