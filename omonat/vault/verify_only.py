"""Verify-only secrets: passwords and security answers. They can be checked, and by nobody be read (S2, S3).

Argon2id (RFC 9106, second recommended option), then sealed, so that a stolen database gives nothing to guess against.
One check costs about a tenth of a second and 64 MiB: callers run it in a thread and limit how often it may be asked.
"""

import unicodedata
from dataclasses import dataclass
from enum import Enum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from omonat.base.errors import BadInput, Fault

LONGEST = 1024  # bytes, so that nobody makes us hash a book


class SecretMatch(Enum):
    """What checking a secret says. True only where it matches; `STALE` matches and should be hashed anew."""

    YES = "yes"
    STALE = "stale"
    NO = "no"

    def __bool__(self) -> bool:
        return self is not SecretMatch.NO


@dataclass(frozen=True, slots=True)
class HashCost:
    """Argon2id's price: passes, memory in KiB, lanes."""

    passes: int = 3
    memory: int = 64 * 1024
    lanes: int = 4


class SecretHasher:
    """Hashes and checks at one cost; a check against nothing costs the same as a check against something."""

    def __init__(self, cost: HashCost) -> None:
        self._hasher = PasswordHasher(cost.passes, cost.memory, cost.lanes)
        self._dummy: str | None = None

    def hash(self, secret: str) -> bytes:
        """The PHC string. Raises BadInput for a secret over 1,024 bytes."""
        words = _normal(secret)
        if len(words) > LONGEST:
            raise BadInput("secret-too-long", most=str(LONGEST))
        return self._hasher.hash(words).encode()

    def check(self, stored: bytes | None, secret: str) -> SecretMatch:
        """Whether `secret` was hashed into `stored`; with nothing stored, NO at the full price."""
        words = _normal(secret)[: LONGEST + 1]
        if stored is None or len(words) > LONGEST:
            self._pretend(words[:LONGEST])
            return SecretMatch.NO
        try:
            self._hasher.verify(stored.decode(), words)
        except InvalidHashError:
            raise Fault("sealed-value-changed") from None
        except VerificationError:
            return SecretMatch.NO
        return SecretMatch.STALE if self._hasher.check_needs_rehash(stored.decode()) else SecretMatch.YES

    def _pretend(self, words: bytes) -> None:
        if self._dummy is None:
            self._dummy = self._hasher.hash(b"nothing stored")
        try:
            self._hasher.verify(self._dummy, words)
        except VerificationError:
            return


def _normal(secret: str) -> bytes:
    """The bytes of a secret, the same however a keyboard composed its letters (RFC 8265: NFC)."""
    return unicodedata.normalize("NFC", secret).encode()
