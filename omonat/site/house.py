"""The library as the house has it: versions from the database, the checkpoint from the evidence log."""

from collections.abc import Callable, Sequence
from typing import Protocol

from litestar.handlers import HTTPRouteHandler

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.instants import Instant
from omonat.base.settings import Settings
from omonat.evidence.keys import LogKeys
from omonat.evidence.reader import Signed
from omonat.flows.announce import Announce, Announced
from omonat.flows.grounds import Grounds
from omonat.flows.published import PublishedVersion, ReadPublished
from omonat.pages import Proof
from omonat.site.announcements import announcement_routes
from omonat.site.library import Edition
from omonat.site.routes import site_routes

CHECKPOINT = "/v1/evidence/checkpoint"


class EvidenceLog(Protocol):
    """The log, for reading."""

    def checkpoint(self) -> Signed:
        """The newest signed checkpoint."""


class House(Protocol):
    """The house, as far as this door looks into it."""

    @property
    def grounds(self) -> Grounds: ...
    @property
    def evidence(self) -> EvidenceLog: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def announce(self) -> Announce: ...
    @property
    def keys(self) -> LogKeys: ...


def handlers(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The addresses of this door on that house, which is asked for at the first request."""

    def now() -> Instant:
        return house().grounds.clock()

    def https() -> bool:
        return house().settings.address.startswith("https:")

    library = _Library(house)
    return [
        *site_routes(library, now=now, https=https),
        *announcement_routes(
            _Board(house),
            library,
            now=now,
            address=lambda: house().settings.address,
            origin=lambda: house().keys.origin,
        ),
    ]


class _Board:
    def __init__(self, house: Callable[[], House]) -> None:
        self._house = house

    async def published(self, *, most: int, skip: int = 0, only: str = "") -> Sequence[Announced]:
        return await self._house().announce.published(most=most, skip=skip, only=only)


class _Library:
    def __init__(self, house: Callable[[], House]) -> None:
        self._house = house
        self._read: ReadPublished | None = None
        self._known: tuple[Sequence[PublishedVersion], int] = ((), 0)
        self._editions: dict[int, Edition] = {}

    async def current(self) -> Edition | None:
        editions, in_force = await self._all()
        return next((edition for edition in editions if edition.ordinal == in_force), None)

    async def by_version(self, version: str) -> Edition | None:
        editions, _ = await self._all()
        return next((edition for edition in editions if edition.version == version), None)

    async def history(self) -> Sequence[Edition]:
        editions, _ = await self._all()
        return editions

    async def checkpoint(self) -> Proof | None:
        try:
            signed = self._house().evidence.checkpoint()
        except (BadInput, Fault):  # none yet, or a false one: the page then claims no proof, and can still be read
            return None
        if signed.at is None:
            return None
        return Proof(signed.checkpoint.size, Instant(signed.at), signed.checkpoint.root, CHECKPOINT)

    async def _all(self) -> tuple[list[Edition], int]:
        """All editions, newest first, and the ordinal in force; one small statement a call."""
        if self._read is None:
            self._read = ReadPublished(self._house().grounds.database)
        try:
            self._known = await self._read()
        except Unavailable:  # the policy can be read at any time (P3): what was published does not change
            if not self._known[0]:
                raise
        versions, in_force = self._known
        return [self._edition(version) for version in reversed(versions)], in_force

    def _edition(self, version: PublishedVersion) -> Edition:
        if version.ordinal not in self._editions:
            self._editions[version.ordinal] = Edition(
                policy=version.policy,
                ordinal=version.ordinal,
                source=version.text.encode(),
                published=version.published,
                packs=version.packs,
            )
        return self._editions[version.ordinal]
