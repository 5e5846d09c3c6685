"""S2, S6: whoever writes in the database exchanges, moves or rolls back parts of sealed records (bar a5).

Two thousand swaps, each met by an ordinary use: none is accepted, each is withheld with its reason, stands in evidence
and in the work of a person; and the parts that were left alone are given as ever.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from omonat.base.errors import OmonatError
from omonat.flows.collect import CollectRequest
from omonat.flows.use import UseAnswer, UseRequest
from tests.flows.conftest import Shop, street  # noqa: F401 - a fixture

PEOPLE = 60
SWAPS = 2_000
CONTACT = ("contact.name", "contact.mobile", "contact.postal-address")


@dataclass(frozen=True)
class Kept:
    """One order as it was taken in, and its rows."""

    case: str
    person: str
    record: str
    items: Mapping[str, Any]


async def orders(shop: Shop) -> list[Kept]:
    async def one(n: int) -> Kept:
        items = {
            "contact.name": f"Zilola Rahimova{'a' * (n % 7)}",
            "contact.mobile": f"+99890{1_000_000 + n}",
            "contact.postal-address": f"Toshkent, {n}-uy",
            "transaction.order-lines": [{"item": "Osh", "count": n + 1, "price": 4_500_000}],
            "transaction.amount": 4_500_000 * (n + 1),
        }
        case = f"order:swap-{n}"
        taken = await shop.house.collect(
            CollectRequest(credential=shop.credentials["site"], service="order", items=items, version="1", case=case,
                           consents={}, accepted=True)
        )  # fmt: skip
        return Kept(case, taken.person, taken.record, items)

    return list(await asyncio.gather(*(one(n) for n in range(PEOPLE))))


Swap = Callable[[asyncpg.Connection, Kept, Kept, random.Random], Awaitable[None]]
_SEALED = "update sections set sealed = $3 where record = $1 and category = $2"


async def sealed_of(connection: asyncpg.Connection, record: str, category: str) -> bytes:
    return bytes(
        await connection.fetchval("select sealed from sections where record = $1 and category = $2", record, category)
    )


async def from_another_person(connection: asyncpg.Connection, mine: Kept, other: Kept, _: random.Random) -> None:
    await connection.execute(_SEALED, mine.record, "contact", await sealed_of(connection, other.record, "contact"))


async def from_another_category(connection: asyncpg.Connection, mine: Kept, _: Kept, __: random.Random) -> None:
    await connection.execute(_SEALED, mine.record, "contact", await sealed_of(connection, mine.record, "transaction"))


async def with_another_records_key(connection: asyncpg.Connection, mine: Kept, other: Kept, _: random.Random) -> None:
    await connection.execute("update records set slot = -slot where id = $1", other.record)
    await connection.execute(
        "update records set slot = (select -slot from records where id = $2) where id = $1", mine.record, other.record
    )


async def with_another_persons_key(connection: asyncpg.Connection, mine: Kept, other: Kept, _: random.Random) -> None:
    await connection.execute("update persons set slot = -slot where id = $1", other.person)
    await connection.execute(
        "update persons set slot = (select -slot from persons where id = $2) where id = $1", mine.person, other.person
    )


async def with_a_key_nobody_made(connection: asyncpg.Connection, mine: Kept, _: Kept, chance: random.Random) -> None:
    slot = chance.choice([1, 10**6]) + chance.randrange(10**6)  # made and of nobody, or not made
    await connection.execute("update records set slot = $2 where id = $1", mine.record, slot)


async def under_another_version(connection: asyncpg.Connection, mine: Kept, _: Kept, __: random.Random) -> None:
    await connection.execute("update records set version = version + 1 where id = $1", mine.record)


async def whole_sections_exchanged(connection: asyncpg.Connection, mine: Kept, other: Kept, _: random.Random) -> None:
    """The rows themselves, with their keys of record and person left to the new place."""
    await connection.execute("delete from sections where record = $1 and category = 'contact'", mine.record)
    await connection.execute(
        "update sections set record = $1, person = $2 where record = $3 and category = 'contact'",
        mine.record, mine.person, other.record,
    )  # fmt: skip


async def the_record_given_to_another_person(
    connection: asyncpg.Connection, mine: Kept, other: Kept, _: random.Random
) -> None:
    """Somebody else's record, keys and all, is put into this person's case."""
    await connection.execute("update records set case_id = null where id = $1", mine.record)
    await connection.execute(
        "update records set person = $1, case_id = $2 where id = $3", mine.person, mine.case, other.record
    )
    await connection.execute("update sections set person = $1 where record = $2", mine.person, other.record)


async def a_bit_turned(connection: asyncpg.Connection, mine: Kept, _: Kept, chance: random.Random) -> None:
    sealed = bytearray(await sealed_of(connection, mine.record, "contact"))
    sealed[chance.randrange(len(sealed))] ^= 1 << chance.randrange(8)
    await connection.execute(_SEALED, mine.record, "contact", bytes(sealed))


async def cut_or_longer(connection: asyncpg.Connection, mine: Kept, _: Kept, chance: random.Random) -> None:
    sealed = await sealed_of(connection, mine.record, "contact")
    changed = sealed[: chance.randrange(len(sealed))] if chance.random() < 0.5 else sealed + b"\0"
    await connection.execute(_SEALED, mine.record, "contact", changed)


async def halves_put_together(connection: asyncpg.Connection, mine: Kept, other: Kept, chance: random.Random) -> None:
    one, two = await sealed_of(connection, mine.record, "contact"), await sealed_of(connection, other.record, "contact")
    at = chance.randrange(1, min(len(one), len(two)))
    mixed = one[:at] + two[at:]
    await connection.execute(_SEALED, mine.record, "contact", mixed if mixed != one else two)


KINDS: Sequence[Swap] = (
    from_another_person, from_another_category, with_another_records_key, with_another_persons_key,
    with_a_key_nobody_made, under_another_version, whole_sections_exchanged, the_record_given_to_another_person,
    a_bit_turned, cut_or_longer, halves_put_together,
)  # fmt: skip


async def test_S6_no_exchanged_or_changed_part_of_a_sealed_record_is_ever_accepted(street: Shop) -> None:  # noqa: F811
    chance, kept = random.Random(5), await orders(street)
    before = await met(street)
    done = 0
    while done < SWAPS:
        pairs = chance.sample(kept, PEOPLE)
        swaps = [(chance.choice(KINDS), *pairs[n : n + 2]) for n in range(0, PEOPLE, 2)]
        await exchanged(street, swaps, chance)
        done += len(swaps)
    entries, work = await met(street)
    assert entries - before[0] == done
    assert work - before[1] >= 30
    for one in kept:  # and nothing was left behind
        assert (await used(street, one)).items["contact.name"] == one.items["contact.name"]


async def exchanged(shop: Shop, swaps: Sequence[tuple[Swap, Kept, Kept]], chance: random.Random) -> None:
    """Do the swaps, use each record they concern, put everything back."""
    database = shop.house.grounds.database
    async with database.connection() as connection:
        for table in ("persons", "records", "sections"):
            await connection.execute(f"create temporary table kept_{table} as table {table}")
        for swap, mine, other in swaps:
            await swap(connection, mine, other, chance)
        try:
            answers = await asyncio.gather(*(used(shop, mine) for _, mine, _ in swaps))
        finally:
            await connection.execute(_PUT_BACK)
    for (swap, mine, _), answer in zip(swaps, answers, strict=True):
        given = {item: value for item, value in answer.items.items() if item.startswith("contact.")}
        assert given == {}, f"{swap.__name__} was accepted"
        assert {answer.withheld[item].code for item in CONTACT} == {"section-tampered"}, swap.__name__
        assert set(answer.items.values()) <= {str(v) for v in mine.items.values()}


_PUT_BACK = """
begin;
update records set slot = -2000000 - slot where slot > 0;
update persons set slot = -2000000 - slot where slot > 0;
delete from sections;
update records r set (person, case_id, version, slot) = (k.person, k.case_id, k.version, k.slot)
  from kept_records k where k.id = r.id;
update persons p set slot = k.slot from kept_persons k where k.id = p.id;
insert into sections select * from kept_sections;
drop table kept_persons, kept_records, kept_sections;
commit;
"""


async def used(shop: Shop, of: Kept) -> UseAnswer:
    request = UseRequest(credential=shop.credentials["site"], purpose="deliver-order", case=of.case, items=CONTACT)
    try:
        return await shop.house.use(request)
    except OmonatError as error:
        raise AssertionError(f"{error.code} instead of an answer") from error


async def met(shop: Shop) -> tuple[int, int]:
    """How many entries say that a section is broken, and how many items of work wait."""
    async with shop.house.grounds.database.connection() as connection:
        entries = await connection.fetchval("select count(*) from entries where act = 'integrity:section:broken'")
        return entries, await connection.fetchval("select count(*) from work_items where rule = 'integrity'")
