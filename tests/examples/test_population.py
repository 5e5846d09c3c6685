"""The made-up people: always the same, valid to the last item, and as untidy as real ones."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from examples.population import MadeUp, Population, population
from examples.spelling import to_cyrillic, to_latin
from omonat.base.instants import DAY, HOUR, MINUTE, Instant, from_rfc3339, to_datetime
from omonat.policy.kinds import normalise
from omonat.policy.kinds.names import match_key, script_of
from omonat.policy.model import Policy
from omonat.policy.reader import read_policy

NOW = from_rfc3339("2026-11-22T12:00:00+05:00")


@pytest.fixture(scope="module")
def people() -> Population:
    return population(now=NOW)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(Path("policies/beshqozon.yaml").read_text("utf-8"), name="beshqozon.yaml").policy


def test_the_same_seed_and_instant_give_the_same_people_and_another_seed_others(people: Population) -> None:
    assert population(now=NOW) == people
    others = population(now=NOW, size=50, seed="other")
    assert {person.name for person in others.people} != {person.name for person in people.people[:50]}


def test_another_process_makes_the_same_people() -> None:
    script = (
        "from examples.population import population; "
        f"people = population(now={NOW}, size=30).people; "
        "print([(p.name, p.mobile, p.steps[-1].at, p.steps[-1].body) for p in people])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_any_size_can_be_had(size: int) -> None:
    assert len(population(now=NOW, size=size).people) == size


def test_a_larger_population_begins_with_the_smaller_ones_households(people: Population) -> None:
    small = population(now=NOW, size=40)
    assert [p.typed_name for p in small.people] == [p.typed_name for p in people.people[:40]]


def test_everything_moves_with_the_instant_it_is_told(people: Population) -> None:
    later = population(now=Instant(NOW + DAY), size=40)
    for before, after in zip(people.people, later.people, strict=False):
        assert [step.at + DAY for step in before.steps] == [step.at for step in after.steps]


def test_L3_every_step_is_what_the_policy_asks_and_nothing_more(people: Population, policy: Policy) -> None:
    items = policy.items
    for step in people.steps():
        if step.action == "withdraw":
            assert step.body["purpose"] in policy.purposes
            assert step.source in policy.sources
            continue
        if step.case is not None:
            assert step.case.partition(":")[0] in policy.cases
        if step.action != "collect":
            continue
        service = policy.services[step.service]
        purposes = [policy.purposes[purpose] for purpose in service.for_]
        needed = {item for purpose in purposes for item in purpose.needs}
        offered = {item for name in service.offers for item in policy.purposes[name].needs}
        useful = needed | offered | {item for purpose in purposes for item in purpose.may_use}
        given = set(step.body["items"])
        assert needed <= given, (step.service, needed - given)
        assert given <= useful, (step.service, given - useful)
        assert step.source in service.sources
        assert (step.case is not None) == (service.case is not None)
        assert set(step.body["consents"]) <= {*service.offers, *service.for_}
        for item, value in step.body["items"].items():
            known = items[item]
            normalise(known.kind.value, value, country="uz", choices=tuple(known.choices))


def test_every_number_is_a_valid_uzbek_mobile_however_it_is_typed(people: Population) -> None:
    typed: Counter[str] = Counter()
    for person in people.people:
        assert re.fullmatch(r"\+998(9[0-57-9]|88|33|50|77)0\d{6}", person.mobile)
        for step in person.steps:
            written = step.body.get("items", {}).get("contact.mobile")
            if written is not None:
                assert normalise("phone", written).value == person.mobile
                typed[re.sub(r"\d+", "0", written)] += 1
    assert len(typed) >= 5


def test_no_address_can_reach_a_real_mailbox(people: Population) -> None:
    hosts = Counter(person.email.partition("@")[2] for person in people.people if person.email)
    assert all(host.endswith(".example") for host in hosts)
    addresses = [person.email for person in people.people if person.email]
    assert len(set(addresses)) == len(addresses)


def test_names_come_in_both_scripts_with_every_apostrophe_and_still_meet(people: Population) -> None:
    scripts = Counter(script_of(person.typed_name) for person in people.people)
    assert scripts["latin"] > 1_500
    assert scripts["cyrillic"] > 700
    assert set(scripts) == {"latin", "cyrillic"}
    typed = "".join(person.typed_name for person in people.people)
    assert all(sign in typed for sign in "ʻ'’`‘")
    assert "oʻgʻli" in "".join(person.name for person in people.people)
    assert "qizi" in typed
    met = sum(match_key(person.typed_name) == match_key(person.name) for person in people.people)
    assert met >= 0.97 * len(people.people)


def test_families_share_a_phone_and_some_numbers_have_a_stranger_now(people: Population) -> None:
    holders: dict[str, list[MadeUp]] = defaultdict(list)
    for person in people.people:
        holders[person.mobile].append(person)
    shared = [group for group in holders.values() if len(group) > 1]
    families = [group for group in shared if len({person.household for person in group}) == 1]
    assert len(families) > 100
    assert len(shared) - len(families) == len(people.recycled) >= 5
    for old, new in people.recycled:
        first, second = people.people[old], people.people[new]
        assert first.mobile == second.mobile
        assert max(step.at for step in first.steps) + 30 * DAY < min(step.at for step in second.steps)


def test_K1_most_are_grown_up_a_few_are_teenagers_and_nobody_is_a_child(people: Population) -> None:
    today = to_datetime(NOW).date()
    ages = [(today - person.born).days // 365.25 for person in people.people]
    assert min(ages) >= 14
    teenagers = sum(age < 18 for age in ages)
    assert 30 <= teenagers <= 200
    for person in people.people:
        assert person.steps[0].service == "registration"


def test_everything_lies_in_the_past_and_in_order(people: Population) -> None:
    steps = people.steps()
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].at > NOW - 401 * DAY
    assert steps[-1].at < NOW
    state: dict[str, str] = {}
    for step in steps:
        if step.case is None:
            continue
        before = {"put-case": None, "collect": "put-case", "assign": "collect", "close": None}[step.action]
        if before is not None:
            assert state[step.case] == before
        elif step.action == "close":
            assert state[step.case] in {"assign", "collect"}
        else:
            assert step.case not in state
        state[step.case] = step.action


def test_some_orders_are_open_right_now_with_a_courier_on_the_way(people: Population) -> None:
    last = {step.case: step for step in people.steps() if step.case}
    under_way = [step for step in last.values() if step.action == "assign"]
    assert len(under_way) >= 5
    assert all(NOW - step.at < 2 * HOUR + 30 * MINUTE for step in under_way)
    assert {step.body["assigned"][0] for step in under_way} <= {"204", "205", "206"}


def test_an_order_has_about_ten_lines_and_its_sum_is_right(people: Population) -> None:
    baskets = [step.body["items"] for step in people.steps() if step.action == "collect" and step.service == "order"]
    sizes = [len(items["transaction.order-lines"]) for items in baskets]
    assert 8 <= sum(sizes) / len(sizes) <= 12
    for items in baskets:
        lines = items["transaction.order-lines"]
        assert items["transaction.amount"] == sum(line["count"] * line["price"] for line in lines)
        assert items["transaction.amount"] % 100 == 0


def test_some_agree_to_the_newsletter_and_some_of_them_leave_again(people: Population) -> None:
    agreed = {step.person for step in people.steps() if step.service == "newsletter"}
    left = {step.person for step in people.steps() if step.action == "withdraw"}
    assert 0.1 <= len(agreed) / len(people.people) <= 0.4
    assert left < agreed
    assert len(left) > 20


@pytest.mark.parametrize(
    ("latin", "cyrillic"),
    [
        ("Oʻktam Gʻulomov", "Ўктам Ғуломов"),
        ("Yoʻldosh", "Йўлдош"),
        ("Shahnoza Choriyeva", "Шаҳноза Чориева"),
        ("Maʼruf", "Маъруф"),
        ("Ergash", "Эргаш"),
    ],
)
def test_uzbek_names_are_spelled_in_both_scripts(latin: str, cyrillic: str) -> None:
    assert to_cyrillic(latin) == cyrillic


def test_russian_names_are_spelled_as_typed_on_a_latin_keyboard() -> None:
    assert to_latin("Юлия Фёдорова") == "Yuliya Fyodorova"
