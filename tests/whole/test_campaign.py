"""A campaign while people leave and a worker dies: real processes, real SMTP, links pressed (C3, U5, I2, I9).

Four workers send. One is killed while its hand-overs stand half-way; the others go on and take its claims over. What
the relay got and what people were told is compared with what the outbox says of each of them.

SMTP leaves one question open: whoever is killed between a letter's last byte and the note of it can't know. Marketing
then isn't sent again (at most once), and the outbox says so: `uncertain`. That is the only doubt there may be, of no
more letters than the killed worker had in its hands, and it is never a second letter.
"""

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest

from omonat.base.failpoints import MARK
from omonat.base.instants import DAY, MINUTE, Instant
from omonat.database.home import address
from omonat.database.processes import start_child, stop_child
from omonat.flows.campaigns import Marketer, Plan
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectRequest
from omonat.flows.staff import Registration
from omonat.house import House, open_house, system_clock
from omonat.mail.leave import signed_links
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import BEGINS_WITHIN, Channel
from tests.faults.breaking import Clock, kill
from tests.whole import witness
from tests.whole.conftest import settings_of
from tests.whole.relay import Relay
from tests.whole.serving import Installation, Service, serving

MANY: Final = 2_000
TOGETHER: Final = 8
"""Hand-overs one worker has in its hands at a time."""
WORKERS: Final = 4
PURPOSE: Final = "marketing-email"
TEXTS: Final = Texts(subject="Navroʻz sumalagi", text="Navroʻz kuni sumalak tekin.")
_STANDING: Final = 20
"""Hand-overs that stand still at the kill; fewer than all four have, for threads are few where processors are."""
_LEAVING_AT_THE_KILL: Final = 4
_PATIENCE: Final = 900.0
_STATES: Final = (
    "select state, code, count(*)::int as many, count(distinct claim)::int as claims from outbox group by 1, 2"
)


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

    async def leave(self, web: httpx.AsyncClient, to: str) -> None:
        """Press the link of an earlier letter, as mail programs do (RFC 8058)."""
        answer = await web.post(self.links[to], content="List-Unsubscribe=One-Click", headers=_FORM)
        assert answer.status_code == 200, answer.text
        self.acknowledged[to] = time.monotonic()

    async def states(self) -> Counter[str]:
        """How many letters by state and code; `claims` counts the batches that some worker has."""
        found: Counter[str] = Counter()
        for row in await self.database.fetch(_STATES):
            found[f"{row['state']}:{row['code'] or ''}".rstrip(":")] += row["many"]
        found["claims"] = await self.database.fetchval(_CLAIMS)
        return found

    async def until(self, reached: Callable[[Counter[str]], bool]) -> Counter[str]:
        """The states, once they are so."""
        end = time.monotonic() + _PATIENCE
        while not reached(now := await self.states()):
            assert time.monotonic() < end, now
            await asyncio.sleep(0.1)
        return now


_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_CLAIMS: Final = "select count(distinct claim)::int from outbox where state in ('claimed', 'handing-over')"


async def test_C3_two_thousand_are_written_to_by_four_workers_one_is_killed_and_fifty_leave(
    installation: Installation, tmp_path: Path
) -> None:
    await among(installation, tmp_path, MANY, leaving=50)


@pytest.mark.long
async def test_C3_twenty_thousand_are_written_to_by_four_workers_one_is_killed_and_five_hundred_leave(
    installation: Installation, tmp_path: Path
) -> None:
    await among(installation, tmp_path, 10 * MANY, leaving=500)


async def among(of: Installation, folder: Path, many: int, *, leaving: int) -> None:
    began = time.monotonic()
    async with sending(of, folder, many) as campaign:
        made = time.monotonic()
        broken = await send(campaign, leaving)
        left = await campaign.until(lambda now: not now["waiting"] and now["claims"] <= 1)
        assert 0 < left["handing-over"] <= len(broken) <= TOGETHER, (left, broken)
        assert left["claimed"], "it was killed with a batch in its hands"
        sent = time.monotonic()
        campaign.clock.step(3 * MINUTE)  # the claims of the dead have run out
        await campaign.until(lambda now: not now["claimed"] and not now["waiting"])
        campaign.clock.step(3 * MINUTE)  # and so has what it was handing over
        states = await campaign.until(lambda now: not now["claims"] and not now["waiting"])
        print(
            f"\n{many} made in {made - began:.0f} s, sent in {sent - made:.0f} s: {dict(states)}, broken {len(broken)}"
        )
        print(f"  {await judged(campaign, leaving, broken)}; taken over {left['claimed']}, cut {len(broken)}")
    status, said = await asyncio.to_thread(witness.verify, of)
    assert status == 0, said


async def send(campaign: Campaign, leaving: int) -> set[str]:
    """All of it leaves, people as well; one worker is killed half-way. To whom its hand-overs went."""
    relay, chance, many = campaign.relay, random.Random(41), len(campaign.people)
    order = chance.sample(sorted(campaign.people), leaving)
    async with httpx.AsyncClient(base_url=campaign.service.url, timeout=60.0) as web:
        web.headers["Host"] = f"localhost:{campaign.service.port}"

        async def leave(number: int, to: str) -> None:
            await relay.until_taken(number * many * 8 // (leaving * 10))
            await campaign.leave(web, to)

        async with asyncio.TaskGroup() as group:
            for number, to in enumerate(order):
                group.create_task(leave(number, to))
            await relay.until_taken(many // 3)
            relay.hold()
            await relay.until_held(_STANDING, 3.0)
            for to in chance.sample([to for to in relay.held if to not in order], _LEAVING_AT_THE_KILL):
                group.create_task(campaign.leave(web, to))
            await asyncio.sleep(0.3)  # their withdrawals are written, and wait for the letters under way
            assert not relay.broken
            (victim,) = campaign.service.children("jobs")
            kill(victim)
            relay.release()
        await relay.until_taken(many // 2)
    return set(relay.broken)


async def judged(campaign: Campaign, leaving: int, broken: set[str]) -> str:
    """None after an acknowledged withdrawal, none twice, none lost; each person's letter is what the outbox says.

    Who left is gone from it: the consent was the only reason to keep them, so they are erased within a minute.
    """
    relay, acknowledged = campaign.relay, campaign.acknowledged
    arrived = Counter(letter.to for letter in relay.accepted)
    assert max(arrived.values()) == 1, "none twice"
    late = [one for one in relay.accepted if one.began > acknowledged.get(one.to, one.began)]
    assert not late, "nothing begins after an acknowledged withdrawal"
    after = [one for one in relay.accepted if one.at > acknowledged.get(one.to, one.at)]
    assert all(acknowledged[one.to] - one.began >= BEGINS_WITHIN for one in after), "it was waited for"
    rows = await campaign.database.fetch("select person, state, code from outbox")
    ends = {row["person"]: (row["state"], row["code"]) for row in rows}
    assert len(ends) == len(rows), "one letter each"
    came = Counter[bool]()
    for to, person in campaign.people.items():
        match ends.get(person):
            case ("sent", _):
                assert arrived[to] == 1, "what was sent has come: none lost"
            case None | ("refused", "no-consent"):
                assert to in acknowledged, "nobody who stayed is left out"
            case ("uncertain", "message-outcome-unknown"):
                assert to in broken, "the only doubt is what the killed one had in its hands"
                came[bool(arrived[to])] += 1
            case other:
                raise AssertionError(other)
    assert arrived.keys() <= campaign.people.keys()
    assert len(acknowledged) == leaving + _LEAVING_AT_THE_KILL
    had = sum(arrived[to] for to in acknowledged)
    assert 0 < had < len(acknowledged), "some left before their letter, some after it"
    doubts = f"of {came.total()} in doubt {came[True]} came"
    return f"{arrived.total()} came; {doubts}; of {len(acknowledged)} who left {had} had theirs before"


# Making it --------------------------------------------------------------------------------------------------------


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
    with serving(of, **settings) as service:
        dsn = address(of.home).dsn()
        house_settings = settings_of(of.home, of.root_key, dsn)
        async with open_house(house_settings, clock=system_clock) as house:
            people = await readers(house, of, many)
            links = {to: _path(house, person) for to, person in people.items()}
            await campaigning(house)
        database = await asyncpg.connect(dsn)
        try:
            with more_workers(of, service, settings, dsn):
                yield Campaign(service, relay, clock, database, people, links)
                assert len(service.children("jobs")) == 1, "the killed one has come back"
                assert service.stop() == 0
        finally:
            await database.close()
            relay.close()


@contextmanager
def more_workers(of: Installation, service: Service, settings: Mapping[str, str], dsn: str) -> Iterator[None]:
    """Three more beside the service's own, begun as its parent begins that one; the key comes from its keeper."""
    environment = of.environment(service.port, **settings, DATABASE=dsn)
    command = [sys.executable, "-m", "omonat.cli._worker", "jobs", "omonat.app"]
    with of.output.open("ab") as output:
        more = [
            start_child(command, dies_by=signal.SIGKILL, environment=environment, output=output)
            for _ in range(WORKERS - 1)
        ]
    try:
        yield
        assert [child.poll() for child in more] == [None] * len(more), service.said()[-4000:]
    finally:
        for child in more:
            stop_child(child, (signal.SIGTERM, 10.0))


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
                )  # fmt: skip
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
