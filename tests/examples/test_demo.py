"""The demo's seeding: through the API, once, whatever happens; and what it tells scripts."""

import asyncio
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pyotp
import pytest

from examples.demo import everybody
from examples.demo_people import worth_telling
from examples.demo_setup import CLIENTS, STAFF, policy_dated
from examples.population import population
from omonat.base.instants import DAY, Instant, from_rfc3339, to_datetime
from omonat.policy.reader import read_policy
from omonat_client import Client, OmonatProblem
from tests.examples.demo_running import Demo, until

PEOPLE = 90
NOW = from_rfc3339("2026-11-22T12:00:00+05:00")


@pytest.fixture(name="home", scope="module")
def a_home(short_folder: Path) -> Path:
    return short_folder / "seeded"


@pytest.fixture(name="killed", scope="module")
def a_demo_killed_while_filling(home: Path) -> None:
    """It died, with everything it had started, in the middle of making up its people."""
    demo = Demo(home, PEOPLE)
    journal = home / "demo" / "people.jsonl"
    until(lambda: demo.over or (journal.exists() and journal.stat().st_size > 4_000), 90)
    assert not demo.over, demo.said
    demo.kill_everything()
    assert not (home / "demo" / "filled").exists()


@pytest.fixture(name="demo", scope="module")
def a_demo_started_again(home: Path, killed: None) -> Iterator[Demo]:
    demo = Demo(home, PEOPLE)
    try:
        yield demo.wait_until_ready().wait_until_filled()
    finally:
        demo.stop()


def counts(demo: Demo, began: Instant) -> dict[str, int]:
    """How many of everything, and how many cases ended before it `began`. What was taken in is counted by its entries:
    records whose time is over are swept meanwhile."""

    async def ask() -> dict[str, int]:
        connection = await asyncpg.connect(demo.dsn())
        try:
            tables = ("persons", "cases", "staff", "clients", "policies")
            found = {table: await connection.fetchval(f"select count(*) from omonat.{table}") for table in tables}
            found["taken"] = await connection.fetchval(
                "select count(*) from omonat.entries where act = 'collect:record:accepted'"
            )
            found["dated"] = await connection.fetchval(
                "select count(*) from omonat.entries where act = 'collect:record:accepted'"
                " and (convert_from(body, 'UTF8')::jsonb #>> '{facts,collected-at}')::bigint < $1",
                began - 3 * DAY,
            )
            found["closed"] = await connection.fetchval(
                "select count(*) from omonat.cases where closed_at between opened_at and $1", to_datetime(began)
            )
            return found
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_killed_and_started_again_it_has_made_up_everybody_exactly_once(demo: Demo, home: Path) -> None:
    began = Instant(int((home / "demo" / "began").read_text()))
    expected: Counter[str] = Counter()
    for person in everybody(began, PEOPLE):
        expected.update(step.action for step in worth_telling(person.steps, began))
    found = counts(demo, began)
    assert found["persons"] == PEOPLE
    assert found["taken"] == expected["collect"]
    assert found["closed"] == expected["close"]
    assert found["staff"] == len(STAFF)
    assert found["policies"] == 1
    assert found["dated"] > found["taken"] / 2
    assert "refused" not in demo.said


def test_a_second_start_is_quick_and_adds_nothing(demo: Demo, home: Path) -> None:
    began = Instant(int((home / "demo" / "began").read_text()))
    before, secrets = counts(demo, began), (home / "demo" / "set-up.json").read_bytes()
    assert demo.stop() == 0
    again = Demo(home, PEOPLE)
    try:
        again.wait_until_ready()
        assert counts(again, began) == before
        assert (home / "demo" / "set-up.json").read_bytes() == secrets
    finally:
        demo.process = again.process  # the tests after this one go on with it


def test_it_tells_scripts_who_may_sign_in_and_tells_nobody_else(demo: Demo, home: Path) -> None:
    details = demo.details
    assert set(details) == {"base", "home", "policy", "catcher", "clients", "staff", "people"}
    assert set(details["clients"]) == set(CLIENTS)
    roles = read_policy(policy_dated(NOW)[0]).policy.roles
    assert {role: CLIENTS[role][1] for role in roles} == {role: (role,) for role in roles}, "one client a role"
    assert {each["role"] for each in details["staff"]} == {role for _, _, role, _ in STAFF}
    for each in details["staff"]:
        assert set(each) == {"ref", "name", "role", "login", "password", "totp"}
        assert len(each["password"]) >= 12
        assert pyotp.TOTP(each["totp"]).now().isdigit()
    assert {"person", "name", "phone", "language", "case"} <= set(details["people"][0])
    for file in (home / "demo.json", *(home / "demo").iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_U3_the_courier_of_an_open_order_sees_it_and_marketing_is_refused(demo: Demo) -> None:
    person = next(each for each in demo.details["people"] if each["courier"])
    clients = demo.details["clients"]
    with Client(demo.base, clients["courier"]) as courier:
        used = courier.use("deliver-order", case=person["case"], on_behalf_of=person["courier"])
    assert used.person == person["person"]
    assert used.items["contact.mobile"] == person["phone"]
    with Client(demo.base, clients["marketing"]) as marketing, pytest.raises(OmonatProblem) as refused:
        marketing.use("deliver-order", case=person["case"], on_behalf_of="501")
    assert refused.value.problem.promise


def test_the_policy_is_in_force_since_before_the_first_made_up_person_came() -> None:
    document, packs = policy_dated(NOW)
    policy = read_policy(document).policy
    assert policy.effective < NOW - 400 * DAY
    assert set(packs) == set(policy.controller.laws)


def test_nothing_is_told_that_would_be_due_at_once() -> None:
    for person in population(now=NOW, size=200).people:
        steps = worth_telling(person.steps, NOW)
        assert all(step.at > NOW - 90 * DAY for step in steps if step.service == "site-visit")
        opened = [step.case for step in steps if step.action == "collect" and step.case]
        assert {step.case for step in steps if step.action == "close"} <= set(opened)
