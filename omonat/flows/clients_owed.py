"""What is owed to business clients waits as work of a person by itself (N1), from its occasion until it is given.

Whatever changes a client holds it and settles what is owed to it in its own transaction, as the jobs do. What happens
elsewhere, a version of the policy or a breach, is looked for by the jobs, and everything once an hour. An item names
client, step and occasion.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, Instant
from omonat.database.statements import load
from omonat.flows.client_register import by_client, occasions, owed_to, steps_in_force
from omonat.flows.grounds import Grounds

_queries = load("omonat.promises.notice", "clients.sql")
_work = load("omonat.flows", "work.sql")
RULE: Final = "client-notice"
_PAGE: Final = 500


class ClientsOwed:
    """The flow of looking. Any number of workers may run it: an item is opened once, whoever does it."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._clock = grounds.clock
        self._seen: Any = None
        self._seen_at = Instant(0)

    async def look_after(self) -> int:
        """Settle what is owed to every client, where something happened since; how many were looked at."""
        now, looked, after = self._clock(), 0, ""
        async with self._database.connection() as connection:
            row = await _queries.what_happened(connection)
        seen = tuple(row.values())
        if seen == self._seen and now - self._seen_at < HOUR:
            return 0
        while True:
            async with self._database.transaction() as connection:
                rows = [row async for row in _queries.standing_clients(connection, after=after, most=_PAGE)]
                await _settle(connection, rows, now)
                reach("clients.owed-settled")
            looked += len(rows)
            if len(rows) < _PAGE:
                break
            after = rows[-1]["id"]
        async with self._database.connection() as connection:
            await _queries.close_work_of_gone(connection, rule=RULE, now=now)
        self._seen, self._seen_at = seen, now
        return looked


async def settle(connection: asyncpg.Connection, client: str, now: Instant) -> None:
    """Make the work items of one client what is owed to it now, in the caller's transaction, which holds the client."""
    row = await _queries.client(connection, id=client)
    await _settle(connection, [] if row is None else [row], now)


async def _settle(connection: asyncpg.Connection, rows: Sequence[Any], now: Instant) -> None:
    ids = [row["id"] for row in rows]
    if not ids:
        return
    contacts = by_client([row async for row in _queries.contacts_held(connection, clients=ids)])
    given = by_client([row async for row in _queries.last_given_to(connection, clients=ids)])
    happened, steps = await occasions(connection), await steps_in_force(connection)
    due = {
        (one.person, f"{row['id']} {one.step} {one.about}")
        for row in rows
        for one in owed_to(row, contacts.get(row["id"], ()), given.get(row["id"], ()), happened, steps)
    }
    waits = {(row["person"], row["missing"]) async for row in _work.items_about(connection, rule=RULE, first_words=ids)}
    if new := sorted(due - waits):
        await _work.open_work_items_of(
            connection, rule=RULE, now=now, ids=[new_id("wrk") for _ in new],
            people=[person for person, _ in new], missing=[missing for _, missing in new],
        )  # fmt: skip
    if done := sorted(waits - due):
        await _work.close_work_items_of(
            connection, rule=RULE, now=now, people=[person for person, _ in done],
            missing=[missing for _, missing in done],
        )  # fmt: skip


__all__ = ["RULE", "ClientsOwed", "settle"]
