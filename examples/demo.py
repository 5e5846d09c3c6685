"""Makes the demo a place where something has happened. Started by `omonat demo`, once requests are answered:

    python -m examples.demo set-up    policy, credentials, staff, the first people; writes build/demo.json
    python -m examples.demo people    everybody else, while one can already look around

Both may be killed and started again at any time, and do only what is not done yet.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from examples import demo_setup
from examples.demo_home import DemoHome, SetUp, readable, write_private
from examples.demo_people import Filling, Journal, open_cases
from examples.demo_uses import Uses
from examples.population import MadeUp, population
from omonat.base import logs
from omonat.base.instants import Instant
from omonat.base.settings import Settings, demo_details, load
from omonat.cli._speech import tell
from omonat.house import open_house, system_clock

CLONE = Path(__file__).resolve().parent.parent
FIRST = 80
"""So many people are there before the demo says it is ready; those with an open order come first."""
_SHOWN = 6
_CROWD = 3_000


def main(part: str) -> int:
    """Do one of the two parts; the exit status."""
    os.umask(0o077)
    settings = load(os.environ)
    logs.configure(level=settings.log_level, form=settings.log_format)
    work = {"set-up": set_up, "people": people}[part]
    asyncio.run(work(settings, DemoHome.of(settings)))
    return 0


async def set_up(settings: Settings, home: DemoHome) -> None:
    """Policy, credentials, staff, once; then the first people; then say where everything is."""
    demo_details(settings.home, CLONE).unlink(missing_ok=True)
    made = home.set_up() or await _made_by_the_house(settings, home)
    if not (home.folder / "first").exists():
        tell("making up the first people")
        await _first_people(settings, home, made)
        write_private(home.folder / "first", b"")
    _write_details(settings, home, made)


async def _made_by_the_house(settings: Settings, home: DemoHome) -> SetUp:
    tell("publishing the policy, registering staff")
    async with open_house(settings) as house:
        return await demo_setup.set_up(house, home, system_clock())


async def _first_people(settings: Settings, home: DemoHome, made: SetUp) -> None:
    crowd = everybody(Instant(made.began), settings.demo_people)
    with Journal(home.journal) as journal:
        filling = Filling(settings.address, made, journal)
        await filling.fill(crowd[:FIRST])
        _say_refused(filling.refused)
        shown = await Uses(settings.address, made, journal).record(crowd, _SHOWN)
    write_private(home.folder / "shown.json", readable(shown))


async def people(settings: Settings, home: DemoHome) -> None:
    """Everybody who is not there yet, in the order of their opening."""
    if (home.folder / "filled").exists():
        return
    made = home.set_up()
    assert made is not None
    crowd, began = everybody(Instant(made.began), settings.demo_people), time.monotonic()
    told = [began, 0.0]

    def tell_how_far(_person: int) -> None:
        told[1] += 1
        if time.monotonic() - told[0] > 5:
            told[0] = time.monotonic()
            tell("made-up people: %(there)s of %(all)s", there=f"{told[1]:,.0f}", all=f"{len(crowd):,}")

    with Journal(home.journal) as journal:
        filling = Filling(settings.address, made, journal)
        await filling.fill(crowd, tell_how_far)
    _say_refused(filling.refused)
    write_private(home.folder / "filled", b"")
    took = f"{time.monotonic() - began:.0f}"
    tell("all made-up people are there (%(all)s), after %(seconds)s s", all=f"{len(crowd):,}", seconds=took)


def everybody(began: Instant, size: int) -> list[MadeUp]:
    """The demo's people: those who wait for something now, then the others, the latest customers first.

    A small demo is cut from a large population, so that it too has orders on their way.
    """
    people = population(now=began, size=max(size, _CROWD), couriers=demo_setup.COURIERS).people
    return sorted(people, key=lambda person: (not open_cases(person), -person.steps[-1].at))[:size]


def _write_details(settings: Settings, home: DemoHome, made: SetUp) -> None:
    base = settings.address
    shown = home.folder / "shown.json"
    details = {
        "base": base,
        "home": str(settings.home),
        "policy": f"{base}/page/privacy-policy",
        "catcher": f"{base}/catcher",
        "clients": made.clients,
        "staff": made.staff,
        "people": msgspec.json.decode(shown.read_bytes()) if shown.exists() else [],
    }
    place = demo_details(settings.home, CLONE)
    place.parent.mkdir(exist_ok=True)
    write_private(place, readable(details))


def _say_refused(refused: Counter[str]) -> None:
    if refused:
        tell("refused while filling: %(what)s", what=dict(refused))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
