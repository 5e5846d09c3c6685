"""The tables: what they grant is what a naive reading of the document grants, for every combination there is."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.codes import registry
from omonat.base.errors import BadInput, Refused
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.reader import read_policy
from tests.policy.documents import (
    SHIPPED,
    SMALL,
    changed,
    raw,
    raw_policies,
    reread,
    shipped,
    shipped_compiled,
    shipped_packs,
    small_compiled,
    small_packs,
    yaml_of,
)


def naive(document: dict[str, Any], purpose: str, role: str, item: str) -> str:
    """What a person reading the document would say: allowed, or the first reason why not."""
    law = document["purposes"][purpose]
    roles = law["roles"]
    if role not in roles:
        return "role-may-not"
    if item not in law.get("needs", []) + law.get("may-use", []):
        return "item-not-needed"
    if isinstance(roles, dict) and roles[role] != "all" and item not in roles[role]:
        return "role-does-not-see"
    category, _, name = item.partition(".")
    if document["categories"][category]["items"][name].get("keep") == "verify-only":
        return "item-verify-only"
    return "allowed"


def ours(policy: CompiledPolicy, purpose: str, role: str, item: str) -> str:
    try:
        grant = policy.grant(purpose, role, (item,))
    except Refused as refused:
        return refused.code
    if item in grant.allowed:
        assert item not in grant.withheld
        return "allowed"
    return grant.withheld[item].code


def everything(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    items = [f"{c}.{i}" for c, category in document["categories"].items() for i in category["items"]]
    return [(p, r, i) for p in document["purposes"] for r in document["roles"] for i in items]


@pytest.mark.parametrize(
    ("path", "policy"), [(SMALL, small_compiled), (SHIPPED, shipped_compiled)], ids=["small", "shipped"]
)
def test_S4_every_purpose_role_and_item_is_decided_as_a_reader_would(path: Path, policy) -> None:
    document, compiled = raw(path), policy()
    asked = everything(document)

    for purpose, role, item in asked:
        assert ours(compiled, purpose, role, item) == naive(document, purpose, role, item), (purpose, role, item)

    verdicts = {naive(document, *one) for one in asked}
    assert {"allowed", "role-may-not", "item-not-needed"} <= verdicts


@settings(max_examples=40)
@given(raw_policies())
def test_S4_any_policy_is_decided_as_a_reader_would(document) -> None:
    compiled = compile_policy(reread(yaml_of(document)), small_packs())

    for purpose, role, item in everything(document):
        assert ours(compiled, purpose, role, item) == naive(document, purpose, role, item)


def test_L3_a_courier_gets_name_and_address_and_hears_why_not_the_rest() -> None:
    grant = small_compiled().grant(
        "deliver-order", "courier", ("contact.postal-address", "contact.email", "contact.name", "contact.landmark")
    )

    assert grant.allowed == ("contact.postal-address", "contact.name"), "in the order they were asked for"
    assert grant.categories == ("contact",)
    assert {item: (why.code, why.promise) for item, why in grant.withheld.items()} == {
        "contact.email": ("item-not-needed", "L3"),
        "contact.landmark": ("role-does-not-see", "S4"),
    }
    assert grant.withheld["contact.email"].about == {"item": "contact.email", "purpose": "deliver-order"}
    assert (grant.cases, grant.case_rule, grant.basis) == (frozenset({"order"}), "assigned", "contract")
    assert not grant.reads_consent
    assert not grant.may_object
    for why in grant.withheld.values():
        assert why.code in registry()


def test_L3_asking_for_nothing_gives_all_that_the_role_has_a_part_in() -> None:
    assert small_compiled().grant("deliver-order", "courier").allowed == (
        "contact.name", "contact.mobile", "contact.postal-address",
    )  # fmt: skip
    assert len(small_compiled().grant("deliver-order", "counter").allowed) == 5


def test_G3_a_password_comes_back_to_nobody() -> None:
    grant = small_compiled().grant("sign-in", "robot")

    assert grant.allowed == ("contact.mobile",)
    assert grant.withheld["account.password"].code == "item-verify-only"


def test_C1_consent_and_objection_are_told_to_the_rule_that_knows_the_person() -> None:
    marketing = small_compiled().grant("marketing-email", "marketing")
    improving = small_compiled().grant("improve", "manager")

    assert (marketing.reads_consent, marketing.may_object) == (True, True)
    assert (improving.reads_consent, improving.may_object) == (False, True)


def test_S4_a_role_without_a_part_is_refused_and_wrong_names_are_met_with_the_nearest() -> None:
    policy = small_compiled()
    with pytest.raises(Refused, match="role has no part"):
        policy.grant("deliver-order", "marketing", ("contact.name",))
    for call, code, near in (
        (lambda: policy.grant("deliver-ordr", "courier"), "purpose-unknown", "deliver-order"),
        (lambda: policy.grant("deliver-order", "curier"), "role-unknown", "courier"),
        (lambda: policy.grant("deliver-order", "courier", ("contact.nmae",)), "item-unknown", "contact.name"),
        (lambda: policy.form("ordr"), "service-unknown", "order"),
        (lambda: policy.due("order", "name", {}), "item-unknown", "contact.name"),
    ):
        with pytest.raises(BadInput) as caught:
            call()
        assert (caught.value.code, caught.value.about["nearest"]) == (code, near)


def test_S4_made_up_requests_do_not_fill_the_memory() -> None:
    policy = compile_policy(shipped(), shipped_packs())
    items = list(policy.items)
    role = next(iter(policy.purposes["deliver-order"].roles))
    for a in items:
        for b in items:
            for c in items[:12]:
                policy.grant("deliver-order", role, (a, b, c))

    assert len(policy._grants) <= 16_384


def test_L1_a_form_knows_required_optional_and_what_waits_for_a_yes() -> None:
    form = small_compiled().form("order")

    assert form.required == ("contact.name", "contact.mobile", "contact.postal-address", "transaction.amount")
    assert form.optional == ("contact.landmark",), "an item one purpose needs and another may use is required"
    assert form.offered == {"contact.email": ("marketing-email",), "contact.name": ("marketing-email",)}
    assert form.offers == ("marketing-email",)
    assert form.needs_of == {"marketing-email": ("contact.email",)}
    assert (form.case, form.sources) == ("order", ("site",))
    assert small_compiled().needed_by("order", "contact.name") == ("deliver-order", "marketing-email")
    assert small_compiled().needed_by("order", "account.password") == ()


def test_C1_a_consent_purpose_a_service_is_for_is_still_only_asked() -> None:
    document = reread(changed("for: [deliver-order, keep-books]", "for: [deliver-order, keep-books, marketing-email]"))

    form = compile_policy(document, small_packs()).form("order")

    assert "contact.email" not in (*form.required, *form.optional)
    assert form.offered["contact.email"] == ("marketing-email",)


def test_A3_every_declared_thing_has_a_label_in_every_language() -> None:
    policy = shipped_compiled()
    for kind, table in (("item", policy.items), ("purpose", policy.purposes), ("service", policy.services)):
        for name in table:
            for language in ("uz", "ru", "en"):
                assert policy.label(kind, name, language) != name
    assert policy.label("item", "gone.since-version-one", "uz") == "gone.since-version-one"


def test_K1_the_higher_of_policy_and_law_is_the_age_that_holds() -> None:
    assert (small_compiled().child_under, small_compiled().images_under) == (13, 16)
    lower = reread(changed("images-under: 16", "images-under: 14"))
    assert compile_policy(lower, small_packs()).images_under == 16
    own = reread(changed("images-under: 16", "images-under: 14, threshold: policy"))
    assert compile_policy(own, small_packs()).images_under == 14


def test_P5_a_policy_whose_law_is_not_at_hand_does_not_run() -> None:
    with pytest.raises(BadInput) as caught:
        compile_policy(reread(SMALL.read_text("utf-8")), ())
    assert caught.value.code == "policy-pack-unknown"
    with pytest.raises(BadInput) as caught:
        compile_policy(reread(changed("source: uz/tax-code", "source: uz/tax-cod")), small_packs())
    assert (caught.value.code, caught.value.about["nearest"]) == ("policy-source-unknown", "uz/tax-code")


WIDENED = [
    ("role", "roles: [finance]", "roles: [finance, manager]", ("keep-books", "transaction.amount", "manager")),
    ("item", "may-use: [contact.name]", "may-use: [contact.name, contact.mobile]",
     ("marketing-email", "contact.mobile", "marketing")),
    ("longer", "keep: P6M", "keep: P7M", ("deliver-order", "contact.name", "courier")),
    ("cap", "at-most: {after: collected, keep: P6Y}", "at-most: {after: collected, keep: P7Y}",
     ("deliver-order", "contact.name", "courier")),
    ("basis", "basis: consent\n    roles: [marketing, robot]", "basis: contract\n    roles: [marketing, robot]",
     ("marketing-email", "contact.email", "robot")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "use"), [w[1:] for w in WIDENED], ids=[w[0] for w in WIDENED])
def test_P2_a_wider_use_counts_from_the_version_that_widened_it(old: str, new: str, use: tuple[str, str, str]) -> None:
    text = changed(old, new).replace(
        "offers: [marketing-email]\n", "\n" if "contract\n    roles: [mark" in new else "offers: [marketing-email]\n"
    )
    if "contract\n    roles: [mark" in new:
        text = text.replace("consent-needed: [marketing-email]\n", "")
    first = small_compiled()
    second = compile_policy(reread(text), small_packs(), [first])
    third = compile_policy(reread(text), small_packs(), [first, second])

    assert second.tables.uses[use].ordinal == 2
    assert third.tables.uses[use].ordinal == 2, "nothing changed since"
    assert second.grant("sign-in", "robot").since == 1, "what did not change still counts from the first version"


NARROWED = [
    ("shorter", "keep: P6M", "keep: P5M"),
    ("cap", "at-most: {after: collected, keep: P6Y}", "at-most: {after: collected, keep: P70M}"),
    ("to consent", "basis: legitimate-interest\n    interest: {uz: Sifat, ru: Качество, en: Quality}", "basis: consent"),
    ("words", "en: Delivery of the order", "en: Bringing the order"),
    ("fewer", "lookup: [contact.mobile]\n", "\n"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [n[1:] for n in NARROWED], ids=[n[0] for n in NARROWED])
def test_P2_a_narrower_or_reworded_use_is_no_new_use(old: str, new: str) -> None:
    second = compile_policy(reread(changed(old, new)), small_packs(), [small_compiled()])

    assert {since.ordinal for since in second.tables.uses.values()} == {1}


def test_P2_a_use_that_was_dropped_and_comes_back_counts_from_its_return() -> None:
    first = small_compiled()
    second = compile_policy(reread(changed("roles: [marketing, robot]", "roles: [marketing]")), small_packs(), [first])
    third = compile_policy(reread(SMALL.read_text("utf-8")), small_packs(), [first, second])

    assert ("marketing-email", "contact.email", "robot") not in second.tables.uses
    assert third.grant("marketing-email", "robot").since == 3
    assert third.grant("marketing-email", "marketing").since == 1


def test_P2_a_new_recipient_counts_from_its_version() -> None:
    first = small_compiled()
    second = compile_policy(
        reread(
            changed(
                "purposes: [deliver-order], items: [contact.mobile]",
                "purposes: [deliver-order], items: [contact.mobile, contact.name]",
            )
        ),
        small_packs(),
        [first],
    )

    assert first.since_recipient("sms-gateway", "deliver-order", "contact.name") is None
    assert second.since_recipient("sms-gateway", "deliver-order", "contact.mobile") == 1
    assert second.since_recipient("sms-gateway", "deliver-order", "contact.name") == 2


@settings(max_examples=30)
@given(st.lists(raw_policies(), min_size=2, max_size=4))
def test_P2_since_only_ever_names_a_version_that_was(documents) -> None:
    history: list[CompiledPolicy] = []
    for document in documents:
        history.append(compile_policy(reread(yaml_of(document)), small_packs(), history))

    for number, version in enumerate(history):
        before = history[number - 1].tables.uses if number else {}
        for use, since in version.tables.uses.items():
            assert 1 <= since.ordinal <= version.ordinal
            if use not in before:
                assert since.ordinal == version.ordinal, "introduced or reintroduced here"
            else:
                assert since.ordinal in {before[use].ordinal, version.ordinal}, "never told of earlier than before"


def test_P3_the_shipped_policy_compiles_in_a_fifth_of_a_second() -> None:
    document = read_policy(SHIPPED.read_bytes())
    best = min(_seconds(lambda: compile_policy(document, shipped_packs())) for _ in range(3))

    assert best < 0.2


def test_S4_a_grant_is_found_in_microseconds() -> None:
    policy = shipped_compiled()
    role = next(iter(policy.purposes["deliver-order"].roles))
    items = policy.purposes["deliver-order"].items
    policy.grant("deliver-order", role, items)

    best = min(_seconds(lambda: [policy.grant("deliver-order", role, items) for _ in range(1000)]) for _ in range(5))

    assert best / 1000 < 3e-6


def _seconds(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
