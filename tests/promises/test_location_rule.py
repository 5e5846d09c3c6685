"""The rule of location grants (L5): when one can be given, when it covers something, how coarse a place becomes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import DAY, HOUR, Instant
from omonat.base.verdict import Allow, Deny
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.promises.location.rule import (
    LONGEST,
    PRECISIONS,
    Term,
    asks_for_place,
    coarsened,
    covering,
    decide_place,
    decide_term,
    term_of,
)
from tests.flows.conftest import document, packs

NOW = Instant(1_790_000_000_000_000)
GUIDE = "guide-courier"


@pytest.fixture(name="policy", scope="module")
def the_policy() -> CompiledPolicy:
    return compile_policy(read_policy(document()), [read_pack(packs()["uz"])])


def test_L5_only_a_consent_that_opens_a_place_has_a_term(policy: CompiledPolicy) -> None:
    assert [purpose for purpose in policy.purposes if asks_for_place(policy, purpose)] == [GUIDE]
    verdict = decide_term(policy, "marketing-email", Term(kind="permanent"), NOW)
    assert isinstance(verdict, Deny)
    assert verdict.reasons[0].code == "term-not-asked"


GOOD = [
    Term(kind="permanent"), Term(kind="once", case="order:1"), Term(kind="while-open", case="order:1"),
    Term(kind="until", until=Instant(NOW + 1)), Term(kind="until", until=Instant(NOW + LONGEST)),
]  # fmt: skip
BAD = [
    (Term(kind="until"), "term-unclear"),
    (Term(kind="once"), "term-unclear"),
    (Term(kind="while-open"), "term-unclear"),
    (Term(kind="permanent", until=Instant(NOW + 1)), "term-unclear"),
    (Term(kind="permanent", case="order:1"), "term-unclear"),
    (Term(kind="while-open", case="inquiry:1"), "term-unclear"),
    (Term(kind="until", until=NOW), "term-over"),
    (Term(kind="until", until=Instant(NOW + LONGEST + 1)), "term-over"),
]


@pytest.mark.parametrize("term", GOOD, ids=range(len(GOOD)))
def test_L5_a_grant_that_says_when_it_ends_can_be_given(policy: CompiledPolicy, term: Term) -> None:
    assert isinstance(decide_term(policy, GUIDE, term, NOW), Allow)


@pytest.mark.parametrize(("term", "code"), BAD, ids=range(len(BAD)))
def test_L5_a_grant_without_an_end_of_its_kind_cannot(policy: CompiledPolicy, term: Term, code: str) -> None:
    verdict = decide_term(policy, GUIDE, term, NOW)
    assert isinstance(verdict, Deny)
    assert verdict.reasons[0].code == code


def allows(term: Term | None, *, case: str = "order:1", now: Instant = NOW, taking: bool = True) -> bool:
    return isinstance(decide_place(term, GUIDE, case=case, now=now, taking=taking), Allow)


def test_L5_a_grant_covers_its_time_and_its_order_and_no_more() -> None:
    until = Term(kind="until", until=Instant(NOW + HOUR))
    assert allows(until, now=Instant(NOW + HOUR - 1))
    assert not allows(until, now=Instant(NOW + HOUR))
    assert not allows(until, now=Instant(NOW + HOUR), taking=False)
    assert allows(Term(kind="while-open", case="order:1"))
    assert not allows(Term(kind="while-open", case="order:2"))
    once = Term(kind="once", case="order:1", used=NOW)
    assert not allows(once)
    assert allows(once, taking=False)  # the courier goes on seeing the one place, in that order
    assert allows(Term(kind="permanent"), now=Instant(NOW + 900 * DAY))
    assert not allows(None)


def standing(term: Term | None, **more: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {"consents": {GUIDE: 1}, **more}
    return kept if term is None else {**kept, "terms": {GUIDE: term.stored()}}


def test_L5_a_bare_yes_is_permanent_and_coarse_and_a_doubtful_one_is_none() -> None:
    bare = term_of(standing(None), GUIDE)
    assert bare is not None
    assert (bare.kind, bare.precision) == ("permanent", "street")
    assert term_of(standing(None, doubt=[GUIDE]), GUIDE) is None
    assert term_of({"terms": standing(Term(kind="permanent"))["terms"]}, GUIDE) is None
    assert term_of(None, GUIDE) is None


def test_L5_of_two_grants_the_finer_counts() -> None:
    kept = {
        "consents": {"a": 1, "b": 1},
        "terms": {"a": Term(kind="permanent", precision="city").stored(), "b": Term(kind="permanent").stored()},
    }
    found = covering(kept, ["a", "b"], case=None, now=NOW)
    assert found is not None
    assert found[0] == "b"


degrees = st.integers(-90_000_000, 90_000_000).map(lambda n: f"{n / 1_000_000:.6f}")


@given(lat=degrees, lon=degrees, accuracy=st.none() | st.integers(0, 100_000), precision=st.sampled_from(PRECISIONS))
def test_L5_no_place_is_finer_than_its_grant(lat: str, lon: str, accuracy: int | None, precision: Any) -> None:
    place: dict[str, Any] = {"lat": lat, "lon": lon} | ({} if accuracy is None else {"accuracy": accuracy})
    rough = coarsened(place, precision)
    decimals = {"exact": 5, "street": 3, "district": 2, "city": 1}[precision]
    for name in ("lat", "lon"):
        assert len(rough[name].partition(".")[2]) <= decimals
        assert abs(float(rough[name]) - float(place[name])) <= 0.5 * 10**-decimals + 1e-9
    assert rough.get("accuracy", 10**9) >= (accuracy or 0)
    assert coarsened(rough, precision) == rough
