"""Announce: the company says something to everybody (N3). One person writes it in three languages, another approves it.

A version of the policy announces itself: its publication is its announcement, and nobody can forget it. What stands
here may be corrected, by two people again, and keeps its address; where else it was made public is recorded with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import asyncpg

from omonat.base.canonical import digest as digest_of
from omonat.base.errors import BadInput
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Also, Grounds
from omonat.flows.officers import Officers, require_words
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.notice.words import Said, Words, personal

_queries = load("omonat.promises.notice", "announcements.sql")
PROMISE: Final = "N3"
_VERSION: Final = "version-"
"""Before the ordinal: the name of the announcement that a version of the policy is."""
_MOST: Final = 500
_LONGEST_MEDIUM, _LONGEST_REFERENCE = 120, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class InMedia:
    """Where else it was made public: which medium, on which day, and where in it."""

    medium: str
    on: date
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One, as officers see it. `said` is what people read, None before the first approval; `draft` waits for one."""

    id: str
    said: Said | None
    draft: Said | None
    drafted_by: str | None
    published_at: Instant | None
    updated_at: Instant | None
    approved_by: str | None
    media: tuple[InMedia, ...]
    entries: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One, as people read it. `version` instead of `said` where it is a version of the policy, with the one `before`.
    `updated` is when anything about it changed: its words, or where else it stands."""

    id: str
    said: Said | None
    version: CompiledPolicy | None
    before: CompiledPolicy | None
    published: Instant
    updated: Instant
    corrected: Instant | None
    media: tuple[InMedia, ...]


class Announce:
    """The flow of announcing. `by` are staff refs."""

    def __init__(self, grounds: Grounds, officers: Officers) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self.officers = officers

    async def write(
        self, said: Said, *, by: str, announcement: str | None = None, also: Also[Announcement] | None = None
    ) -> Announcement:
        """Write a new announcement, or other words for `announcement`; a second person has to approve them.

        Raises BadInput (`words-…`, `announcement-unknown`), Refused (`omonat.flows.officers`).
        """
        require_words(await self._law.current(), said, PROMISE)
        now, id_, entry = self._clock(), announcement or new_id("ann"), new_id("ev")
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            if announcement is not None:
                await self._known(connection, announcement)
            await _queries.draft_announcement(
                connection, id=id_, draft=plain(said), by=writer, now=now, entries={"drafted": entry}
            )
            facts = {"announcement": id_, "words": digest(said), "staff": writer}
            await self._journal.append(connection, [Entry(entry, now, "announcement:words:drafted", facts)], now=now)
            reach("announce.drafted")
            written = await self._read(connection, id_)
            if also is not None:
                await also(connection, written)
        reach("announce.draft-committed")
        return written

    async def approve(self, announcement: str, *, by: str) -> Announcement:
        """The second person agrees: it is public from now on. Again, it changes nothing.

        Raises BadInput `announcement-unknown`, Refused (`omonat.flows.officers`).
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            row = await self._known(connection, announcement)
            if row["draft"] is not None:
                approver = await self.officers.approver(connection, by, PROMISE, of=row["drafted_by"])
                stage = "published" if row["said"] is None else "corrected"
                await _queries.publish_announcement(
                    connection, id=announcement, by=approver, now=now, entries={stage: entry}
                )
                facts = {
                    "announcement": announcement,
                    "words": digest(worded(row["draft"])),
                    "writer": row["drafted_by"],
                    "approver": approver,
                }
                await self._journal.append(
                    connection, [Entry(entry, now, f"announcement:words:{stage}", facts)], now=now
                )
                reach("announce.approved")
            approved = await self._read(connection, announcement)
        reach("announce.approve-committed")
        return approved

    async def in_media(self, announcement: str, where: InMedia, *, by: str, also: Also[str] | None = None) -> str:
        """It was made public elsewhere as well; the entry that says so comes back.

        `announcement` may be a version of the policy, `version-2`. Raises BadInput `announcement-unknown`,
        `media-incomplete`, `words-personal`, Refused (`omonat.flows.officers`).
        """
        now, entry = self._clock(), new_id("ev")
        self._require_media(await self._law.current(), where, now)
        version = _version_of(announcement)
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            recorded = await _queries.record_media(
                connection, id=new_id("med"), announcement=None if version else announcement, version=version,
                medium=where.medium, published_on=where.on, reference=where.reference, by=writer, now=now, entry=entry,
            )  # fmt: skip
            if recorded is None:
                raise BadInput("announcement-unknown")
            facts = {
                "announcement": announcement,
                "medium": where.medium,
                "on": where.on.isoformat(),
                "reference": where.reference,
                "staff": writer,
            }
            await self._journal.append(connection, [Entry(entry, now, "announcement:media:recorded", facts)], now=now)
            reach("announce.recorded")
            if also is not None:
                await also(connection, entry)
        reach("announce.record-committed")
        return entry

    async def show(self, announcement: str) -> Announcement:
        """One, as officers see it. Raises BadInput `announcement-unknown`."""
        async with self._database.connection() as connection:
            return await self._read(connection, announcement)

    async def every(self) -> Sequence[Announcement]:
        """All of them, also what waits, newest first."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.announcements(connection, most=_MOST)]
            media = await _media(connection, [row["id"] for row in rows], [])
        return [_announcement(row, media) for row in rows]

    async def published(self, *, most: int, skip: int = 0, only: str = "") -> Sequence[Announced]:
        """What people read, newest first: announcements, and versions of the policy. `only` one of them."""
        history = await self._law.known()
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.published(connection, id=only, most=most, skip=skip)]
            versions = [row["version"] for row in rows if row["version"] is not None]
            media = await _media(connection, [row["id"] for row in rows], versions)
        return [_announced(row, media.get(row["id"], []), history) for row in rows]

    async def _known(self, connection: asyncpg.Connection, announcement: str) -> Any:
        row = await _queries.announcement_for_update(connection, id=announcement)
        if row is None:
            raise BadInput("announcement-unknown")
        return row

    async def _read(self, connection: asyncpg.Connection, announcement: str) -> Announcement:
        row = await _queries.announcement(connection, id=announcement)
        if row is None:
            raise BadInput("announcement-unknown")
        return _announcement(row, await _media(connection, [announcement], []))

    @staticmethod
    def _require_media(policy: CompiledPolicy, where: InMedia, now: Instant) -> None:
        fits = (
            0 < len(where.medium.strip()) <= _LONGEST_MEDIUM and 0 < len(where.reference.strip()) <= _LONGEST_REFERENCE
        )
        printable = where.medium.isprintable() and where.reference.isprintable()
        if not fits or not printable or where.on > policy.today(now):
            raise BadInput("media-incomplete")
        controller = policy.policy.controller
        found = next(
            personal(f"{where.medium}\n{where.reference}", mailbox=controller.mailbox, phone=controller.phone), None
        )
        if found is not None:
            raise BadInput("words-personal", language="", kind=found)


def plain(said: Said) -> dict[str, dict[str, str]]:
    """Words as they are kept."""
    return {language: {"title": words.title.strip(), "text": words.text.strip()} for language, words in said.items()}


def worded(kept: Mapping[str, Mapping[str, str]]) -> Said:
    """Words as `plain` kept them."""
    return {language: Words(title=words["title"], text=words["text"]) for language, words in kept.items()}


def digest(said: Said) -> str:
    """SHA-256 of the words, in hex: what the evidence says of them."""
    return digest_of(plain(said))


def _version_of(announcement: str) -> int | None:
    number = announcement.removeprefix(_VERSION)
    return int(number) if announcement.startswith(_VERSION) and number.isdecimal() and len(number) < 9 else None


async def _media(
    connection: asyncpg.Connection, announcements: Sequence[str], versions: Sequence[int]
) -> dict[str, list[tuple[InMedia, Instant]]]:
    found: dict[str, list[tuple[InMedia, Instant]]] = {}
    async for row in _queries.media_of(connection, announcements=list(announcements), versions=list(versions)):
        where = InMedia(medium=row["medium"], on=row["published_on"], reference=row["reference"])
        name = row["announcement"] or f"{_VERSION}{row['version']}"
        found.setdefault(name, []).append((where, row["recorded_at"]))
    return found


def _announcement(row: Any, media: Mapping[str, Sequence[tuple[InMedia, Instant]]]) -> Announcement:
    return Announcement(
        id=row["id"],
        said=None if row["said"] is None else worded(row["said"]),
        draft=None if row["draft"] is None else worded(row["draft"]),
        drafted_by=row["drafted_by"],
        published_at=row["published_at"],
        updated_at=row["updated_at"],
        approved_by=row["approved_by"],
        media=tuple(where for where, _ in media.get(row["id"], [])),
        entries=row["entries"],
    )


def _announced(row: Any, media: Sequence[tuple[InMedia, Instant]], history: Sequence[CompiledPolicy]) -> Announced:
    corrected = row["updated_at"] if row["updated_at"] > row["published_at"] else None
    ordinal = row["version"] or 0
    return Announced(
        id=row["id"],
        said=None if row["said"] is None else worded(row["said"]),
        version=history[ordinal - 1] if ordinal else None,
        before=history[ordinal - 2] if ordinal > 1 else None,
        published=row["published_at"],
        updated=max([row["updated_at"], *(at for _, at in media)]),
        corrected=corrected,
        media=tuple(where for where, _ in media),
    )


__all__ = ["Announce", "Announced", "Announcement", "InMedia", "digest", "plain", "worded"]
