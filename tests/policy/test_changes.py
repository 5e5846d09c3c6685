"""What a person reads of two versions: gathered, in words, with whom it concerns and whether they must be told."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from omonat.policy.changes import KINDS, changes, reached
from omonat.policy.compare import compare
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.prose_changes import briefly, told
from tests.policy.documents import changed, raw_policies, reread, shipped_compiled, small_compiled, small_packs, yaml_of

INTEREST = "basis: legitimate-interest\n    interest: {uz: Sifat, ru: Качество, en: Quality}"
FLIPPED = {
    "purpose-new": "purpose-gone", "items-new": "items-gone", "roles-new": "roles-gone",
    "recipient-new": "recipient-gone", "disclosure-new": "disclosure-gone", "kept-longer": "kept-shorter",
    "occasions-more": "occasions-fewer",
    "age-lower": "age-higher", "required": "optional", "consent-asked": "consent-dropped",
    "promise-new": "promise-gone", "item-new": "item-gone", "service-new": "service-gone", "role-new": "role-gone",
}  # fmt: skip
FLIPPED |= {milder: wider for wider, milder in FLIPPED.items()}


def version(text: str, *before: CompiledPolicy) -> CompiledPolicy:
    return compile_policy(reread(text), small_packs(), before or [small_compiled()])


PLANTED = [
    # what is written, what is found, whether it is told, whether it needs agreement, which services it reaches
    ("roles: [finance]", "roles: [finance, manager]", "roles-new", True, False, ("order",)),
    ("may-use: [contact.landmark,", "may-use: [contact.landmark, contact.email,",
     "items-new", True, True, ("order",)),
    ("items: [contact.mobile]}", "items: [contact.mobile, contact.name]}", "disclosure-new", True, False, ("order",)),
    ("keep: P6M", "keep: P8M", "kept-longer", True, True, ("order", "registration")),
    (INTEREST, "basis: contract", "basis-weaker", True, True, ("visit",)),
    ("    cases: [order]\n", "", "occasions-more", True, True, ("order",)),
    (INTEREST, "basis: contract", "objection-lost", True, False, ("visit",)),
    (INTEREST, "basis: consent", "basis-milder", False, False, ()),
    ("keep: P6M", "keep: P5M", "kept-shorter", False, False, ()),
    ("roles: [marketing, robot]", "roles: [marketing]", "roles-gone", False, False, ()),
    ("kind: processor, country: uz", "kind: processor, country: de", "recipient-moved", True, False,
     ("order", "registration")),
    ("may-use: [contact.landmark, ", "may-use: [", "items-gone", False, False, ()),
    ("children: {under: 13", "children: {under: 12", "age-lower", False, False, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(p[0], p[1], p[2:]) for p in PLANTED],
    ids=[f"{p[2]}-{n}" for n, p in enumerate(PLANTED)],
)
def test_P2_each_kind_of_change_is_found_with_whom_it_concerns(
    old: str, new: str, expected: tuple[str, bool, bool, tuple[str, ...]]
) -> None:
    kind, tell, agree, services = expected
    after = version(changed(old, new))
    found = next(change for change in changes(small_compiled(), after) if change.kind == kind)

    assert (found.tell, found.agree, found.milder) == (tell, agree, KINDS.index(kind) >= KINDS.index("purpose-gone"))
    assert found.services == services
    assert {service for _, service, _ in reached(small_compiled(), after, ())} >= set(services)


def test_P2_a_new_purpose_is_one_change_however_many_see_how_much() -> None:
    before = version(
        changed("offers: [marketing-email]", "offers: []").replace("consent-needed: [marketing-email]\n", "")
    )
    purposes = dict(before.policy.purposes)
    del purposes["marketing-email"]
    older = compile_policy(replace(before.policy, purposes=purposes), small_packs())
    newer = compile_policy(before.policy, small_packs(), [older])
    (found,) = [change for change in changes(older, newer) if change.about == "marketing-email"]

    assert (found.kind, found.now, found.roles) == ("purpose-new", "consent", ("marketing", "robot"))
    assert set(found.items) == {"contact.email", "contact.name"}


def test_P2_a_record_taken_in_under_the_new_version_is_not_reached() -> None:
    second = version(changed("roles: [finance]", "roles: [finance, manager]"))
    third = version(changed("roles: [finance]", "roles: [finance, manager]"), small_compiled(), second)

    assert reached(small_compiled(), third, ()) == {(2, "order", "transaction")}, "since the second, not the third"
    assert reached(second, third, ()) == frozenset()


@settings(max_examples=40)
@given(raw_policies(), raw_policies())
def test_P2_every_difference_is_in_some_change_and_the_way_back_is_its_opposite(one, other) -> None:
    old = compile_policy(reread(yaml_of(one)), small_packs())
    new = compile_policy(reread(yaml_of(other)), small_packs(), [old])

    there, back = changes(old, new), changes(new, compile_policy(old.policy, small_packs(), [new]))
    assert changes(old, old) == ()
    assert bool(there) == bool(compare(old, new))
    assert bool(reached(old, new, ())) <= any(change.tell for change in there)
    assert not any(change.tell and change.milder for change in there)
    forth = {(FLIPPED[change.kind], change.about) for change in there if change.kind in FLIPPED}
    # what is kept differently both ways (another event to count from) is longer both ways
    both = {("kept-shorter", about) for kind, about in _pairs(back) if kind == "kept-longer"}
    assert {pair for pair in forth - both if pair[0] not in ("kept-longer", "kept-shorter")} <= _pairs(back)


def _pairs(found) -> set[tuple[str, str]]:
    return {(change.kind, change.about) for change in found}


@settings(max_examples=20)
@given(raw_policies(), raw_policies())
def test_P3_every_change_has_plain_words_in_three_languages(one, other) -> None:
    old = compile_policy(reread(yaml_of(one)), small_packs())
    new = compile_policy(reread(yaml_of(other)), small_packs(), [old])
    for language in ("uz", "ru", "en"):
        said = told(old, new, language)
        assert [one.change for one in said] == list(changes(old, new))
        assert all(one.title and "{" not in one.title for one in said if "{" not in str(other))


def test_P2_a_letter_says_what_must_be_told_and_counts_what_has_no_room() -> None:
    text = changed("keep: P6M", "keep: P8M").replace("roles: [finance]", "roles: [finance, manager]")
    said = told(small_compiled(), version(text), "en")
    whole, short = briefly(said, "en", 20), briefly(said, "en", 1)

    assert "More of our people see it: Bookkeeping." in whole
    assert "8\u00a0months" in whole
    assert "more changes" not in whole
    assert short.count("\n\n") == 1
    assert short.endswith(f"… and {sum(one.change.tell for one in said) - 1} more changes.")


def test_P3_a_version_does_not_differ_from_itself_in_words() -> None:
    assert told(shipped_compiled(), shipped_compiled(), "uz") == ()
