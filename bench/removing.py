"""What removing costs when ten times as much is kept, and when ten times as much is due: a small town and the large one
in turns.

Whoever is erased and whatever expires is made beforehand, outside the measured time and as much in either town. The
keys that were destroyed are read from the key file, and must be those of what had to go and no others.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

from bench.erasing import Watched, rest, sweep
from bench.figures import Figure, in_rounds, percentile, ratio
from bench.people import DUE, NEWSLETTER, STANDS, kilobyte, settle
from bench.town import Town
from omonat.base.instants import HOUR
from omonat.flows.sweep import Swept

_RECORDS = 10
_ERASED = 3  # people in one turn
_IDLE = 6  # rounds of the sweeper in one turn
_TURNS = {"erase": 2, "idle": 4}  # for each round of the others: what is over quickly feels whatever else goes on
_LOOKED_AT = 3  # of the living, after each sweep
_MORE = 10  # times as many are due
_WAITING = 0.01  # as many people, of those who are there, were erased and wait for the end of the look-up key
_ERASED_BEFORE = """
insert into erasures (id, scope, cause, person, asked_by, policy, slots, seal, lookup_epoch, copies,
                      hidden_at, sealed_at, destroyed_at, swept_at, entries)
select 'ers_before_' || n, 'person', 'asked', 'per_before_' || n, 'person', 1, array[n], sha256(n::text::bytea), $2, 1,
       e.at, e.at, e.at, e.at, '{"hidden": "", "destroyed": "", "packets": "", "swept": ""}'
  from generate_series(1, $1::bigint) n, lateral (select now() - n * interval '1 second' as at) e
"""


async def figures(small: Town, large: Town, *, rounds: int, due: int) -> list[Figure]:
    """The rows; `due` records are swept at a time. Raises AssertionError when too much or too little was destroyed."""
    for town in (small, large):
        await rest(town)
    rows = [await _erasures(small, large, rounds), await _sweeps(small, large, rounds, due)]
    return [*rows, await _idle(small, large, rounds), await _more_due(small, rounds, due)]


class _Destroyed:
    """The keys of a town that were destroyed since."""

    def __init__(self, town: Town) -> None:
        self._vault = town.house.grounds.vault
        self._before = self._vault.key_state().generation

    def are(self, slots: Collection[int]) -> None:
        """Raises AssertionError unless they are exactly these."""
        gone = {slot for slot, _ in self._vault.destroyed_since(self._before)}
        assert gone == set(slots), f"{len(gone - set(slots))} keys too many, {len(set(slots) - gone)} too few destroyed"


async def _erasures(small: Town, large: Town, rounds: int) -> Figure:
    ways: dict[str, Callable[[], Awaitable[float]]] = {}
    living = []
    for name, town in (("small", small), ("large", large)):
        many = _ERASED * (_TURNS["erase"] * rounds + 1)
        people = await settle(town, many + _LOOKED_AT, [(NEWSLETTER, HOUR)] * _RECORDS, plain=False)
        living.append((town, [people.pop() for _ in range(_LOOKED_AT)]))
        await town.house.grounds.database.pool.execute("vacuum analyze")
        ways[name] = partial(_erase, town, Watched(town), people)
    for way in ways.values():
        await way()  # warms it
    taken = await in_rounds(ways, _TURNS["erase"] * rounds)
    for town, others in living:
        await _still_read(town, others, _RECORDS)
    return _beside(small, large, f"erasing a person with {_RECORDS} records, to key destroyed", taken)


async def _erase(town: Town, eraser: Watched, people: list[str]) -> float:
    """Seconds to *key destroyed*, the mean of a few of these people."""
    slots = await _numbers(town, "select slot from persons where id = any($1::text[])", people[-_ERASED:])
    kept = await _records(town) - _RECORDS * _ERASED
    destroyed = _Destroyed(town)
    taken = sum([await eraser.one_of(people) for _ in range(_ERASED)]) / _ERASED
    destroyed.are(slots)
    assert await _records(town) == kept
    return taken


async def _sweeps(small: Town, large: Town, rounds: int, due: int) -> Figure:
    ways = {"small": partial(_expire, small, due), "large": partial(_expire, large, due)}
    for town in (small, large):
        await _expire(town, due)  # warms it
        await town.house.grounds.database.pool.execute("vacuum analyze")
    taken = await in_rounds(ways, rounds)
    return _beside(small, large, f"a sweep of {due:,} due records, to key destroyed", taken)


async def _expire(town: Town, due: int) -> float:
    """Seconds until so many records of living people are swept, which were made before."""
    people = await settle(town, max(1, due // _RECORDS), [*STANDS, *[DUE] * _RECORDS], plain=False)
    slots = await _numbers(town, "select slot from records where due_at <= $1", town.clock())
    kept = await _records(town) - len(slots)
    assert len(slots) == len(people) * _RECORDS
    destroyed = _Destroyed(town)
    taken = await sweep(town)
    destroyed.are(slots)
    assert await _records(town) == kept
    await _still_read(town, people[:_LOOKED_AT], len(STANDS))
    return taken


async def _idle(small: Town, large: Town, rounds: int) -> Figure:
    """Right after the sweeps: what they removed may still lie in the indices, as in a town at work. Erasures wait for
    the end of the look-up key, more in the larger town."""
    for town in (small, large):
        pool, epoch = town.house.grounds.database.pool, town.house.grounds.vault.lookup_epoch
        await pool.execute(_ERASED_BEFORE, int(_WAITING * town.people), epoch)
        await pool.execute("analyze erasures")
    ways = {"small": partial(_rounds, small), "large": partial(_rounds, large)}
    taken = await in_rounds(ways, _TURNS["idle"] * rounds)
    return _beside(small, large, "a round of the sweeper with nothing due", taken)


async def _rounds(town: Town) -> float:
    """Seconds of one round of the sweeper that has nothing to do, the mean of some."""
    destroyed, start = _Destroyed(town), time.perf_counter()
    swept = [await town.house.sweeper.round() for _ in range(_IDLE)]
    taken = (time.perf_counter() - start) / _IDLE
    assert swept == [Swept()] * _IDLE
    destroyed.are(())
    return taken


async def _more_due(town: Town, rounds: int, due: int) -> Figure:
    """Seconds a record, few and many due in one town; vacuumed before each, so that neither walks over the other's."""

    async def each(many: int) -> float:
        await town.house.grounds.database.pool.execute("vacuum analyze records, sections")
        return await _expire(town, many) / many

    taken = await in_rounds({"few": partial(each, due), "many": partial(each, _MORE * due)}, rounds)
    what = f"each of {_MORE * due:,} records that are due, beside each of {due:,}"
    return _price(what, taken["many"], taken["few"], {f"{name}, µs": 1e6 * each for name, each in _middle(taken)})


def _beside(small: Town, large: Town, what: str, taken: dict[str, list[float]]) -> Figure:
    what = f"{what}, {large.people:,} people's records beside {small.people:,}"
    return _price(what, taken["large"], taken["small"], {f"{name}, ms": 1e3 * each for name, each in _middle(taken)})


def _price(what: str, of: Sequence[float], beside: Sequence[float], more: dict[str, float]) -> Figure:
    pairs = list(zip(of, beside, strict=True))
    return ratio(f"price of {what}", pairs, gate=1.3, at_most=True, durable=True, more=more)


def _middle(taken: dict[str, list[float]]) -> list[tuple[str, float]]:
    return [(name, percentile(seconds, 0.5)) for name, seconds in taken.items()]


async def _numbers(town: Town, statement: str, *given: object) -> list[int]:
    return [row[0] for row in await town.house.grounds.database.pool.fetch(statement, *given)]


async def _records(town: Town) -> int:
    return int(await town.house.grounds.database.pool.fetchval("select count(*) from records"))


async def _still_read(town: Town, people: Sequence[str], records: int) -> None:
    """Nothing of the living went with what had to go."""
    for person in people:
        found = await town.house.my_data(person)
        town.answered["access:person:viewed"] += 1
        values = sorted(value for number in range(records) for value in kilobyte(number).values())
        assert sorted(held.value for held in found.held) == values, "a record of a living person was lost"
