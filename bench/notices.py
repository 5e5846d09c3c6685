"""Telling many people: how long until everybody's notice is queued, beside one plain INSERT … SELECT of as many rows.

A queued notice is its row, its message in the outbox with the channel that person has, and an entry for each page: in
transactions that may be cut off, and that are cut off and begun again once while it is measured.
"""

import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.figures import Figure, amount
from bench.pages import POLICIES
from bench.town import Town, publication, town
from omonat.base.instants import DAY, Instant
from omonat.flows.service_notice import ServiceNotice
from omonat.flows.staff import Registration
from omonat.flows.tell_many import TellMany
from omonat.flows.telling import Progress, TellPeople
from omonat.house import system_clock
from omonat.promises.notice.words import Words

LIMIT = 60.0
"""Seconds for 100,000 people."""
_TOLD = 100_000
_SAYS = {
    "uz": Words(title="Toʻlovlarda nosozlik boʻldi", text="Toʻlovlar ikki marta yechildi. Ortiqchasi qaytarildi."),
    "ru": Words(title="Сбой при оплате", text="Оплата списывалась дважды. Лишнее возвращено."),
    "en": Words(title="Payments failed", text="Payments were taken twice. What was too much was returned."),
}
_USES = "may-use: [transaction.amount, transaction.return-reason]"
_USES_MORE = "may-use: [transaction.amount, transaction.return-reason, contact.landmark, transaction.inquiry]"
_PLAIN = """
drop table if exists plain_queue;
create table plain_queue (
    person text not null, id text primary key, template text not null, channel text not null,
    due_at timestamptz not null
);
"""


async def figures(folder: Path, *, people: int) -> list[Figure]:
    """Two rows: the company's own words to everybody, and a new version of the policy to those it concerns."""
    (folder / "notices").mkdir(mode=0o711)
    async with town(folder / "notices", people=people) as here:
        await _with_channels(here)
        await _decided(here)
        grounds = here.house.grounds
        words = await _row(here, "a notice to many", "service_notices", lambda: TellMany(grounds).step)
        second = (POLICIES / "beshqozon.yaml").read_text("utf-8").replace('version: "1"', 'version: "2"', 1)
        assert _USES in second
        await here.house.publish(publication(second.replace(_USES, _USES_MORE)))
        news = await _row(here, "a new version of the policy", "notices", lambda: TellPeople(grounds).round)
    return [words, news]


async def _row(here: Town, what: str, table: str, worker: Callable[[], Callable[[], Awaitable[Progress]]]) -> Figure:
    """Queue them all, with the process gone and another one in its place halfway."""
    plain = await _plainly(here)
    begun, queued = time.perf_counter(), 0
    step = worker()
    for half in (here.people // 2, here.people):
        while queued < half:
            queued += (await step()).queued
            _show(what, queued, here.people, time.perf_counter() - begun)
        step = worker()  # the one before remembers nothing that counts
    took = time.perf_counter() - begun
    pool = here.house.grounds.database.pool
    for there in (table, "outbox"):
        found = await pool.fetchval(f"select count(distinct person) from {there}")
        assert (queued, found) == (here.people, here.people), f"{queued} were queued, {found} in {there}"
    await pool.execute("delete from outbox")
    return amount(
        f"seconds until {what} is queued for {here.people:,} people",
        [took],
        unit="s",
        gate=LIMIT * here.people / _TOLD,
        at_most=True,
        durable=True,
        more={"people/s": here.people / took, "plain insert, s": plain, "× plain insert": took / plain},
    )


async def _plainly(here: Town) -> float:
    pool = here.house.grounds.database.pool
    await pool.execute(_PLAIN)
    begun = time.perf_counter()
    await pool.execute(
        """insert into plain_queue select p.id, 'msg_' || md5(p.id), 'company-notice',
                  case when exists (select from lookups l where l.person = p.id and l.item = 'contact.email')
                       then 'email' else 'sms' end, now()
             from persons p where p.erased_at is null"""
    )
    return time.perf_counter() - begun


async def _with_channels(here: Town) -> None:
    """Everybody has a phone, every other an e-mail: as `collect` would have noted."""
    await here.house.grounds.database.pool.execute(
        """insert into lookups (person, item, digest, epoch, since)
           select p.id, i.item, sha256((p.id || i.item)::bytea), 1, now()
             from persons p cross join (values ('contact.mobile', 1), ('contact.email', 2)) as i(item, every)
            where ('x' || substr(md5(p.id), 1, 2))::bit(8)::int % i.every = 0"""
    )


async def _decided(here: Town) -> None:
    """Written by one and approved by another."""
    trained = Instant(system_clock() + 365 * DAY)
    for ref, role in (("w", "privacy-officer"), ("o", "management")):
        await here.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="bench")
    notice = ServiceNotice(kind="system-error", said=_SAYS, audience="everybody")
    written = await here.house.service_notices.write(notice, by="w")
    await here.house.service_notices.approve(written.id, by="o")


def _show(what: str, queued: int, of: int, took: float) -> None:
    print(f"\r    {what}: {queued:,} of {of:,}, {took:.1f} s", end="" if queued < of else "\n", file=sys.stderr)
