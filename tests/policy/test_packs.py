"""Law packs: the stricter of two compatible values holds; what only the calendar could decide is not decided here."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

import pytest

from omonat.base.verdict import CannotTell
from omonat.policy.complaints import InvalidPolicy
from omonat.policy.packs import Deadline, Pack, consent_fields, read_pack, strictest_age, strictest_deadline
from omonat.policy.printer import print_policy
from tests.policy.documents import HERE, SHIPPED, shipped_packs

UZ = (HERE / "pack-uz.yaml").read_text("utf-8")


def pack(name: str, within: str, days: str = "calendar", under: int = 16) -> Pack:
    text = UZ.replace("pack: uz", f"pack: {name}").replace("uz/", f"{name}/")
    text = text.replace("within: P10D", f"within: {within}, days: {days}").replace("under: 16", f"under: {under}")
    return read_pack(text)


def test_P5_the_higher_age_and_the_earlier_deadline_win() -> None:
    packs = [pack("uz", "P10D"), pack("eu", "P1M", under=18)]

    assert strictest_age(packs, "images", policy=13) == 18
    assert strictest_age(packs, "no-law-speaks-of-it", policy=13) == 13
    found = strictest_deadline(packs, "answer-request")
    assert isinstance(found, Deadline)
    assert str(found.within) == "P10D"


@pytest.mark.parametrize(
    ("one", "other"),
    [(("P30D", "calendar"), ("P1M", "calendar")), (("P10D", "working"), ("P12D", "calendar")), (("P1Y", "calendar"), ("P365D", "calendar"))],
)  # fmt: skip
def test_P5_what_depends_on_the_calendar_cannot_be_told(one: tuple[str, str], other: tuple[str, str]) -> None:
    found = strictest_deadline([pack("uz", *one), pack("eu", *other)], "answer-request")

    assert isinstance(found, CannotTell)
    assert found.missing == ("answer-request: eu or uz",)


def test_P5_a_calendar_deadline_beats_as_many_working_days() -> None:
    found = strictest_deadline([pack("uz", "P10D", "working"), pack("eu", "P10D")], "answer-request")

    assert isinstance(found, Deadline)
    assert found.days == "calendar"


def test_P5_a_deadline_no_law_names_cannot_be_told() -> None:
    assert isinstance(strictest_deadline([pack("uz", "P10D")], "breach-people"), CannotTell)


def test_P5_a_pack_speaks_for_its_own_country_only() -> None:
    with pytest.raises(InvalidPolicy) as caught:
        read_pack(UZ.replace("uz/tax:", "eu/tax:"))
    assert [c.code for c in caught.value.complaints] == ["policy-wrong-value"]


def test_P5_the_shipped_packs_say_where_each_value_comes_from_and_that_no_counsel_has_confirmed_it() -> None:
    assert {p.pack for p in shipped_packs()} >= {"uz", "eu", "us-coppa"}
    for one in shipped_packs():
        for table in (one.laws, one.ages, one.deadlines, one.retention):
            for entry in table.values():
                assert entry.source
                assert not entry.verified_by_counsel
        assert read_pack(print_policy(one)) == one
    assert SHIPPED.exists()


def test_P5_a_consent_holds_what_any_of_the_laws_wants_in_it() -> None:
    fields = consent_fields(shipped_packs())

    assert len(fields) >= 8
    assert len(set(fields)) == len(fields)
