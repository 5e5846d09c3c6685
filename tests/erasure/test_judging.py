"""What is judged by the kinds of its sections alone is judged as if each record, section and item were looked at."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, Instant
from omonat.flows.judging import Around, Judge
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.retention.rule import NOT_HELD, Held, all_go, items_of, weigh
from tests.flows.conftest import Shop, street
from tests.policy.documents import shipped_compiled

__all__ = ["street"]

NOW = Instant(1_800_000_000_000_000)
AGES = st.one_of(st.integers(0, 2_600).map(lambda days: days * DAY), st.integers(0, 2_600 * DAY))
EVENTS = st.dictionaries(
    st.sampled_from(["last-complaint", "last-seen", "account-closed", "erasure"]),
    AGES.map(lambda age: Instant(NOW - age)),
    max_size=2,
)
HOLDS = st.lists(
    st.fixed_dictionaries(
        {
            "items": st.lists(st.sampled_from(["contact", "contact.mobile", "transaction.amount"]), max_size=1),
            "review_at": st.just(Instant(NOW + DAY)),
            "may_tell": st.booleans(),
        }
    ),
    max_size=1,
)


@st.composite
def records(draw: st.DrawFn, policy: CompiledPolicy, number: int) -> dict[str, Any]:
    """One record with its sections and what is around it, as the statements of a sweep read them."""
    opened = draw(AGES)
    closed = draw(st.none() | st.integers(0, opened))
    case = draw(st.none() | st.just(f"order:{number}"))
    return {
        "record": {
            "id": f"rec_{number}", "person": f"per_{number}", "case_id": case, "slot": number, "version": 1,
            "service": draw(st.sampled_from([*sorted(policy.services), "a-service-of-yore"])),
            "collected_at": Instant(NOW - draw(AGES)), "anchors": draw(st.none() | EVENTS),
        },
        "person": {"slot": 1_000 + number, "standing": None},
        "case": {"opened_at": Instant(NOW - opened), "anchors": draw(st.none() | EVENTS),
                 "closed_at": None if closed is None else Instant(NOW - closed)},
        "categories": draw(st.lists(st.sampled_from(sorted(policy.policy.categories)), unique=True, max_size=2)),
        "holds": draw(HOLDS),
    }  # fmt: skip


def around(drawn: list[dict[str, Any]]) -> Around:
    """Sections without what is sealed in them: a judgement that would have to open one ends with a KeyError."""
    return Around(
        persons={one["record"]["person"]: one["person"] for one in drawn},
        cases={one["record"]["case_id"]: one["case"] for one in drawn if one["record"]["case_id"]},
        sections={one["record"]["id"]: [{"category": name} for name in one["categories"]] for one in drawn},
        holds={one["record"]["id"]: one["holds"] for one in drawn},
    )


@settings(max_examples=120)
@given(data=st.data())
def test_R3_a_batch_is_judged_as_each_record_by_itself(street: Shop, data: st.DataObject) -> None:
    grounds = street.house.grounds
    policy = grounds.law.history()[-1]
    drawn = [data.draw(records(policy, number)) for number in range(data.draw(st.integers(1, 8)))]
    facts = around(drawn)
    together = Judge(grounds, policy, NOW, entry="ev_none")

    for record in (one["record"] for one in drawn):
        whole = together.goes_whole(record, facts)
        alone = Judge(grounds, policy, NOW, entry="ev_none")
        if whole is not None:
            judged = alone.judge(record, facts)
            assert (whole.whole, whole.gone, whole.anchors) == (judged.whole, judged.gone, judged.anchors)
            assert judged.ends
            assert whole.ends
            assert not judged.stays
        else:
            try:
                stays = alone.judge(record, facts).stays
            except KeyError:  # only what is sealed in it tells
                continue
            else:
                assert stays, "a record of which nothing stays was not recognised"
    assert together.opened == 0


@given(
    service=st.sampled_from([*sorted(shipped_compiled().services), "a-service-of-yore"]),
    category=st.sampled_from(sorted(shipped_compiled().policy.categories)),
    collected=AGES,
    events=EVENTS,
    held=st.sampled_from([NOT_HELD, Held(everything=True), Held(names=frozenset({"contact.mobile"}))]),
)
def test_R2_all_goes_when_each_item_does(
    service: str, category: str, collected: int, events: dict[str, Instant], held: Held
) -> None:
    policy = shipped_compiled()
    items = items_of(policy, category)
    anchors = MappingProxyType({**events, "collected": Instant(NOW - collected)})

    at_once = all_go(policy, service, items, anchors, held=held, now=NOW)
    each = [weigh(policy, service, [item], anchors, held=held, now=NOW) for item in items]

    if at_once:
        assert [item for one in each for item in one.goes] == list(items)
        assert not any(one.stays for one in each)
    else:
        assert any(one.stays for one in each) or service not in policy.services


def test_R2_what_the_policy_has_no_name_for_is_not_all_due() -> None:
    with pytest.raises(BadInput, match="declares no item"):
        shipped_compiled().all_due("order", ("contact.shoe-size",), {"collected": Instant(0)}, NOW)
