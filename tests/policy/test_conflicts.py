"""Law packs that contradict each other: each contradiction named once, with both rules and their sources."""

from datetime import date

import pytest

from omonat.policy.conflicts import conflicts, unlisted_years
from omonat.policy.packs import Pack, read_pack
from tests.policy.documents import SHIPPED, shipped_packs

UZ = (SHIPPED.parent / "packs" / "uz.yaml").read_text("utf-8")
HERE = read_pack(UZ)


def other(*changes: tuple[str, str]) -> Pack:
    """The law of Uzbekistan under another name, with some of it changed."""
    text = UZ.replace("pack: uz", "pack: kz").replace("uz/", "kz/")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read_pack(text)


DEADLINE = ("within: P10D\n    days: calendar", "within: P1M\n    days: calendar")
TORN = ("within: P10D\n    days: calendar", "within: P8D\n    days: working")
LANGUAGE = ("  language: uz\n", "  language: ru\n")
METHOD = ("  signed-form:\n", "  video:\n")
_METHOD_END = "    mark: U\n    verified-by-counsel: false\n"
VERIFIED = (f"{_METHOD_END}\nnotices:", f"{_METHOD_END}    by: message\n\nnotices:")


@pytest.mark.parametrize(
    ("changes", "about", "rules"),
    [
        ([TORN], "deadline/answer-request", ["P10D calendar", "P8D working"]),
        ([LANGUAGE], "advertising", ["uz", "ru"]),
        ([METHOD], "parental-consent", ["signed-form (staff)", "video (staff)"]),
        ([VERIFIED], "parental-consent", ["signed-form (staff)", "signed-form (message)"]),
    ],
)
def test_P5_a_contradiction_names_both_rules_and_where_they_come_from(
    changes: list[tuple[str, str]], about: str, rules: list[str]
) -> None:
    (found,) = conflicts([HERE, other(*changes)])
    assert found.about == about
    assert [side.rule for side in found.sides] == rules
    assert [side.pack for side in found.sides] == ["uz", "kz"]
    assert all(side.source and side.mark for side in found.sides)


def test_P5_of_compatible_rules_the_stricter_holds_and_nothing_is_in_doubt() -> None:
    assert conflicts([HERE]) == ()
    assert conflicts([HERE, other()]) == ()
    assert conflicts([HERE, other(DEADLINE)]) == ()
    assert conflicts(shipped_packs()) == ()


def test_P5_several_contradictions_are_several_names() -> None:
    found = conflicts([HERE, other(TORN, LANGUAGE, METHOD)])
    assert [one.about for one in found] == ["advertising", "deadline/answer-request", "parental-consent"]


def test_P5_a_year_is_missed_only_where_working_days_are_counted_and_only_when_it_is_near() -> None:
    assert unlisted_years([HERE], date(2026, 11, 29), date(2026, 12, 13)) == ()
    assert unlisted_years([HERE], date(2026, 12, 20), date(2027, 1, 3)) == (("uz", 2027),)
    calendar_days = other(("within: P3D\n    days: working", "within: P3D\n    days: calendar"))
    assert unlisted_years([calendar_days], date(2026, 12, 20), date(2027, 1, 3)) == ()
