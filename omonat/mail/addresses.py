"""Addresses people and machines write back to: the mailbox itself, `unsubscribe+…` and `bounce+…` at its domain.

A local part has 64 letters at most and may be made small on its way, so what is signed is short and in base32:

    unsubscribe+<person, 26><purpose, 4><signature, 16>@domain       80 bits of signature
    bounce+msg_<message, 26>@domain                                   the id itself is the secret: 128 random bits
"""

import re
from base64 import b32encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from omonat.base.ids import is_id

LEAVE: Final = "unsubscribe"
BOUNCE: Final = "bounce"
_TOKEN: Final = re.compile(r"([a-z2-7]{26})([a-z2-7]{4})([a-z2-7]{16})")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one mailbox. `digest` is the vault's `keyed_digest`."""

    mailbox: str
    digest: Callable[[str, bytes], bytes]

    def leave(self, *, person: str, purpose: str) -> str:
        """Where this person writes to get no more letters for this purpose: anything will do."""
        said = person.removeprefix("per_") + self._short(purpose)
        return f"{LEAVE}+{said}{self._sign(said)}@{_domain(self.mailbox)}"

    def leaves(self, detail: str, purposes: Iterable[str]) -> tuple[str, str] | None:
        """Person and purpose of such an address, by what stands behind its plus; None for one that isn't ours."""
        found = _TOKEN.fullmatch(detail.casefold())
        if found is None or not compare_digest(found[3], self._sign(found[1] + found[2])):
            return None
        person = f"per_{found[1]}"
        purpose = next((each for each in purposes if self._short(each) == found[2]), None)
        return None if purpose is None or not is_id("per", person) else (person, purpose)

    def _short(self, purpose: str) -> str:
        return _base32(self.digest("purpose-in-address", purpose.encode()), 4)

    def _sign(self, said: str) -> str:
        return _base32(self.digest("leave-address", said.encode()), 16)


def returns_to(mailbox: str, message: str) -> str:
    """The envelope sender of a message: what can't be delivered comes back under its id."""
    return f"{BOUNCE}+{message}@{_domain(mailbox)}"


def parts(address: str) -> tuple[str, str, str]:
    """Name, detail behind the plus, domain: small, as they are compared."""
    local, _, domain = address.strip().casefold().rpartition("@")
    name, _, detail = local.partition("+")
    return name, detail, domain


def _domain(mailbox: str) -> str:
    return mailbox.rpartition("@")[2]


def _base32(digest: bytes, letters: int) -> str:
    return b32encode(digest).decode().lower()[:letters]
