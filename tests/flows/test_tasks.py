"""What the house leaves to a person waits where a privacy officer sees it, until somebody says that it is done."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

import omonat
from omonat.base.codes import registry
from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.cli import build
from omonat.flows import children
from omonat.flows.erase import ErasureRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.tasks import CASES, ELSEWHERE, EVERY_CASE, KINDS, MOST, Task
from omonat.flows.work import open_work_item
from tests.erasure.stories import acts, closed, hired, one, ordered, swept
from tests.erasure.test_systems import TILL
from tests.flows.conftest import Shop, document, packs

HOUSE = Path(omonat.__file__).parent
ON_PAGES_OF_THEIR_OWN = {"child", "client-notice", "escalated"}
PROVING = {"proving", "proving-erasure"}


def opened_in(file: Path) -> Iterator[str]:
    """The rules under which the calls of a module open work."""
    tree = ast.parse(file.read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "open_work" in ast.unparse(node.func)]
    module = file.relative_to(HOUSE.parent).with_suffix("").as_posix().replace("/", ".")
    for value in (keyword.value for call in calls for keyword in call.keywords if keyword.arg == "rule"):
        if isinstance(value, ast.Constant):
            yield value.value
        elif module == "omonat.flows.children":
            yield children._WORK[0]
        elif module != "omonat.flows.work":  # which opens what it is told to
            yield getattr(importlib.import_module(module), ast.unparse(value))


async def by_hand(shop: Shop) -> None:
    """From now on the till has no address: somebody goes there."""
    law = document(**{'version: "1"': 'version: "2"', TILL: TILL.replace("webhook", "by-hand")})
    await shop.house.publish(Publication(document=law, packs=packs(), author="staff:1", approver="staff:2"))


async def waiting(shop: Shop, kind: str, what: str = "") -> list[Task]:
    return [t for t in (await shop.house.tasks.waiting()).tasks if t.kind == kind and t.about.startswith(what)]


async def found(shop: Shop, kind: str, about: str, *people: str) -> None:
    for person in people:
        shop.clock.forward(SECOND)
        await open_work_item(shop.house.grounds.database, rule=kind, person=person, missing=about, now=shop.clock.now)


async def test_R3_what_another_system_is_to_erase_by_hand_waits_with_what_it_has_to_know(shop: Shop) -> None:
    await by_hand(shop)
    await hired(shop, "102", "privacy-officer")
    order = await ordered(shop)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    assert (task.about, task.since) == (f"till {erasure.id}", shop.clock.now)
    assert [copy.case for copy in task.copies] == [order.case]
    assert task.named == {"what": "till", "erasure": erasure.id}
    shop.clock.forward(DAY)
    entry = await shop.house.tasks.done(task.kind, task.about, by="102")
    assert await waiting(shop, "erase-by-hand", "till ") == []
    told = {notice.system: notice.entry for notice in await shop.house.systems.of(erasure.id)}
    assert told["till"] == entry
    assert told["camera-recorder"] is None, "a word for one is no word for the other"
    assert (await acts(shop, "erasure:system:"))[-1] == "erasure:system:acknowledged"
    with pytest.raises(BadInput) as again:
        await shop.house.tasks.done(task.kind, task.about, by="102")
    assert again.value.code == "task-unknown"


async def test_R3_each_case_is_told_with_the_items_that_went_of_it(shop: Shop) -> None:
    """One sweep takes records of several people: what goes of one may have to stay of another."""
    await by_hand(shop)
    orders = [await ordered(shop), await ordered(shop, contact_email=None)]
    await closed(shop, *orders)
    shop.clock.forward(370 * DAY)
    await swept(shop)
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    copies = {copy.case: copy.items for copy in task.copies}
    assert copies.keys() == {order.case for order in orders}
    for items in copies.values():
        assert "transaction.order-lines" in items
        assert "transaction.amount" not in items, "a duty keeps it there as here"
    database = shop.house.grounds.database.pool
    apart = {"cases": [{"case": "order:1", "items": ["transaction.amount"]}, {"case": "order:2", "items": []}]}
    await database.execute("update system_notices set about = $1 where system = 'till'", apart)
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    assert [(copy.case, copy.items) for copy in task.copies] == [("order:1", ("transaction.amount",)), ("order:2", ())]
    many = {"cases": [{"case": f"order:{n}"} for n in range(CASES + 3)]}
    await database.execute("update system_notices set about = $1 where system = 'till'", many)
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    assert (len(task.copies), task.more) == (CASES, 3)
    every = (await shop.house.tasks.waiting(cases=EVERY_CASE)).tasks
    (task,) = (one for one in every if one.about == task.about)
    assert (len(task.copies), task.more) == (CASES + 3, 0), "the command names every one"


async def test_R3_what_a_duty_keeps_there_is_told_before_somebody_erases_it(shop: Shop) -> None:
    await by_hand(shop)
    order = await ordered(shop)
    await closed(shop, order)
    await shop.house.erase(ErasureRequest(person=order.person))
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    kept = dict(task.stays)
    assert kept["transaction.amount"] is not None
    assert kept["transaction.amount"] > shop.clock.now
    (cameras,) = await waiting(shop, "erase-by-hand", "camera-recorder ")
    assert cameras.items, "it holds nothing else"
    assert not set(dict(cameras.stays)) - set(cameras.items)


async def test_R3_what_nobody_can_say_any_more_is_not_told_as_everything(shop: Shop) -> None:
    await by_hand(shop)
    await shop.house.erase(ErasureRequest(person=(await ordered(shop)).person))
    await shop.house.grounds.database.pool.execute("update system_notices set about = '{}'")
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    assert task.forgotten
    assert task.copies == ()


async def test_R3_however_much_else_waits_what_is_told_by_hand_is_seen_and_ended(shop: Shop) -> None:
    await by_hand(shop)
    await hired(shop, "102", "privacy-officer")
    erasure = await shop.house.erase(ErasureRequest(person=(await ordered(shop)).person))
    await shop.house.grounds.database.pool.execute(
        "insert into work_items (id, rule, missing, opened_at)"
        " select 'wrk_' || n, 'restore', 'ev_' || n, now() - interval '9 years' from generate_series(1, 150) n"
    )
    shown = await shop.house.tasks.waiting()
    assert [task.kind for task in shown.tasks].count("restore") == MOST
    assert shown.more == 150 - MOST
    assert f"till {erasure.id}" in [task.about for task in shown.tasks]
    await shop.house.tasks.done("restore", "ev_150", by="102")
    assert (await shop.house.tasks.waiting()).more == 149 - MOST


async def test_A1_whoever_has_looked_has_not_looked_at_what_came_after(shop: Shop) -> None:
    await hired(shop, "102", "privacy-officer")
    people = [(await ordered(shop)).person for _ in range(2)]
    await found(shop, "integrity", "contact", people[0])
    (seen,) = await waiting(shop, "integrity")
    await found(shop, "integrity", "contact", people[1])
    await shop.house.tasks.done("integrity", "contact", by="102", seen=seen.newest)
    (left,) = await waiting(shop, "integrity")
    assert left.some == (people[1],)


async def test_A1_whose_record_it_was_does_not_go_into_the_log(shop: Shop) -> None:
    await hired(shop, "102", "privacy-officer")
    order = await ordered(shop)
    record = await one(shop, "select id from records where person = $1", order.person)
    await found(shop, "correction", f"transaction.amount {record}", order.person)
    (task,) = await waiting(shop, "correction")
    entry = await shop.house.tasks.done("correction", task.about, by="102")
    body = bytes(await one(shop, "select body from entries where id = $1", entry))
    assert b"transaction.amount" in body
    assert record.encode() not in body
    assert order.person.encode() not in body


async def test_A1_the_same_of_several_people_is_one_task_and_somebody_says_that_they_have_looked(shop: Shop) -> None:
    await hired(shop, "102", "privacy-officer")
    people = [(await ordered(shop)).person for _ in range(4)]
    await found(shop, "integrity", "contact", *people)
    await found(shop, "integrity", "transaction", people[0])
    contact, other = await waiting(shop, "integrity")
    assert (contact.people, contact.some) == (4, tuple(people[:3])), "the oldest first"
    entry = await shop.house.tasks.done("integrity", "contact", by="102")
    assert await waiting(shop, "integrity") == [other]
    assert await one(shop, "select act from entries where id = $1", entry) == "house:task:settled"
    await found(shop, "integrity", "contact", people[1])
    assert [task.about for task in await waiting(shop, "integrity")] == ["transaction", "contact"], "it comes again"


async def test_S4_nobody_but_a_privacy_officer_in_office_ends_a_task(shop: Shop) -> None:
    await by_hand(shop)
    await hired(shop, "102", "privacy-officer")
    await hired(shop, "204", "courier")
    order = await ordered(shop)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    await found(shop, "due", "contact.mobile", order.person)
    about = {"erase-by-hand": f"till {erasure.id}", "due": "contact.mobile"}
    for kind, what in about.items():
        for who, code in (("204", "task-not-yours"), ("999", "staff-unknown")):
            with pytest.raises(Refused) as told:
                await shop.house.tasks.done(kind, what, by=who)
            assert told.value.code == code
    assert len(await waiting(shop, "due")) == len(await waiting(shop, "erase-by-hand", "till ")) == 1
    shop.clock.forward(400 * DAY)
    with pytest.raises(Refused) as late:
        await shop.house.tasks.done("due", "contact.mobile", by="102")
    assert late.value.code in ("role-ended", "training-lapsed")


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_R2_a_word_does_not_end_what_an_act_ends(shop: Shop, kind: str) -> None:
    await hired(shop, "102", "privacy-officer")
    await open_work_item(shop.house.grounds.database, rule=kind, person=None, missing="x", now=shop.clock.now)
    with pytest.raises(Refused) as told:
        await shop.house.tasks.done(kind, "x", by="102")
    assert told.value.code == "task-elsewhere"
    assert len(await waiting(shop, kind)) == 1


@pytest.mark.parametrize("kind", [*sorted(ON_PAGES_OF_THEIR_OWN), *sorted(PROVING), "doubt-openings"])
async def test_A1_what_has_a_page_of_its_own_is_neither_shown_nor_ended_here(shop: Shop, kind: str) -> None:
    """Doubts and children have acts of their own, and what proving does is nobody's work."""
    await hired(shop, "102", "privacy-officer")
    await found(shop, kind, "x", (await ordered(shop)).person)
    with pytest.raises(BadInput) as told:
        await shop.house.tasks.done(kind, "x", by="102")
    assert told.value.code == "task-unknown"
    assert await one(shop, "select count(*) from work_items where closed_at is null") == 1
    assert (await shop.house.tasks.waiting()).tasks == ()


@pytest.mark.parametrize(("kind", "about"), [("due", "nothing"), ("erase-by-hand", "till ers_x"), ("tell-by-hand", "")])
async def test_A1_what_does_not_wait_is_ended_by_nobody(shop: Shop, kind: str, about: str) -> None:
    await hired(shop, "102", "privacy-officer")
    with pytest.raises(BadInput) as told:
        await shop.house.tasks.done(kind, about, by="102")
    assert told.value.code == "task-unknown"


@pytest.mark.parametrize("way", ["confirmed", "set right"])
async def test_R1_a_clock_that_is_not_believed_waits_until_it_is(shop: Shop, way: str) -> None:
    await shop.house.sweeper.round()
    shop.clock.forward(400 * DAY)
    await shop.house.sweeper.round()
    assert len(await waiting(shop, "retention-clock")) == 1
    if way == "confirmed":
        await shop.house.sweeper.confirm_clock(by="test")
    else:
        shop.clock.forward(-400 * DAY + SECOND)
        await shop.house.sweeper.round()
    assert await waiting(shop, "retention-clock") == []


async def test_L7_a_cookie_that_was_settled_leaves_no_task_behind(shop: Shop) -> None:
    cookies = shop.house.cookies
    await cookies.report([("cookie", "_tracker")])
    (task,) = await waiting(shop, "cookie")
    await shop.house.grounds.database.pool.execute("delete from site_sightings")  # a crash left the task alone
    kind, _, name = task.about.partition(" ")
    assert not await cookies.settle(kind, name, by="operator")  # type: ignore[arg-type]
    assert await waiting(shop, "cookie") == []


def test_A1_the_commands_that_tasks_name_can_be_typed_like_that() -> None:
    """Each with the words it is told with, and something in the place of what is left open."""
    named = {
        command
        for kind in KINDS
        for words in registry()[f"task-{kind}"].next.values()
        for command in re.findall(r"`omonat ([^`]+)`", words)
    }
    assert len(named) > 5
    root = typer.main.get_command(build())
    for command in named:
        parts = command.replace("{what}", "cookie _tracker" if command.startswith("cookies") else "hol_x")
        context, args = click.Context(root), parts.replace("…", "x").split()
        while isinstance(context.command, click.Group):
            name, found_, args = context.command.resolve_command(context, args)
            assert found_ is not None, command
            assert name is not None
            context = found_.make_context(name, args, parent=context)
            args = context.protected_args + context.args if isinstance(found_, click.Group) else []


def test_A1_every_kind_of_work_that_is_opened_anywhere_is_shown_somewhere() -> None:
    """Read out of the house's own calls, so that a new kind of work isn't forgotten."""
    opened = {kind for file in HOUSE.rglob("*.py") for kind in opened_in(file)}
    assert {"erase-by-hand", "hold-review", "restore", "use"} <= opened, "it sees what is there"
    assert opened - set(KINDS) == {*ON_PAGES_OF_THEIR_OWN, *PROVING}
    assert {f"task-{kind}" for kind in KINDS} <= registry().keys()
