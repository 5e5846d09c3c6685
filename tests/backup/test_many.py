"""Ten thousand erasures since the backup: replayed in time, and the others untouched (bar a8)."""

import time
from collections.abc import Awaitable, Callable

from omonat.base.ids import new_id
from omonat.base.instants import SECOND
from omonat.evidence.entry import Entry
from tests.backup.conftest import Ruin, Town

MakeRuin = Callable[[], Awaitable[Ruin]]


async def test_R3_ten_thousand_erasures_are_replayed_within_a_minute_and_nobody_else_is_touched(
    town: Town, ruin: MakeRuin
) -> None:
    many, others = 10_000, 1_000
    people = await settled(town, many + others)
    backup = await town.backup()
    gone = people[:many]
    pool, vault = town.house.grounds.database.pool, town.house.grounds.vault
    async with town.house.grounds.database.transaction() as connection:
        await connection.execute(
            "update persons set erased_at = $2, standing = null where id = any($1)", [p for p, _ in gone], town.clock()
        )
        entry = Entry(new_id("ev"), town.clock(), "erasure:person:hidden", {})
        await town.house.grounds.journal.append(connection, [entry], now=town.clock())
    vault.destroy_slots([slot for _, slot in gone])
    await town.settle()
    assert not await pool.fetchval("select count(*) from control_changes")
    new = await ruin()
    began = time.monotonic()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    took = time.monotonic() - began
    assert report.proved
    assert report.buried_people == many
    assert took <= 60
    living = {one.what: one for one in report.findings}["living"]
    assert living.looked_at == others
    async with new.opened() as house:
        left = await house.grounds.database.pool.fetch("select id from persons where erased_at is null")
        assert {row["id"] for row in left} == {p for p, _ in people[many:]}


async def settled(town: Town, count: int) -> list[tuple[str, int]]:
    """People with one record and one section each, written as many at once."""
    house, now = town.house, town.clock()
    slots = house.grounds.vault.reserve_slots(3 * count)
    people = [(new_id("per"), new_id("rec"), *slots[3 * n : 3 * n + 3]) for n in range(count)]
    seal = house.grounds.vault.seal_section
    sealed = [
        seal(person=p, person_slot=s, record=r, record_slot=rs, category="contact", version=1, items={"name": "Ism"})
        for p, r, s, _, rs in people
    ]
    async with house.grounds.database.transaction() as connection:
        await connection.execute(
            "insert into persons (id, slot, evidence_slot, language, created_at)"
            " select p, s, e, 'uz', $4 from unnest($1::text[], $2::bigint[], $3::bigint[]) as q(p, s, e)",
            [p[0] for p in people], [p[2] for p in people], [p[3] for p in people], now,
        )  # fmt: skip
        await connection.execute(
            "insert into records (id, person, service, version, slot, source, collected_at)"
            " select r, p, 'order', 1, s, 'site', $4 from unnest($1::text[], $2::text[], $3::bigint[]) as q(r, p, s)",
            [p[1] for p in people], [p[0] for p in people], [p[4] for p in people], now,
        )  # fmt: skip
        await connection.execute(
            "insert into sections (record, category, person, collected_at, sealed)"
            " select r, 'contact', p, $4, b from unnest($1::text[], $2::text[], $3::bytea[]) as q(r, p, b)",
            [p[1] for p in people], [p[0] for p in people], sealed, now,
        )  # fmt: skip
    town.clock.forward(SECOND)
    return [(p[0], p[2]) for p in people]
