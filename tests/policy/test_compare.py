"""Two versions side by side: changes of meaning are found, changes of wording are not, and widening is told apart."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

import pytest
from hypothesis import given, settings

from omonat.policy.compare import Change, Difference, compare, new_uses
from omonat.policy.compiled import CompiledPolicy, compile_policy
from tests.policy.documents import changed, raw_policies, reread, shipped_compiled, small_compiled, small_packs, yaml_of


def version(text: str) -> CompiledPolicy:
    return compile_policy(reread(text), small_packs(), [small_compiled()])


CHANGES = [
    ("roles: [finance]", "roles: [finance, manager]",
     Difference("use", Change.ADDED, ("keep-books", "transaction.amount", "manager"), widens=True)),
    ("may-use: [contact.name]", "may-use: [contact.name, contact.mobile]",
     Difference("use", Change.ADDED, ("marketing-email", "contact.mobile", "robot"), widens=True)),
    ("roles: [marketing, robot]", "roles: [marketing]",
     Difference("use", Change.REMOVED, ("marketing-email", "contact.email", "robot"))),
    ("keep: P6M", "keep: P8M", Difference("retention", Change.WIDENED, ("deliver-order", "contact.name"), widens=True)),
    ("keep: P6M", "keep: P5M", Difference("retention", Change.NARROWED, ("deliver-order", "contact.name"))),
    ("items: [contact.mobile]}", "items: [contact.mobile, contact.name]}",
     Difference("disclosure", Change.ADDED, ("sms-gateway", "deliver-order", "contact.name"), widens=True)),
    ("kind: processor, country: uz", "kind: processor, country: de",
     Difference("recipient", Change.WIDENED, ("sms-gateway",), "processor, uz", "processor, de", widens=True)),
    ("basis: legitimate-interest\n    interest: {uz: Sifat, ru: Качество, en: Quality}", "basis: consent",
     Difference("basis", Change.NARROWED, ("improve",), "legitimate-interest", "consent")),
    ("basis: legitimate-interest\n    interest: {uz: Sifat, ru: Качество, en: Quality}", "basis: contract",
     Difference("basis", Change.WIDENED, ("improve",), "legitimate-interest", "contract", widens=True)),
    ("children: {under: 13", "children: {under: 12", Difference("age", Change.WIDENED, ("child-under",), "13", "12", widens=True)),
    ("consent-needed: [marketing-email]\n", "", Difference("consent", Change.REMOVED, ("marketing-email",))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"), CHANGES, ids=[f"{c.what}-{c.change}-{i}" for i, (_, _, c) in enumerate(CHANGES)]
)
def test_P2_a_change_of_meaning_is_found_and_judged(old: str, new: str, expected: Difference) -> None:
    found = compare(small_compiled(), version(changed(old, new)))

    assert expected in found
    assert (expected in new_uses(small_compiled(), version(changed(old, new)))) == expected.widens


def test_P2_rewording_is_no_change_of_meaning() -> None:
    assert compare(small_compiled(), version(changed("en: Delivery of the order", "en: Bringing it"))) == ()


def test_P2_a_version_does_not_differ_from_itself() -> None:
    assert compare(shipped_compiled(), shipped_compiled()) == ()


@settings(max_examples=30)
@given(raw_policies(), raw_policies())
def test_P2_what_widens_is_what_since_starts_anew(one, other) -> None:
    old = compile_policy(reread(yaml_of(one)), small_packs())
    new = compile_policy(reread(yaml_of(other)), small_packs(), [old])

    told = {d.names for d in new_uses(old, new) if d.what == "use"}
    told |= {use for use in new.tables.uses for d in new_uses(old, new) if d.what == "retention" and use[:2] == d.names}
    told |= {use for use in new.tables.uses for d in new_uses(old, new) if d.what == "basis" and use[0] == d.names[0]}

    assert told == {use for use, since in new.tables.uses.items() if since.ordinal == 2}
