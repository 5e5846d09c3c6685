"""A campaign while people leave and a worker dies: real processes, real SMTP, links pressed (C3, U5, I2, I9).

Four workers send. One is killed while its hand-overs stand half-way; the others go on and take its claims over. What
the relay got and what people were told is compared with what the outbox says of each of them.

SMTP leaves one question open: whoever is killed between a letter's last byte and the note of it can't know. Marketing
then isn't sent again (at most once), and the outbox says so: `uncertain`. That is the only doubt there may be, of no
more letters than the killed worker had in its hands, and it is never a second letter.
"""

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Final

import httpx
import pytest

from omonat.base.instants import MINUTE
from tests.faults.breaking import kill
from tests.whole import witness
from tests.whole.mailing import Campaign, sending
from tests.whole.serving import Installation

MANY: Final = 2_000
TOGETHER: Final = 8
"""Hand-overs one worker has in its hands at a time."""
_STANDING: Final = 20
"""Hand-overs that stand still at the kill; fewer than all four have, for threads are few where processors are."""
_LEAVING_AT_THE_KILL: Final = 4
_EVERY_BATCH_HAS_MORE: Final = """
    select coalesce(bool_and(more), false) from (
        select bool_or(state = 'claimed') as more from outbox where state in ('claimed', 'handing-over') group by claim
    ) as batches
"""


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
        doubtful, taken_over = await send(campaign, leaving)
        await campaign.until(lambda now: not now["waiting"] and not now["in hands"])
        sent = time.monotonic()
        campaign.clock.step(3 * MINUTE)  # the claims of the dead have run out, if they hadn't yet
        await campaign.until(lambda now: not now["waiting"] and not now["in hands"] and not now["claimed"])
        campaign.clock.step(3 * MINUTE)  # and so has what it was handing over
        states = await campaign.until(
            lambda now: not now["waiting"] and not now["in hands"] and not now["handing-over"]
        )
        print(f"\n{many} made in {made - began:.0f} s, sent in {sent - made:.0f} s: {dict(states)}")
        print(f"  {await judged(campaign, leaving, doubtful)}; taken over {taken_over}, cut off {len(doubtful)}")
    status, said = await asyncio.to_thread(witness.verify, of)
    assert status == 0, said


async def send(campaign: Campaign, leaving: int) -> tuple[set[str], int]:
    """All of it leaves, people as well; one worker is killed half-way. Whose letters it was handing over, and how many
    more it had in its hands."""
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
            await _standing_half_way(campaign)
            for to in chance.sample([to for to in relay.held if to not in order], _LEAVING_AT_THE_KILL):
                group.create_task(campaign.leave(web, to))
            await asyncio.sleep(0.3)  # their withdrawals are written, and wait for the letters under way
            kill(chance.choice(campaign.service.children("jobs")))
            async with asyncio.timeout(20.0):
                left = await campaign.left_by_the_dead()
            relay.release()
        await relay.until_taken(many // 2)
    assert 0 < len(left["handing-over"]) <= TOGETHER, left
    assert left["claimed"], "it was killed with a batch in its hands"
    return set(left["handing-over"]), len(left["claimed"])


async def _standing_half_way(campaign: Campaign) -> None:
    """Hand-overs stand still, and whichever worker is killed now has begun some of its batch and not all of it."""
    relay = campaign.relay
    while True:
        relay.hold()
        await relay.until_held(_STANDING, 3.0)
        if await campaign.database.fetchval(_EVERY_BATCH_HAS_MORE):
            return
        relay.release()
        await relay.until_taken(len(relay.accepted) + _STANDING)


async def judged(campaign: Campaign, leaving: int, doubtful: set[str]) -> str:
    """None after an acknowledged withdrawal, none twice, none lost; each person's letter is what the outbox says.

    Who left is gone from it: the consent was the only reason to keep them, so they are erased within a minute.
    """
    relay, acknowledged = campaign.relay, campaign.acknowledged
    arrived = Counter(letter.to for letter in relay.accepted)
    assert max(arrived.values()) == 1, "none twice"
    late = [one for one in relay.accepted if one.began > acknowledged.get(one.to, one.began)]
    assert not late, "nothing begins after an acknowledged withdrawal"
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
                assert person in doubtful, "the only doubt is what the killed one was handing over"
                came[bool(arrived[to])] += 1
            case other:
                raise AssertionError(other)
    assert arrived.keys() <= campaign.people.keys()
    assert len(acknowledged) == leaving + _LEAVING_AT_THE_KILL
    had = sum(arrived[to] for to in acknowledged)
    assert 0 < had < len(acknowledged), "some left before their letter, some after it"
    doubts = f"of {came.total()} in doubt {came[True]} came"
    return f"{arrived.total()} came; {doubts}; of {len(acknowledged)} who left {had} had theirs before"
