"""The three signing keys of a log, each for one thing and never for another.

They come from the vault, which the witness does not know: `app.py` hands them in.
"""

from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.evidence.note import COSIGNATURE, Signer, Verifier


@dataclass(frozen=True, slots=True)
class LogKeys:
    """`log` signs checkpoints under the origin's name; `clock` stamps them with the time; `receipts` signs receipts.

    Separate keys, because C2SP forbids one key for two kinds of statements.
    """

    origin: str
    log: Signer
    clock: Signer
    receipts: Signer

    @classmethod
    def of(cls, origin: str, *, log: Ed25519PrivateKey, clock: Ed25519PrivateKey, receipts: Ed25519PrivateKey) -> Self:
        """The keys under their names: the origin, `<origin>/clock`, `<origin>/receipts`."""
        return cls(
            origin,
            Signer(origin, log),
            Signer(f"{origin}/clock", clock, COSIGNATURE),
            Signer(f"{origin}/receipts", receipts),
        )

    @property
    def pinned(self) -> tuple[Verifier, Verifier, Verifier]:
        """The public halves, to be published: log, clock, receipts."""
        return self.log.verifier, self.clock.verifier, self.receipts.verifier
