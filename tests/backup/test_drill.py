"""The drill: what is promised of backups is tried beside the running service, measured, and says when it wasn't."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path

from omonat.backup import manifest as manifests
from omonat.backup.drill import Drill, DrillReport, as_json, facts_of
from omonat.backup.sources import Sources
from omonat.base.instants import DAY, Instant, from_rfc3339
from omonat.base.verdict import Allow, CannotTell, Deny
from omonat.policy.durations import parse_duration
from omonat.promises.security.rule import decide_drill
from tests.backup.conftest import Ruin, Town, erase, subscriber

MakeRuin = Callable[[], Awaitable[Ruin]]


async def drill(town: Town, backup: Path, meanwhile: Callable[[str], None] = lambda _step: None) -> DrillReport:
    manifest, signed = manifests.read(backup)
    sources = Sources(backup=backup, manifest=manifest, signed=signed, identities=[], keys=town.keys_of(backup))
    folder = town.place / f"drill-{backup.parent.name}"
    folder.mkdir()
    work = Drill(town.house.stores, folder, sources, town.clock, reached=meanwhile)
    return await work.run(await town.empty())


async def test_S6_the_drill_brings_everything_back_and_says_how_old_and_how_long(town: Town) -> None:
    person, gone = await subscriber(town), await town.order(mobile="+998907770002")
    backup = await town.backup()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await erase(town, gone)
    await town.settle()
    report = await drill(town, backup)
    assert report.passed
    assert report.recovery_point > 10
    assert report.journal_waiting == 0
    assert report.restore.buried_people == 1
    assert set(report.seconds) == {"copies", "loaded", "migrated", "committed", "proved", "verified"}
    await town.house.safeguards.note_drill(
        backup="bak", passed=report.passed, report=as_json(report), facts=facts_of(report)
    )
    assert isinstance(await town.house.safeguards.drill_standing(), Allow)
    act = await town.house.grounds.database.pool.fetchval("select act from entries where act like 'drill:%'")
    assert act == "drill:restore:passed"


async def test_S6_somebody_is_erased_during_the_drill_and_it_still_tells_the_truth(town: Town) -> None:
    gone = await town.order()
    await town.order(mobile="+998907770002")
    backup = await town.backup()
    slot = await town.house.grounds.database.pool.fetchval("select slot from persons where id = $1", gone)

    def meanwhile(step: str) -> None:
        if step == "committed":
            town.house.grounds.vault.destroy_slots([slot])

    assert (await drill(town, backup, meanwhile)).passed


async def test_S6_a_drill_of_data_that_no_longer_opens_fails(town: Town) -> None:
    await subscriber(town)
    pool = town.house.grounds.database.pool
    await pool.execute("update sections set sealed = sealed || '\\x00'::bytea")
    report = await drill(town, await town.backup())
    assert not report.passed
    living = next(one for one in report.restore.findings if one.what == "living")
    assert living.wrong == living.looked_at > 0


async def test_S6_two_slots_exchanged_in_a_copy_of_the_keys_are_seen(town: Town) -> None:
    await subscriber(town)
    backup = await town.backup()
    slots = bytearray((town.home / "keys" / "slots").read_bytes())
    at = 8192 + 64
    slots[at : at + 64], slots[at + 64 : at + 128] = slots[at + 64 : at + 128], slots[at : at + 64]
    same, destroyed, other = town.house.grounds.vault.compare_copy(bytes(slots))
    assert (destroyed, other) == (0, 2)
    assert same > 0
    assert (await drill(town, backup)).passed


async def test_S6_an_overdue_drill_is_a_broken_safeguard_and_a_work_item_once(town: Town) -> None:
    safeguards, pool = town.house.safeguards, town.house.grounds.database.pool
    waiting = """select count(*) from work_items
        where rule = 'doubt-safeguard' and missing = 'restore-drill' and closed_at is null"""
    await safeguards.look_after()
    assert await pool.fetchval(waiting) == 0
    town.clock.forward(93 * DAY)
    verdict = await safeguards.drill_standing()
    assert isinstance(verdict, Deny)
    assert verdict.reasons[0].code == "drill-overdue"
    await safeguards.look_after()
    await safeguards.look_after()
    assert await pool.fetchval(waiting) == 1
    await safeguards.note_drill(backup="bak", passed=False, report={}, facts={})
    assert isinstance(await safeguards.drill_standing(), Deny)
    await safeguards.note_drill(backup="bak", passed=True, report={}, facts={})
    assert isinstance(await safeguards.drill_standing(), Allow)
    await safeguards.look_after()
    assert await pool.fetchval(waiting) == 0


def test_S6_the_rule_of_drills() -> None:
    review, made = parse_duration("P3M"), town_made()
    due = review.after(made, UTC)
    assert isinstance(decide_drill(review, passed_at=None, since=made, now=Instant(due - 1)), Allow)
    assert isinstance(decide_drill(review, passed_at=None, since=made, now=due), Deny)
    assert isinstance(decide_drill(review, passed_at=Instant(made + DAY), since=made, now=due), Allow)
    assert isinstance(decide_drill(None, passed_at=made, since=made, now=made), CannotTell)


def town_made() -> Instant:
    return from_rfc3339("2026-12-01T00:00:00Z")
