"""What people may put right by themselves: a table first, then what must hold for whatever comes (Q1, Q2, R2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, CannotTell, Deny
from omonat.policy.words import Factor
from omonat.promises.accuracy.rule import decide_correction
from tests.policy.documents import shipped_compiled

NOW = Instant(1_800_000_000_000_000)
LATER = Instant(NOW + 30 * DAY)
POLICY = shipped_compiled()
ITEMS = list(POLICY.items.values())


def group(item: str) -> str:
    return POLICY.policy.categories[item.partition(".")[0]].group or ""


@pytest.mark.parametrize(
    ("what", "item", "facts", "answer"),
    [
        ("a name in an open order", "contact.name", {}, Allow),
        ("an address", "contact.postal-address", {}, Allow),
        ("a birth date", "relationship.birth-date", {}, Allow),
        ("an amount that was paid", "transaction.amount", {}, Deny),
        ("a password nobody can read", "transaction.password", {}, Deny),
        ("a name whose term is over", "contact.name", {"due": NOW}, Deny),
        ("a name a second before its term", "contact.name", {"due": Instant(NOW + 1)}, Allow),
        ("a name no rule keeps any more", "contact.name", {"due": None, "factor": ""}, CannotTell),
        ("a name a hold covers", "contact.name", {"held": True}, CannotTell),
        ("a name a law keeps", "contact.name", {"factor": Factor.OBLIGATION.value}, CannotTell),
        ("a name kept for a dispute", "contact.name", {"factor": Factor.DISPUTE.value}, CannotTell),
    ],
)
def test_Q2_who_may_correct_what(what: str, item: str, facts: dict[str, object], answer: type) -> None:
    known: dict[str, object] = {"due": LATER, "factor": Factor.CONTRACT.value, "held": False, **facts}
    verdict = decide_correction(POLICY.items[item], group=group(item), now=NOW, **known)  # type: ignore[arg-type]
    assert isinstance(verdict, answer), what


@given(st.sampled_from(ITEMS), st.sampled_from([f.value for f in Factor]), st.booleans(), st.integers(-5, 5))
def test_R2_a_hold_never_lets_more_be_changed_and_is_never_named(
    item: object, factor: str, held: bool, away: int
) -> None:
    due = Instant(NOW + away * DAY)
    facts = {"group": group(item.id), "due": due, "factor": factor, "now": NOW}  # type: ignore[attr-defined]
    free = decide_correction(item, held=False, **facts)  # type: ignore[arg-type]
    with_hold = decide_correction(item, held=True, **facts)  # type: ignore[arg-type]
    assert not isinstance(with_hold, Allow)
    if not isinstance(free, Allow):
        assert free == with_hold
    if held and isinstance(free, CannotTell):
        assert {reason.code for reason in free.reasons} == {"correction-to-be-looked-at"}
