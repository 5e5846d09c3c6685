"""A campaign in the sending: a service with a relay, people who said yes, four workers. Real processes, real SMTP."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx

from omonat.base.failpoints import MARK
from omonat.base.instants import DAY, Instant
from omonat.database.home import address
from omonat.flows.campaigns import Marketer, Plan
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectRequest
from omonat.flows.staff import Registration
from omonat.house import House, open_house, system_clock
from omonat.mail.leave import signed_links
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel
from tests.faults.breaking import Clock
from tests.whole.conftest import settings_of
from tests.whole.relay import Relay
from tests.whole.serving import Installation, Service, serving

WORKERS: Final = 4
PURPOSE: Final = "marketing-email"
TEXTS: Final = Texts(subject="Navroʻz sumalagi", text="Navroʻz kuni sumalak tekin.")
_PATIENCE: Final = 900.0
_STATES: Final = """
    select state, coalesce(code, '') as code, claim = any ($1::text[]) as dead, count(*)::int as many
    from outbox group by 1, 2, 3
"""
_BATCHES_OF: Final = "select distinct claim from outbox where person = any ($1::text[]) and state = 'handing-over'"
_IN_THESE: Final = "select person, state from outbox where claim = any ($1::text[])"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Campaign:
    """One run: who is written to, what each was told, and the processes."""

    service: Service
    relay: Relay
    clock: Clock
    database: asyncpg.Connection
    people: Mapping[str, str]
    links: Mapping[str, str]
    acknowledged: dict[str, float] = field(default_factory=dict)
    """When the answer to a withdrawal had come, by address."""
    dead: list[str] = field(default_factory=list)
    """The killed worker's claims."""

    async def leave(self, web: httpx.AsyncClient, to: str) -> None:
        """Press the link of an earlier letter, as mail programs do (RFC 8058)."""
        answer = await web.post(self.links[to], content="List-Unsubscribe=One-Click", headers=_FORM)
        assert answer.status_code == 200, answer.text
        self.acknowledged[to] = time.monotonic()

    async def states(self) -> Counter[str]:
        """How many letters by state and code; `in hands` are those that a living worker has."""
        found: Counter[str] = Counter()
        for row in await self.database.fetch(_STATES, self.dead):
            found[f"{row['state']}:{row['code']}".rstrip(":")] += row["many"]
            if row["state"] in ("claimed", "handing-over") and not row["dead"]:
                found["in hands"] += row["many"]
        return found

    async def left_by_the_dead(self) -> dict[str, list[str]]:
        """Whose letters the killed worker had, by state; told by the hand-overs that broke off. It had one batch; what
        a living one gave up meanwhile is put back by it."""
        while len(self.dead) != 1:
            await asyncio.sleep(0.1)
            cut = [self.people[to] for to in self.relay.broken_off()]
            self.dead = [row["claim"] for row in await self.database.fetch(_BATCHES_OF, cut)]
        found: dict[str, list[str]] = {"claimed": [], "handing-over": []}
        for row in await self.database.fetch(_IN_THESE, self.dead):
            found[row["state"]].append(row["person"])
        return found

    async def until(self, reached: Callable[[Counter[str]], bool]) -> Counter[str]:
        """The states, once they are so."""
        end = time.monotonic() + _PATIENCE
        while not reached(now := await self.states()):
            assert time.monotonic() < end, now
            await asyncio.sleep(0.1)
        return now


@asynccontextmanager
async def sending(of: Installation, folder: Path, many: int) -> AsyncIterator[Campaign]:
    """A service with a relay, people who said yes, four workers that send, and a campaign that has just begun."""
    (of.home / MARK).touch(0o600)
    relay, clock = Relay(), Clock(folder / "clock")
    clock.step(0)
    settings = {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(await relay.listen()), "SMTP_SECURITY": "none",
        "SMTP_FROM": "webmaster@beshqozon.uz", "TEST_CLOCK": str(clock.file), "LOG_LEVEL": "warning",
    }  # fmt: skip
    with serving(of, ("tests.whole.many_jobs", str(WORKERS)), **settings) as service:
        dsn = address(of.home).dsn()
        house_settings = settings_of(of.home, of.root_key, dsn)
        async with open_house(house_settings, clock=system_clock) as house:
            people = await readers(house, of, many)
            links = {to: _path(house, person) for to, person in people.items()}
            await campaigning(house)
        database = await asyncpg.connect(dsn)
        try:
            yield Campaign(service, relay, clock, database, people, links)
            assert len(service.children("jobs")) == WORKERS, "the killed one has come back"
        finally:
            await database.close()
        assert service.stop() == 0
    relay.close()


async def readers(house: House, of: Installation, many: int) -> dict[str, str]:
    """People who read the newsletter and said yes; person by address."""
    credential = parse_credential(of.credentials["site"])
    room = asyncio.Semaphore(8)

    async def one(to: str) -> tuple[str, str]:
        items = {"contact.email": to, "contact.name": "Sardor Aliyev"}
        async with room:
            answer = await house.collect(
                CollectRequest(
                    credential=credential,
                    service="newsletter",
                    items=items,
                    version="1",
                    consents={PURPOSE: True},
                    accepted=True,
                )
            )
        return to, answer.person

    return dict(await asyncio.gather(*(one(f"p{n}@mail.example") for n in range(many))))


async def campaigning(house: House) -> None:
    """Two marketers answer for it."""
    trained = Instant(house.grounds.clock() + 300 * DAY)
    for ref in ("501", "502"):
        who = Registration(ref=ref, name="Xodim", role="marketing", trained_until=trained)
        await house.staff.put(who, by="test")
    first, second = Marketer(staff="501"), Marketer(staff="502")
    await house.campaigns.plan(Plan(name="navroz", purpose=PURPOSE, channel=Channel.EMAIL, texts=TEXTS), first)
    await house.campaigns.approve("navroz", second)
    await house.campaigns.start("navroz", first)


def _path(house: House, person: str) -> str:
    link = signed_links(house, "webmaster@beshqozon.uz")(person=person, purpose=PURPOSE).address
    return "/" + link.split("/", 3)[3]
