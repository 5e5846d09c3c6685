"""What the house leaves to a person waits where a privacy officer sees it, until somebody says that it is done."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import omonat
from omonat.base.codes import registry
from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows import children
from omonat.flows.erase import ErasureRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.tasks import ELSEWHERE, KINDS, Task
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
    return [t for t in await shop.house.tasks.waiting() if t.kind == kind and t.about.startswith(what)]


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
    assert (task.about, task.since, task.cases) == (f"till {erasure.id}", shop.clock.now, (order.case,))
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


async def test_R3_what_is_left_of_a_record_names_the_items_that_went(shop: Shop) -> None:
    await by_hand(shop)
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(370 * DAY)
    await swept(shop)
    (task,) = await waiting(shop, "erase-by-hand", "till ")
    assert task.cases == (order.case,)
    assert "transaction.order-lines" in task.items
    assert "transaction.amount" not in task.items, "a duty keeps it there as here"


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


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("due", "nothing"),
        ("erase-by-hand", "till ers_x"),
        ("erase-by-hand", ""),
        ("proving", "x"),
        ("doubt-openings", "x"),
        ("child", "parental-consent"),
    ],
)
async def test_A1_what_does_not_wait_here_is_ended_by_nobody(shop: Shop, kind: str, about: str) -> None:
    """Doubts and children have acts of their own, and what proving does is nobody's work."""
    await hired(shop, "102", "privacy-officer")
    await open_work_item(
        shop.house.grounds.database, rule="doubt-openings", person=None, missing="x", now=shop.clock.now
    )
    before = await one(shop, "select count(*) from work_items where closed_at is null")
    with pytest.raises(BadInput) as told:
        await shop.house.tasks.done(kind, about, by="102")
    assert told.value.code == "task-unknown"
    assert await one(shop, "select count(*) from work_items where closed_at is null") == before
    assert await shop.house.tasks.waiting() == ()


async def test_R1_a_clock_that_is_not_believed_waits_until_it_is_confirmed(shop: Shop) -> None:
    await shop.house.sweeper.round()
    shop.clock.forward(400 * DAY)
    await shop.house.sweeper.round()
    assert len(await waiting(shop, "retention-clock")) == 1
    await swept(shop)
    assert await waiting(shop, "retention-clock") == []


def test_A1_every_kind_of_work_that_is_opened_anywhere_is_shown_somewhere() -> None:
    """Read out of the house's own calls, so that a new kind of work isn't forgotten."""
    opened = {kind for file in HOUSE.rglob("*.py") for kind in opened_in(file)}
    assert {"erase-by-hand", "hold-review", "restore", "use"} <= opened, "it sees what is there"
    assert opened - set(KINDS) == {*ON_PAGES_OF_THEIR_OWN, *PROVING}
    assert {f"task-{kind}" for kind in KINDS} <= registry().keys()
