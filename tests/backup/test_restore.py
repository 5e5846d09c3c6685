"""A restore brings back the living and none of the erased, and undoes nothing that was decided since."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from omonat.base.errors import BadInput, Fault, Refused, Unavailable
from omonat.base.instants import DAY, MINUTE, SECOND, Instant
from omonat.base.settings import RootSource
from omonat.flows.choose import Choosing
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import House
from omonat.vault.root import RootKey
from omonat.vault.shares import keep_set, make_set
from omonat.vault.sources import gathering, keep_stretching, root_key, standing
from tests.backup.conftest import Ruin, Town, erase, subscriber
from tests.flows.conftest import document, packs
from tests.flows.test_children import officer, signed
from tests.flows.test_parent_asks import asking, listing

MakeRuin = Callable[[], Awaitable[Ruin]]


async def for_marketing(house: House, town: Town, person: str) -> UseAnswer:
    credential = town.shop.credentials["campaigns"]
    trained = Instant(town.clock() + 365 * DAY)
    anna = Registration(ref="501", name="Xodim 501", role="marketing", trained_until=trained)
    await house.staff.put(anna, by="test")
    return await house.use(
        UseRequest(credential=credential, purpose="marketing-email", person=person, on_behalf_of="501")
    )


async def test_C4_a_withdrawal_made_after_the_backup_stands_after_the_restore(town: Town, ruin: MakeRuin) -> None:
    person = await subscriber(town)
    assert (await for_marketing(town.house, town, person)).items
    backup = await town.backup()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert not report.gap
    async with new.opened() as house:
        with pytest.raises(Refused) as refused:
            await for_marketing(house, town, person)
        assert refused.value.code == "no-consent"


async def test_R3_who_was_erased_after_the_backup_stays_erased_and_the_living_are_readable(
    town: Town, ruin: MakeRuin
) -> None:
    gone, stays = await town.order(), await town.order(mobile="+998901112233")
    backup = await town.backup()
    await erase(town, gone)
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert report.buried_people == 1
    async with new.opened() as house:
        database = house.grounds.database
        async with database.connection() as connection:
            assert await connection.fetchval("select erased_at is not null from persons where id = $1", gone)
            for table in ("records", "sections", "lookups"):
                assert not await connection.fetchval(f"select count(*) from {table} where person = $1", gone), table
            assert await connection.fetchval("select count(*) from sections where person = $1", stays)
        living = next(one for one in report.findings if one.what == "living")
        assert living.looked_at >= 2
        assert not living.wrong
        held = await house.my_data(stays)
        assert held is not None


async def test_R2_what_a_duty_kept_of_an_erased_record_comes_back_and_the_rest_does_not(
    town: Town, ruin: MakeRuin
) -> None:
    """After the backup the amount was sealed anew under new keys, and everything else lost its key."""
    person = await town.order()
    backup = await town.backup()
    pool, vault = town.house.grounds.database.pool, town.house.grounds.vault
    old = await pool.fetchrow(
        "select r.id, r.slot, p.slot as person_slot from records r join persons p on p.id = r.person"
    )
    new_person, new_record = vault.reserve_slots(2)
    sealed = vault.seal_section(
        person=person, person_slot=new_person, record=old["id"], record_slot=new_record, category="transaction",
        version=1, items={"amount": 9_000_000},
    )  # fmt: skip
    async with town.house.grounds.database.transaction() as connection:
        await connection.execute(
            "update persons set slot = $2, erased_at = $3 where id = $1", person, new_person, town.clock()
        )
        await connection.execute("delete from sections where record = $1 and category <> 'transaction'", old["id"])
        await connection.execute("update sections set sealed = $2 where record = $1", old["id"], sealed)
        await connection.execute("update records set slot = $2 where id = $1", old["id"], new_record)
    vault.destroy_slots([old["slot"], old["person_slot"]])
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.keys_lost == 0
    assert report.proved
    async with new.opened() as house, house.grounds.database.connection() as connection:
        rows = await connection.fetch("select category, sealed from sections where person = $1", person)
        assert [(row["category"], row["sealed"]) for row in rows] == [("transaction", sealed)]
        assert await connection.fetchval("select erased_at is not null from persons where id = $1", person)


async def test_R3_older_keys_are_destroyed_again_what_was_destroyed_since(town: Town, ruin: MakeRuin) -> None:
    """The keys come from the backup, made before the erasure: the journal's tombstones kill them first."""
    gone = await town.order()
    backup = await town.backup()
    slot = await town.house.grounds.database.pool.fetchval("select slot from persons where id = $1", gone)
    await erase(town, gone)
    await town.order(mobile="+998905556677")
    await town.settle()
    new = await ruin()
    await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    async with new.opened() as house:
        assert house.grounds.vault.is_destroyed(slot)
        state, live = house.grounds.vault.key_state(), town.house.grounds.vault.key_state()
        assert state.high_water >= live.high_water
        fresh = house.grounds.vault.reserve_slots(1)[0]
    assert fresh >= live.high_water


async def test_S4_a_former_employee_stays_out_when_the_role_end_is_younger_than_the_backup(
    town: Town, ruin: MakeRuin
) -> None:
    await town.order()
    backup = await town.backup()
    ended = Registration(ref="204", name="Xodim 204", role="courier", trained_until=Instant(town.clock() + 365 * DAY),
                         role_until=town.clock())  # fmt: skip
    await town.house.staff.put(ended, by="test")
    await town.house.clients.end(name="panel")
    await town.settle()
    new = await ruin()
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    async with new.opened() as house:
        async with house.grounds.database.connection() as connection:
            assert await connection.fetchval("select role_until from staff where ref = '204'") == ended.role_until
        with pytest.raises(Refused) as refused:
            await house.use(
                UseRequest(credential=town.shop.credentials["panel"], purpose="deliver-order", case="order:41877",
                           on_behalf_of="301")
            )  # fmt: skip
        assert refused.value.code == "role-ended"


async def test_C2_restriction_objection_and_quarantine_made_since_stand(town: Town, ruin: MakeRuin) -> None:
    objector, restricted, child = [await town.order(mobile=f"+99890111000{n}") for n in range(3)]
    backup = await town.backup()
    await town.choose(objector, "objection", "given", "improve-services")
    await town.choose(restricted, "restriction", "given")
    async with town.house.grounds.database.transaction() as connection:
        await connection.execute("update persons set quarantined_at = $2 where id = $1", child, town.clock())
    await town.settle()
    new = await ruin()
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    async with new.opened() as house, house.grounds.database.connection() as connection:
        rows = {row["id"]: row for row in await connection.fetch("select * from persons")}
        assert "improve-services" in rows[objector]["standing"]["objections"]
        assert rows[restricted]["restricted_at"] is not None
        assert rows[child]["quarantined_at"] is not None


async def test_P1_the_policy_in_force_does_not_go_back(town: Town, ruin: MakeRuin) -> None:
    backup = await town.backup()
    newer = document(**{'version: "1"': 'version: "2"'})
    await town.house.publish(Publication(document=newer, packs=packs(), author="staff:1", approver="staff:2"))
    await town.settle()
    new = await ruin()
    assert (await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))).proved
    async with new.opened() as house:
        assert (await house.grounds.law.current()).version == "2"


async def test_S6_the_log_goes_on_from_where_it_was_and_names_what_is_lost(town: Town, ruin: MakeRuin) -> None:
    """Orders taken in after the backup can't be brought back: they are counted and named, and never made up."""
    await town.order()
    backup = await town.backup()
    await town.order(mobile="+998907770001")
    pool = town.house.grounds.database.pool
    record = await pool.fetchval("select id from records order by collected_at desc limit 1")
    entry = await pool.fetchval("select id from entries where act = 'collect:record:accepted' order by at desc limit 1")
    await town.settle()
    size = town.house.evidence.checkpoint().checkpoint.size
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert report.lost["collect:record:accepted"] == 1
    assert report.collections == (entry,)
    assert report.log == size
    async with new.opened() as house:
        recorded = await house.evidence.entry(entry)
        assert recorded.index is not None
        assert (await house.evidence.proof(entry)).index == recorded.index
        assert not await house.grounds.database.pool.fetchval("select count(*) from records where id = $1", record)


async def test_C1_a_withdrawal_the_journal_never_got_makes_the_consent_doubtful(town: Town, ruin: MakeRuin) -> None:
    """The host burned between the acknowledgement and the journal. The log has the entry: nobody is written to."""
    person, other = await subscriber(town), await town.order(mobile="+998901112233")
    backup = await town.backup()
    await town.settle()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    burned = town.newest_of_home()  # log with the entry, journal without the change
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(burned,))
    assert report.proved
    assert len(report.gap) == 1
    assert report.doubted == 1
    async with new.opened() as house:
        with pytest.raises(Refused) as refused:
            await for_marketing(house, town, person)
        assert refused.value.code == "consent-doubtful"
        items = await house.grounds.database.pool.fetch("select rule, person from work_items where closed_at is null")
        assert {"use", "restore"} <= {row["rule"] for row in items}
        new.clock.forward(SECOND)
        await house.choose(Choosing(person=person, kind="consent", purpose="marketing-email", state="given"))
        assert (await for_marketing(house, town, person)).items
        standing = await house.grounds.database.pool.fetchval("select standing from persons where id = $1", other)
        assert "doubt" not in (standing or {})


async def test_S4_a_role_end_the_journal_never_got_is_taken_from_the_log(town: Town, ruin: MakeRuin) -> None:
    backup = await town.backup()
    await town.settle()
    ended = Registration(ref="204", name="Xodim 204", role="courier", trained_until=Instant(town.clock() + 365 * DAY),
                         role_until=town.clock())  # fmt: skip
    await town.house.staff.put(ended, by="test")
    await town.house.clients.end(name="panel")
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.newest_of_home(),))
    assert report.proved
    assert len(report.gap) == 2
    async with new.opened() as house, house.grounds.database.connection() as connection:
        assert await connection.fetchval("select role_until from staff where ref = '204'") == ended.role_until
        assert await connection.fetchval("select until from clients where name = 'panel'") <= new.clock()


async def test_P1_a_version_the_journal_never_got_must_be_published_again_before_serving(
    town: Town, ruin: MakeRuin
) -> None:
    backup = await town.backup()
    await town.settle()
    newer = document(**{'version: "1"': 'version: "2"'})
    await town.house.publish(Publication(document=newer, packs=packs(), author="staff:1", approver="staff:2"))
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.newest_of_home(),))
    assert not report.proved
    assert len(report.open) == 1
    assert new.refuses_to_serve()
    async with new.opened() as house:
        await house.publish(Publication(document=newer, packs=packs(), author="staff:1", approver="staff:2"))
        assert (await new.prove_again(house)).proved
    assert not new.refuses_to_serve()


async def test_C4_a_database_administrator_puts_last_week_back_to_get_a_withdrawal_undone(
    town: Town, ruin: MakeRuin
) -> None:
    """In place, in the running home's database: the start refuses; and a restore over it keeps the withdrawal."""
    person = await subscriber(town)
    backup = await town.backup()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await town.settle()
    last_week = await ruin()
    await last_week.load_data_only(backup)  # what `psql` does with a dump of his own
    with pytest.raises(Fault) as fault:
        await last_week.check_beside(town.home)
    assert fault.value.code in ("evidence-database-rolled-back", "database-rolled-back")
    report = await last_week.restore(backup, keys=town.keys_of(backup), copies=(town.home,), over=True)
    assert report.proved
    async with last_week.opened() as house:
        with pytest.raises(Refused):
            await for_marketing(house, town, person)


async def test_S6_without_a_journal_nothing_is_restored(town: Town, ruin: MakeRuin) -> None:
    await town.order()
    backup = await town.backup()
    (backup / "journal.tar").unlink()
    new = await ruin()
    with pytest.raises(Fault) as fault:
        await new.restore(backup, keys=town.keys_of(backup))
    assert fault.value.code == "backup-part-missing"
    assert not (new.home / "log").exists()


async def test_S6_without_keys_nothing_is_restored(town: Town, ruin: MakeRuin) -> None:
    await town.order()
    backup = await town.backup(keys=False)
    new = await ruin()
    with pytest.raises(Unavailable) as unavailable:
        await new.restore(backup)
    assert unavailable.value.code == "keys-missing"


async def test_S6_a_passphrase_opens_restored_keys_and_shares_of_an_ended_set_do_not(
    town: Town, ruin: MakeRuin, tmp_path: Path
) -> None:
    """What tells how a passphrase is stretched, and which set of shares counts, comes back with the keys."""
    words = tmp_path / "words"
    words.write_text("tandir non qozon osh choy\n")
    source = RootSource("passphrase-file", words)
    stretched = RootKey.from_passphrase(words.read_text().strip(), tmp_path / "words.scrypt", n=2**10)
    keep_stretching(town.home, tmp_path / "words.scrypt")
    root, found = root_key(town.house.settings.root_key), standing(town.home)
    assert found is not None
    ended, old = make_set(root, found.installation, 2, 3, after=None)
    newest, _ = make_set(root, found.installation, 2, 3, after=ended)
    keep_set(town.home, newest)
    backup = await town.backup()
    new = await ruin()
    await new.restore(backup, keys=town.keys_of(backup))

    (tmp_path / "words.scrypt").unlink()  # as on a new machine
    assert root_key(source, new.home).mark == stretched.mark
    assert not (tmp_path / "words.scrypt").exists()
    with pytest.raises(Refused) as refused:
        gathering(new.home).add(old[0].text())
    assert refused.value.code == "share-old"
    (new.home / "keys" / "passphrase.scrypt").unlink()
    with pytest.raises(Unavailable) as missing:
        root_key(source, new.home)
    assert missing.value.code == "keys-missing"
    assert not (tmp_path / "words.scrypt").exists()


async def test_S6_slots_without_a_keyring_are_nobodys_to_replace(town: Town, ruin: MakeRuin) -> None:
    backup = await town.backup()
    new = await ruin()
    (new.home / "keys").mkdir(mode=0o700)
    (new.home / "keys" / "slots").write_bytes(b"the newest there is")
    with pytest.raises(Unavailable) as unavailable:
        await new.restore(backup, keys=town.keys_of(backup))
    assert unavailable.value.code == "keys-missing"
    assert (new.home / "keys" / "slots").read_bytes() == b"the newest there is"


async def test_S6_a_database_in_use_is_not_restored_into(town: Town, ruin: MakeRuin) -> None:
    backup = await town.backup()
    new = await ruin()
    await new.restore(backup, keys=town.keys_of(backup))
    with pytest.raises(BadInput) as error:
        await new.restore(backup)
    assert error.value.code == "restore-database-used"


async def test_K2_a_parents_no_the_journal_never_got_ends_the_questions_and_closes_no_child(
    town: Town, ruin: MakeRuin
) -> None:
    """One parent's consent stands, another one's no is lost: the child stays open, and nobody's old link answers."""
    law = document(**{'version: "1"': 'version: "2"'})
    await town.house.publish(Publication(document=law, packs=listing(), author="staff:1", approver="staff:2"))
    town.clock.forward(MINUTE)
    person, by, children = await town.order(), await officer(town.shop), town.house.children
    await children.signal(person, "staff", by="test")
    town.clock.forward(SECOND)
    father = await town.house.parent_asks.ask(asking(person), by=by)
    await children.agree(signed(person), by=by)
    backup = await town.backup()
    await town.settle()
    await town.house.parent_asks.stop(father.id, by=by)
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.newest_of_home(),))
    assert report.proved
    assert len(report.gap) == 1
    async with new.opened() as house:
        pool = house.grounds.database.pool
        assert await pool.fetchval("select quarantined_at from persons where id = $1", person) is None
        assert [each.state for each in await house.parent_asks.of(person)] == ["stopped"]
        assert await pool.fetchval("select count(*) from parent_asks where address is not null") == 0
