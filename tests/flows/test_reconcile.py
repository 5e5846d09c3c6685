"""Everything opened and everything kept is accounted for in the log, or it is found (A1, S4, S6; bars b1, c3).

Who would cheat: a developer who forgot the entry, somebody with the vault in a Python shell, a database administrator.
"""

import ast
import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND
from omonat.evidence.entry import Entry, decode
from omonat.evidence.sequencer import Sequencer
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing, Telling
from omonat.flows.erase import ErasureRequest
from omonat.flows.reconcile import Finding, Openings, Reconcile
from omonat.flows.reconcile_openings import SETTLES
from omonat.flows.unanswered import BELIEVED
from omonat.jobs import _note_conflict
from omonat.vault.openings import registers
from tests.erasure.stories import swept
from tests.flows.conftest import Shop
from tests.flows.test_use import delivery, given_to, ordered

ROOT = Path(__file__).parents[2]


async def looked(shop: Shop, flow: Reconcile | None = None) -> Openings:
    """What reconciling finds once every use under way must have ended."""
    shop.clock.forward(SETTLES + SECOND)
    return await (flow or Reconcile(shop.house.grounds)).openings()


async def section(shop: Shop) -> asyncpg.Record:
    async with shop.house.grounds.database.connection() as connection:
        return await connection.fetchrow(
            "select p.id as person, p.slot as person_slot, r.id as record, r.slot as record_slot, s.category, s.sealed,"
            " r.version from sections s join records r on r.id = s.record join persons p on p.id = r.person limit 1"
        )


@pytest_asyncio.fixture(loop_scope="session")
async def busy(shop: Shop) -> Shop:
    """An order that was looked at, by a courier, by one who may not, and by its owner."""
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    await shop.house.use(delivery(shop, "order:41877", "204"))
    await shop.house.my_data(order.person)
    return shop


async def test_A1_a_busy_house_accounts_for_every_opening(busy: Shop) -> None:
    for _ in range(20):
        await busy.house.use(delivery(busy, "order:41877", "204"))
    assert (await Reconcile(busy.house.grounds).openings()).compared == 0  # too young to tell
    found = await looked(busy)
    assert found.compared > 20
    assert (found.unexplained, found.withheld, found.cut_off, found.waiting) == ([], 0, 0, 0)


async def test_A1_openings_are_compared_whether_their_entries_have_a_place_or_not(busy: Shop) -> None:
    house, flow = busy.house, Reconcile(busy.house.grounds)
    assert (await looked(busy, flow)).unexplained == []
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=busy.clock)
    await sequencer.open()
    await sequencer.advance()
    assert (await looked(busy)).unexplained == []
    again = await looked(busy, flow)
    assert (again.compared, again.unexplained) == (0, [])


@pytest.mark.parametrize("entry", ["", "ev_" + "a" * 26])
async def test_A1_one_section_opened_without_an_entry_is_found_and_never_forgotten(busy: Shop, entry: str) -> None:
    flow = Reconcile(busy.house.grounds)
    await looked(busy, flow)
    busy.house.grounds.vault.open_section(**dict(await section(busy)), entry=entry)
    for _ in range(5):
        await busy.house.use(delivery(busy, "order:41877", "204"))
    found = await looked(busy, flow)
    assert [(one.what, one.entry) for one in found.unexplained] == [("opening", entry or "nobody")]
    assert (await looked(busy, flow)).unexplained == []  # said once
    assert (await looked(busy)).unexplained == []  # also by another process
    assert len(await flow.told()) == 1  # and told for ever


async def test_A1_opening_under_somebody_elses_entry_is_found_too(busy: Shop) -> None:
    """Under one that speaks of fewer openings, under one that opens nothing, and under one of another hour."""
    vault, flow = busy.house.grounds.vault, Reconcile(busy.house.grounds)
    answer = await busy.house.use(delivery(busy, "order:41877", "204"))
    one = dict(await section(busy))
    vault.open_section(**one, entry=answer.receipt.id)
    assert len((await looked(busy, flow)).unexplained) == 1
    empty = Entry(new_id("ev"), busy.clock(), "use:person:refused", {})
    await busy.house.grounds.journal.submit(empty)
    vault.open_section(**one, entry=empty.id)
    assert len((await looked(busy, flow)).unexplained) == 1
    busy.clock.forward(HOUR)
    vault.open_section(**one, entry=answer.receipt.id)
    assert len((await looked(busy, flow)).unexplained) == 1
    fresh = await busy.house.use(delivery(busy, "order:41877", "204"))
    assert (await looked(busy, flow)).unexplained == []
    vault.open_section(**one, entry=fresh.receipt.id)  # counted already, in an earlier look
    assert len((await looked(busy, flow)).unexplained) == 1


async def test_S4_a_use_whose_entry_cannot_be_written_is_told_from_one_that_has_none(
    busy: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(_entry: Entry) -> None:
        raise Unavailable("evidence-unavailable")

    flow = Reconcile(busy.house.grounds)
    await looked(busy, flow)
    with monkeypatch.context() as broken:
        broken.setattr(busy.house.grounds.journal, "submit", refuses)
        with pytest.raises(Unavailable):
            await busy.house.use(delivery(busy, "order:41877", "204"))
    found = await looked(busy, flow)
    assert (found.withheld, found.unexplained) == (1, [])


def in_a_shell(folder: Path, lines: list[str], ready: object) -> None:
    """Another process writes its own register and is killed without a word."""
    from omonat.vault.openings import Openings as Register  # noqa: PLC0415

    register = Register(folder)
    register.clock = lambda: int(lines[0])
    for line in lines[1:]:
        register.note(line)
    ready.set()  # type: ignore[attr-defined]
    signal.pause()


async def killed_after(shop: Shop, entries: list[str]) -> None:
    context = multiprocessing.get_context("spawn")
    ready, folder = context.Event(), shop.house.grounds.vault.openings.folder
    process = context.Process(target=in_a_shell, args=(folder, [str(shop.clock()), *entries], ready))
    process.start()
    assert await asyncio.to_thread(ready.wait, 60)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


async def test_A1_a_python_shell_that_was_killed_has_left_its_line(busy: Shop) -> None:
    flow = Reconcile(busy.house.grounds)
    await looked(busy, flow)
    await killed_after(busy, ["ev_" + "e" * 26])
    found = await looked(busy, flow)
    assert (len(found.unexplained), found.cut_off) == (1, 0)


async def test_S4_a_service_that_was_killed_in_a_use_is_no_finding_but_is_counted(busy: Shop) -> None:
    flow = Reconcile(busy.house.grounds)
    entries = [Entry(new_id("ev"), busy.clock(), "use:person:authorised", {"opened": 1}) for _ in range(3)]
    for entry in entries:
        await busy.house.grounds.journal.submit(entry)
    await killed_after(busy, [*(entry.id for entry in entries), new_id("ev")])
    found = await looked(busy, flow)
    assert (found.unexplained, found.cut_off) == ([], 1)
    assert len(registers(busy.house.grounds.vault.openings.folder)) == 1  # the dead one's is settled and gone


async def test_A1_registers_that_are_full_are_compared_and_removed(busy: Shop) -> None:
    vault, flow = busy.house.grounds.vault, Reconcile(busy.house.grounds)
    entry = Entry(new_id("ev"), busy.clock(), "use:person:authorised", {"opened": 20_000})
    await busy.house.grounds.journal.submit(entry)
    for _ in range(20_000):
        vault.openings.note(entry.id)
    folder = vault.openings.folder
    assert len(registers(folder)) == 3
    found = await looked(busy, flow)
    assert (found.compared >= 20_000, found.unexplained, len(registers(folder))) == (True, [], 1)


async def acts(shop: Shop, like: str) -> list[Entry]:
    async with shop.house.grounds.database.connection() as connection:
        rows = await connection.fetch("select body from entries where act like $1 order by at", like)
    return [decode(row["body"]) for row in rows]


@pytest.mark.parametrize("how", ["thrown-away", "cut-off"])
async def test_A1_more_openings_than_crashes_leave_are_not_believed_to_have_been_thrown_away(
    busy: Shop, how: str
) -> None:
    """A thief opens a little at a time and has each register say that nothing came of it: every one is counted in the
    log, whoever looks and however often, and a day of many is a doubt until somebody has looked."""
    house, flow = busy.house, Reconcile(busy.house.grounds)
    await looked(busy, flow)

    async def stolen(count: int) -> None:
        ids = [new_id("ev") for _ in range(count)]
        if how == "thrown-away":
            for one in ids:
                house.grounds.vault.openings.note(one)
                house.grounds.vault.openings.withhold(one)
        else:
            honest = Entry(new_id("ev"), busy.clock(), "use:person:authorised", {"opened": 1})
            await house.grounds.journal.submit(honest)
            await killed_after(busy, [honest.id, *ids])

    await stolen(BELIEVED)
    found = await looked(busy, flow)
    assert (found.withheld + found.cut_off, found.unexplained) == (BELIEVED, [])
    assert (await looked(busy)).withheld == 0  # counted once, also by another process
    assert await house.doubts.standing() == ()
    await stolen(1)
    found = await looked(busy)
    assert (found.withheld + found.cut_off, found.unexplained) == (1, [])
    day = await flow.unanswered()
    assert day.withheld + day.cut_off == BELIEVED + 1
    assert [doubt.code for doubt in await house.doubts.standing()] == ["doubt-openings"]
    assert [one.what for one in await flow.doubted()] == ["doubt"]
    told = await acts(busy, "opening:section:unanswered")
    assert sum(int(one.facts["withheld"]) + int(one.facts["cut-off"]) for one in told) == BELIEVED + 1
    (begun,) = await acts(busy, "house:doubt:%")
    assert (begun.facts["kind"], begun.facts["most"]) == ("openings", BELIEVED)


async def test_A1_a_doubt_ends_when_somebody_has_looked_and_comes_again_with_the_next(busy: Shop) -> None:
    house, flow = busy.house, Reconcile(busy.house.grounds)
    await looked(busy, flow)
    for _ in range(2):
        for _ in range(BELIEVED + 1):
            one = new_id("ev")
            house.grounds.vault.openings.note(one)
            house.grounds.vault.openings.withhold(one)
        await looked(busy, flow)
        (doubt,) = await house.doubts.standing()
        with pytest.raises(Refused):
            await house.doubts.settle(doubt.kind, doubt.about, by="nobody")
        assert await house.doubts.settle(doubt.kind, doubt.about, by="204")
        assert not await house.doubts.settle(doubt.kind, doubt.about, by="204")
        assert await flow.doubted() == []
    assert [one.act for one in await acts(busy, "house:doubt:%")] == ["house:doubt:begun", "house:doubt:ended"] * 2
    busy.clock.forward(DAY + SECOND)
    assert (await flow.unanswered()).withheld == 0


async def test_A1_nothing_was_thrown_away_under_an_entry_that_is_there_or_under_none(busy: Shop) -> None:
    vault, flow = busy.house.grounds.vault, Reconcile(busy.house.grounds)
    answer = await busy.house.use(delivery(busy, "order:41877", "204"))
    one = dict(await section(busy))
    vault.open_section(**one, entry=answer.receipt.id)
    vault.openings.withhold(answer.receipt.id)
    vault.open_section(**one, entry="")
    (register,) = registers(vault.openings.folder)
    with register.path.open("r+b") as file:  # what `withhold` doesn't do, a hand does
        file.seek(list(register.read())[-1].place + 26)
        file.write(b"\1")
    found = await looked(busy, flow)
    assert (len(found.unexplained), found.withheld) == (2, 0)


def test_A1_every_caller_in_the_house_names_the_entry_it_opens_for() -> None:
    callers = []
    for file in (ROOT / "omonat").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "open_section":
                callers.append(file.name)
                assert any(keyword.arg == "entry" for keyword in node.keywords), f"{file}:{node.lineno}"
    assert len(callers) >= 2


# ---- rows --------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="session")
async def chosen(busy: Shop) -> AsyncIterator[Shop]:
    """The same, and its owner has chosen this and that."""
    person = (await section(busy))["person"]
    for state in ("given", "withdrawn"):
        busy.clock.forward(MINUTE)
        await busy.house.choose(
            Choosing(person=person, kind="consent", purpose="marketing-email", state=state, door="center", by="person")
        )
    busy.clock.forward(MINUTE)
    await busy.house.choose(
        Choosing(person=person, kind="objection", purpose="daily-operations", state="given", door="center", by="person")
    )
    busy.clock.forward(MINUTE)
    await busy.house.choose(
        Choosing(person=person, kind="restriction", purpose="", state="given", door="center", by="p")
    )
    for _ in range(2):
        await busy.house.choose.tell(Telling(person=person, version="1", channel="email", by="panel"))
    yield busy


async def found_after(shop: Shop, *statements: str) -> list[Finding]:
    """What a database administrator's hand leaves behind."""
    async with shop.house.grounds.database.transaction() as connection:
        for statement in statements:
            await connection.execute(statement)
    return await Reconcile(shop.house.grounds).rows()


async def test_A1_rows_and_entries_of_an_honest_house_account_for_each_other(chosen: Shop) -> None:
    assert await Reconcile(chosen.house.grounds).rows() == []


async def test_S1_a_choice_of_last_year_written_down_now_is_in_order_though_its_entry_has_no_place_yet(
    chosen: Shop,
) -> None:
    """What a desk without a network hands in is dated back, and a history taken over: the log's order counts."""
    house, person = chosen.house, (await section(chosen))["person"]
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=chosen.clock)
    assert await sequencer.open()
    await sequencer.advance()
    chosen.clock.forward(MINUTE)
    await house.choose(
        Choosing(person=person, kind="consent", purpose="marketing-email", state="given", door="center", by="person")
    )
    dated_back = (
        "update choices set at = at - interval '1 year'"
        " where at = (select max(at) from choices where purpose = 'marketing-email')"
    )
    assert await found_after(chosen, dated_back) == []


_OFF, _ON = "alter table ledger disable trigger append_only; ", "; alter table ledger enable trigger append_only; "
_USE = "(select entry from ledger l join entries e on e.id = l.entry where e.act = 'use:person:authorised' limit 1)"
TAMPERED = {
    "who looked, deleted": (f"delete from ledger where entry = {_USE}", "gone"),
    "who looked, moved to somebody else": (
        f"{_OFF}update ledger set entry = {_USE} where entry = (select entry from choices limit 1)",
        "ledger",
    ),
    "who looked, moved to nobody": (f"{_OFF}update ledger set person = 'per_nobody' where entry = {_USE}", "ledger"),
    "a look dated back and then deleted": (
        f"{_OFF}update ledger set at = '2020-01-01' where entry = {_USE}{_ON}delete from ledger where entry = {_USE}",
        "gone",
    ),
    "a look made up": (
        "insert into ledger select person, at, 'ev_' || repeat('a', 26), txid from ledger limit 1",
        "ledger",
    ),
    "a look dated back": (f"{_OFF}update ledger set at = at - interval '1 day' where entry = {_USE}", "ledger"),
    "a withdrawal turned into a consent": ("update choices set state = 'given' where state = 'withdrawn'", "choice"),
    "a withdrawal deleted": ("delete from choices where state = 'withdrawn' and kind = 'consent'", "gone"),
    "a consent made up": (
        "insert into choices select 'cho_x', person, 'consent', 'marketing-email', '', 'given', now(), 1, 'api', 'ev_x'"
        " from choices limit 1",
        "row",
    ),
    "a consent put into the standing": (
        'update persons set standing = \'{"consents": {"marketing-email": 1}}\'',
        "standing",
    ),
    "an objection taken out of it": ("update persons set standing = standing - 'objections'", "standing"),
    "a restriction lifted by hand": ("update persons set restricted_at = null", "standing"),
    "a record deleted": ("delete from sections; delete from records", "gone"),
    "a record made up": (
        "insert into records select 'rec_' || repeat('a', 26), person, service, case_id, version, 9999, source,"
        " collected_at, due_at, due_under from records limit 1",
        "row",
    ),
    "a case deleted": ("update records set case_id = null; delete from cases", "gone"),
    "a telling made up": ("insert into tellings select id, 1, 'sms', now(), 'ev_no' from persons limit 1", "row"),
    "a record renamed": ("delete from sections; update records set id = 'rec_' || repeat('b', 26)", "row"),
}


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger set person = 'per_nobody'",
        "update ledger set entry = entry",
        "update ledger set at = at where false",
        "truncate ledger",
    ],
)
async def test_A1_a_look_is_neither_changed_nor_is_the_whole_list_emptied(busy: Shop, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await found_after(busy, statement)


async def test_A1_a_look_of_somebody_there_is_not_is_named(chosen: Shop) -> None:
    found = await found_after(chosen, f"{_OFF}update ledger set person = 'per_nobody' where entry = {_USE}")
    assert {(one.what, one.kind) for one in found} == {("ledger", "nobody")}


@pytest.mark.parametrize("name", TAMPERED)
async def test_S6_whatever_is_done_to_rows_by_hand_is_found_and_named(chosen: Shop, name: str) -> None:
    statement, what = TAMPERED[name]
    found = await found_after(chosen, statement)
    assert what in {one.what for one in found}, found
    assert all(one.name or one.entry for one in found)


async def test_S6_with_the_triggers_off_a_deleted_row_is_missed_by_its_entry(chosen: Shop) -> None:
    found = await found_after(
        chosen, "alter table records disable trigger rows_gone", "delete from sections", "delete from records"
    )
    assert {(one.what, one.kind) for one in found} == {("entry", "record")}


@pytest.mark.parametrize("act", ["collect:record:accepted", "choice:consent:given", "notice:person:told"])
@pytest.mark.parametrize("bytes_", ["'\\xff'", "'{}'", "'{\"facts\": [1]}'"])
async def test_S6_one_altered_entry_neither_stops_nor_hides_the_comparison_of_the_others(
    chosen: Shop, act: str, bytes_: str
) -> None:
    async with chosen.house.grounds.database.connection() as connection:
        bad = await connection.fetchval("select id from entries where act = $1 limit 1", act)
    found = await found_after(
        chosen,
        "alter table entries disable trigger user",
        f"update entries set body = {bytes_} where id = '{bad}'",
        "delete from choices where kind = 'objection'",
    )
    assert ("ledger", "foreign", bad) in {(one.what, one.kind, one.entry) for one in found}
    assert "gone" in {one.what for one in found}


async def test_A1_a_look_moved_from_one_person_to_another_opens_nothing_there(chosen: Shop) -> None:
    other = await ordered(chosen, items={**chosen.order_items(), "contact.mobile": "+998901112233"})
    person = (await section(chosen))["person"]
    assert other.person != person
    assert await Reconcile(chosen.house.grounds).rows() == []
    moved = _OFF + "update ledger set person = '{}' where entry = (select id from entries where act = '{}' limit 1)"
    for act in ("use:person:authorised", "access:person:viewed", "case:work:changed"):
        found = await found_after(chosen, moved.format(other.person, act))
        assert {(one.what, one.kind) for one in found} == {("ledger", "foreign")}, act
        await found_after(chosen, moved.format(person, act))


async def test_A1_a_look_moved_to_somebody_erased_opens_nothing_there_either(chosen: Shop) -> None:
    other = await ordered(chosen, items={**chosen.order_items(), "contact.mobile": "+998901112233"})
    person = (await section(chosen))["person"]
    assert person != other.person
    await chosen.house.erase(ErasureRequest(person=other.person))
    await swept(chosen)
    assert await Reconcile(chosen.house.grounds).rows() == []
    found = await found_after(chosen, f"{_OFF}update ledger set person = '{other.person}' where entry = {_USE}")
    assert {(one.what, one.kind) for one in found} == {("ledger", "foreign")}


@pytest.mark.parametrize(
    ("whose", "kinds"),
    [
        ("select 'ev' || substr(id, 4) from records limit 1", {"record", "choice"}),  # and what was accepted with it
        ("select entry from choices where kind = 'objection'", {"choice"}),
        ("select entry from tellings limit 1", {"telling"}),
        ("select entry from cases where id = 'order:50001'", {"case"}),
    ],
)
async def test_A1_with_the_triggers_off_a_deleted_look_is_missed_by_the_row_of_its_entry(
    chosen: Shop, whose: str, kinds: set[str]
) -> None:
    person = (await section(chosen))["person"]
    await chosen.house.cases.put(PutCase(credential=chosen.credentials["panel"], case="order:50001", person=person))
    found = await found_after(
        chosen, "alter table ledger disable trigger rows_gone", f"delete from ledger where entry = ({whose})"
    )
    assert {(one.what, one.kind) for one in found} == {("ledger", kind) for kind in kinds}


async def test_A1_a_deletion_that_wrote_its_entry_is_in_order(chosen: Shop) -> None:
    grounds = chosen.house.grounds
    async with grounds.database.transaction() as connection:
        await connection.execute("delete from sections")
        await connection.execute("delete from records")
        entry = Entry(new_id("ev"), chosen.clock(), "expire:record:destroyed", {})
        await grounds.journal.append(connection, [entry], now=chosen.clock())
    assert await Reconcile(grounds).rows() == []


async def test_R3_after_an_erasure_nothing_ties_one_persons_entries_together(chosen: Shop) -> None:
    """Not while their evidence is still there, and not when that has ended as well. A mark of before goes along."""
    house, person = chosen.house, (await section(chosen))["person"]
    marks, rows = "select count(*) from rows_gone", "select count(*) from choices where person = $1"
    async with house.grounds.database.transaction() as connection:
        await connection.execute("delete from tellings where person = $1", person)
        entry = Entry(new_id("ev"), chosen.clock(), "expire:telling:destroyed", {})
        await house.grounds.journal.append(connection, [entry], now=chosen.clock())
    async with house.grounds.database.pool.acquire() as connection:
        theirs = [row["entry"] for row in await connection.fetch("select entry from ledger where person = $1", person)]
        assert len(theirs) > 3
        await house.cases.event(
            CaseEvent(credential=chosen.credentials["panel"], case="order:41877", name="case-closed")
        )
        assert await connection.fetchval(marks) == 1
        await house.erase(ErasureRequest(person=person))
        await swept(chosen)
        assert await connection.fetchval("select count(*) from ledger where entry = any($1)", theirs) == 0
        assert await connection.fetchval(rows, person) > 1, "proof outlives the person, for a while"
        assert await connection.fetchval(marks) == 0
        chosen.clock.forward(20 * 366 * DAY)
        await swept(chosen)
        assert await connection.fetchval(rows, person) == 0
        assert await connection.fetchval(marks) == 0
    assert await Reconcile(house.grounds).rows() == []


async def test_R3_nothing_ties_the_entries_of_somebody_together_of_whom_nothing_is_held_any_more(chosen: Shop) -> None:
    """Time took their records one after the other, each with its mark; the last of them takes the marks along."""
    house, person = chosen.house, (await section(chosen))["person"]
    await house.cases.event(CaseEvent(credential=chosen.credentials["panel"], case="order:41877", name="case-closed"))
    await house.choose(
        Choosing(person=person, kind="restriction", purpose="", state="withdrawn", door="center", by="p")
    )
    async with house.grounds.database.connection() as connection:
        chosen.clock.forward(6 * 366 * DAY)
        await swept(chosen)
        assert await connection.fetchval("select erased_at from persons where id = $1", person) is not None
        assert await connection.fetchval("select count(*) from ledger where person = $1", person) == 0
        assert await connection.fetchval("select count(*) from rows_gone") == 0
    assert await Reconcile(house.grounds).rows() == []


async def test_S6_a_witnesss_conflict_is_an_entry_though_nothing_is_signed_over_it(busy: Shop) -> None:
    error = Fault("evidence-witness-conflict", witness="witness.example/w1", size="41")
    for _ in range(2):  # said once
        await _note_conflict(busy.house, error)
    async with busy.house.grounds.database.connection() as connection:
        assert await connection.fetchval("select count(*) from entries where act = 'log:witness:conflict'") == 1
