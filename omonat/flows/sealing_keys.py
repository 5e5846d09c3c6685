"""The keys that forms are sealed to: made, named in the log, replaced, and destroyed when their term is over (S1).

The vault has the private halves; the table says since when each public half was given out. What the vault has and the
table doesn't, after a crash or a restore, is noted as if begun now: an old form is then opened rather a little longer
than its term than too short.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.vault.encoding import bytes_of, text_of

_queries: Final = load("omonat.flows", "sealing_keys.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public half. `until` is when forms sealed to it stop being opened; None for the newest."""

    number: int
    public: bytes
    begun_at: Instant
    until: Instant | None
    ended_at: Instant | None
    entry: str

    @property
    def fingerprint(self) -> str:
        """What people compare: the first 16 hexadecimal digits of SHA-256, in fours."""
        digest = sha256(self.public).hexdigest()[:16]
        return " ".join(digest[n : n + 4] for n in range(0, 16, 4))


class SealingKeys:
    """`days`: for how long a form may be on its way."""

    def __init__(self, grounds: Grounds, *, days: int) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._clock = grounds.clock
        self._term = days * DAY

    async def every(self) -> tuple[PublicKey, ...]:
        """Every key there was, oldest first; the first one is made by whoever asks first."""
        newest = self._vault.sealing_key or self._vault.begin_sealing_key(after=0)
        reach("sealing-key.made")
        rows = await self._rows()
        if not rows or rows[-1]["number"] < newest:
            await self._note(newest)
            rows = await self._rows()
        following = [*(row["begun_at"] for row in rows[1:]), None]
        return tuple(
            PublicKey(
                number=row["number"],
                public=bytes_of(row["public"]),
                begun_at=row["begun_at"],
                until=None if next_at is None else Instant(next_at + self._term),
                ended_at=row["ended_at"],
                entry=row["entries"]["begun"],
            )
            for row, next_at in zip(rows, following, strict=True)
        )

    async def current(self) -> PublicKey:
        """The key to seal to now."""
        return (await self.every())[-1]

    async def opening(self, number: int, now: Instant) -> int:
        """The number, if forms sealed to it are still opened. Raises Refused sealing-key-over."""
        known = next((key for key in await self.every() if key.number == number), None)
        if known is None or known.ended_at is not None or (known.until is not None and known.until <= now):
            raise Refused("sealing-key-over")
        return number

    async def renew(self) -> PublicKey:
        """Begin a new key. What is sealed to the one before opens until the term is over, and then never again."""
        before = await self.current()
        self._vault.begin_sealing_key(after=before.number)
        return await self.current()

    async def end_due(self) -> int:
        """Destroy the keys nobody may seal to any more and whose last forms are too old by now; how many it were."""
        now = self._clock()
        due = [k for k in await self.every() if k.until is not None and k.until <= now and k.ended_at is None]
        for key in due:
            self._vault.end_sealing_key(key.number)
            reach("sealing-key.destroyed")
            async with self._database.transaction() as connection:
                entry = Entry(new_id("ev"), now, "sealing:key:destroyed", {"key": key.number})
                if await _queries.end_sealing_key(
                    connection, number=key.number, now=now, entries={"destroyed": entry.id}
                ):
                    await self._journal.append(connection, [entry], now=now)
                    reach("sealing-key.end-noted")
        return len(due)

    async def _rows(self) -> list[Any]:
        async with self._database.connection() as connection:
            return [row async for row in _queries.sealing_keys(connection)]

    async def _note(self, newest: int) -> None:
        now = self._clock()
        for number in range(1, newest + 1):
            try:
                public = text_of(self._vault.sealing_public(number))
            except Refused:  # an older one, destroyed; whatever was sealed to it is lost anyway
                continue
            facts = {"key": number, "public": public}
            async with self._database.transaction() as connection:
                entry = Entry(new_id("ev"), now, "sealing:key:begun", facts)
                if await _queries.begin_sealing_key(
                    connection, number=number, public=public, now=now, entries={"begun": entry.id}
                ):
                    await self._journal.append(connection, [entry], now=now)
                    reach("sealing-key.noted")
