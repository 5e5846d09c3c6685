"""Cookies: choices counted without a person, and what the site script found that the policy doesn't register (L7, T1).

A sight becomes an entry and a work item once, however often it is reported. Both doors are open to strangers: so they
are limited together, nothing of a report is kept but a name, and a full list takes nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import MINUTE, Instant, to_datetime
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.work import close_work_item_in, open_work_item_in
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.cookies.rule import How, Register, Sight, plain, register_of, to_be_told

_queries = load("omonat.promises.cookies")
_rates = load("omonat.promises.identity")

MOST_SIGHTS: Final = 300
CHOICES_A_MINUTE: Final = 1200
REPORTS_A_MINUTE: Final = 120
_RULE: Final = "cookie"
_ONE_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something unregistered, how often and when it was seen."""

    kind: Sight
    name: str
    first_at: Instant
    last_at: Instant
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many browsers chose so on a day."""

    day: date
    register: str
    purpose: str
    state: str
    how: str
    times: int


class Cookies:
    """The flow, put together once per process."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database

    async def register(self) -> tuple[CompiledPolicy, Register]:
        """The policy in force and its register of cookies."""
        policy = await self._grounds.law.current()
        return policy, register_of(policy.policy, policy.digest)

    async def count(self, *, register: str, allowed: Sequence[str], how: How) -> None:
        """Count one browser's choice. Raises Refused for another register, or when too many come at once."""
        _, known = await self.register()
        if register != known.digest:
            raise Refused("cookie-register-changed")
        now = self._grounds.clock()
        states = ["given" if purpose in allowed else "refused" for purpose in known.optional]
        async with self._database.transaction() as connection:
            await self._limited(connection, "site-choices", CHOICES_A_MINUTE, now)
            await _queries.count_choice(
                connection, day=to_datetime(now).date(), register=known.digest, how=how,
                purposes=list(known.optional), states=states,
            )  # fmt: skip
            reach("cookies.counted")

    async def report(self, found: Sequence[tuple[Sight, str]]) -> int:
        """Note what was found, as far as it is news; how many were. Raises Refused when too many come at once."""
        policy, register = await self.register()
        now = self._grounds.clock()
        told = {(kind, plain(kind, name)) for kind, name in found if to_be_told(register, kind, name)}
        news: list[tuple[Sight, str]] = []
        async with self._database.transaction() as connection:
            await self._limited(connection, "site-reports", REPORTS_A_MINUTE, now)
            for kind, name in sorted(told):
                if await _queries.see(connection, kind=kind, name=name, now=now, most=MOST_SIGHTS):
                    news.append((kind, name))
                    await open_work_item_in(connection, rule=_RULE, person=None, missing=f"{kind} {name}", now=now)
            if news:
                entries = [self._entry(policy, kind, name, "unregistered", now) for kind, name in news]
                await self._grounds.journal.append(connection, entries, now=now)
                reach("cookies.reported")
        return len(news)

    async def found(self) -> Sequence[Sighting]:
        """What was seen and is still not registered; what a newer policy registers is settled by that."""
        _, register = await self.register()
        async with self._database.connection() as connection:
            rows = [Sighting(**dict(row)) async for row in _queries.sightings(connection)]
        open_still = []
        for each in rows:
            if "*" not in each.name and not to_be_told(register, each.kind, each.name):
                await self.settle(each.kind, each.name, by="policy")
            else:
                open_still.append(each)
        return open_still

    async def counted(self, days: int = 30) -> Sequence[Counted]:
        """How browsers chose in the last so many days."""
        since = to_datetime(self._grounds.clock()).date() - timedelta(days=days)
        async with self._database.connection() as connection:
            return [Counted(**dict(row)) async for row in _queries.choices_counted(connection, since=since)]

    async def settle(self, kind: Sight, name: str, *, by: str) -> bool:
        """Somebody saw to it; if it comes again, it is told again. False when it wasn't on the list."""
        policy, _ = await self.register()
        now = self._grounds.clock()
        async with self._database.transaction() as connection:
            await close_work_item_in(connection, rule=_RULE, person=None, missing=f"{kind} {name}", now=now)
            if await _queries.forget_sighting(connection, kind=kind, name=name) == "DELETE 0":
                return False
            entry = self._entry(policy, kind, name, "settled", now, by=by)
            await self._grounds.journal.append(connection, [entry], now=now)
            reach("cookies.settled")
        return True

    def _entry(self, policy: CompiledPolicy, kind: str, name: str, what: str, now: Instant, **more: str) -> Entry:
        facts: dict[str, Any] = {"policy": policy.digest, "kind": kind, "name": name, **more}
        return Entry(new_id("ev"), now, f"cookie:site:{what}", facts, ())

    async def _limited(self, connection: Any, what: str, most: int, now: Instant) -> None:
        """Raises Refused when the site was told more than `most` of it this minute, whoever told it."""
        key = self._grounds.vault.keyed_digest("rate", what.encode())
        taken = await _rates.count_rate(connection, key=key, window=_ONE_MINUTE, now=now)
        if taken > most:
            raise Refused("site-too-often", seconds=str((MINUTE - now % MINUTE) // 1_000_000 + 1))
