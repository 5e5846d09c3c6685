"""What the policy page needs to know: the published versions and the newest checkpoint. The house supplies it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from omonat.base.instants import Instant
from omonat.pages import Proof
from omonat.policy.model import Policy
from omonat.policy.packs import Pack


class Standing(StrEnum):
    """Whether a promise is kept, as far as a check has told (A1)."""

    KEPT = "kept"
    BROKEN = "broken"
    CANNOT_TELL = "cannot-tell"


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """One published version: the document, its exact bytes, and when it was published.

    `standings` says of promises whether they are kept; a promise without an entry is not checked by a program yet.
    """

    policy: Policy
    ordinal: int
    source: bytes
    published: Instant
    packs: Sequence[Pack] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)

    digest: str = field(init=False)
    """SHA-256 of the bytes people can download, in hexadecimal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.source).hexdigest())

    @property
    def version(self) -> str:
        """The version's own name."""
        return self.policy.version


class PolicyLibrary(Protocol):
    """Reads only. Versions are told apart by their name in the document."""

    async def current(self) -> Edition | None:
        """The version in force; None before the first was published."""

    async def by_version(self, version: str) -> Edition | None:
        """A published version by its name; None for any other text."""

    async def history(self) -> Sequence[Edition]:
        """All published versions, the newest first."""

    async def checkpoint(self) -> Proof | None:
        """The newest signed checkpoint; None before the first."""


class Shelf:
    """A library in memory: for tests, previews and installations that serve a policy file and nothing else."""

    def __init__(self, editions: Sequence[Edition] = (), proof: Proof | None = None) -> None:
        self._editions = tuple(sorted(editions, key=lambda edition: -edition.ordinal))
        self._proof = proof

    async def current(self) -> Edition | None:
        """The edition with the highest ordinal."""
        return self._editions[0] if self._editions else None

    async def by_version(self, version: str) -> Edition | None:
        """The edition whose document carries this version."""
        return next((edition for edition in self._editions if edition.version == version), None)

    async def history(self) -> Sequence[Edition]:
        """All editions, the newest first."""
        return self._editions

    async def checkpoint(self) -> Proof | None:
        """The proof the shelf was given."""
        return self._proof
