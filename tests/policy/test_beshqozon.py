"""The shipped policy: whole, in three languages, without an open contradiction, and as narrow as it says."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omonat.policy.lint import lint
from omonat.policy.model import Policy, Words
from omonat.policy.packs import Pack, read_pack
from omonat.policy.reader import Document, read_policy_file
from omonat.policy.words import Basis, Factor, ItemClass, Keep, Kind, Scope

POLICIES = Path(__file__).parents[2] / "policies"
PROMISES = (
    "P1 P2 P3 P4 P5 D1 D2 A1 A2 A3 N1 N2 N3 C1 C2 C3 C4 L1 L2 L3 L4 L5 L6 L7 K1 K2 K3 "
    "U1 U2 U3 U4 U5 U6 U7 U8 U9 U10 U11 R1 R2 R3 X0 X1 X2 X3 X4 X5 X6 X7 T1 T2 Q1 Q2 "
    "S1 S2 S3 S4 S5 S6 B1 B2 B3 G1 G2 G3 G4 G5 G6"
)
SERVICES = (
    "registration order delivery payment return-or-exchange information-request newsletter survey loyalty-account "
    "call-centre-call hall-cameras site-visit"
)
ROLES = "counter courier call-centre marketing finance quality security management privacy-officer auditor system"
CONTRADICTIONS = {
    "no-third-parties-but-disclosures",
    "not-anonymous",
    "consent-by-use",
    "immediate-deletion-but-kept",
    "open-purpose-list",
    "ages-disagree",
    "withdrawing-harder-than-giving",
    "sensitive-too-narrow",
    "marketing-without-consent",
    "channels-beyond-promise",
    "no-third-parties-but-third-party-cookies",
    "not-all-voluntary",
    "collected-but-not-needed",
    "consent-situations-unlisted",
}
ORDER_OF_THE_DEMO = (
    "contact.name contact.mobile contact.postal-address contact.landmark contact.email transaction.order-lines "
    "transaction.amount transaction.comment financial.card-token financial.card-brand financial.card-last-four"
)


@pytest.fixture(name="document", scope="module")
def the_document() -> Document:
    return read_policy_file(POLICIES / "beshqozon.yaml")


@pytest.fixture(name="policy")
def the_policy(document: Document) -> Policy:
    return document.policy


@pytest.fixture(name="packs", scope="module")
def the_packs() -> list[Pack]:
    return [read_pack(file.read_bytes(), file.name) for file in sorted((POLICIES / "packs").glob("*.yaml"))]


def _words(part: Any) -> Iterator[Words]:
    if isinstance(part, Words):
        yield part
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from _words(getattr(part, field.name))
    elif isinstance(part, dict) or hasattr(part, "values"):
        for each in part.values():
            yield from _words(each)
    elif isinstance(part, tuple):
        for each in part:
            yield from _words(each)


def _items_of(policy: Policy, role: str) -> set[str]:
    return {item for purpose in policy.purposes.values() for item in purpose.items_for(role)}


def test_A1_every_promise_of_the_mission_stands_in_the_policy_with_an_owner(policy: Policy) -> None:
    assert set(policy.promises) == set(PROMISES.split())
    assert all(promise.owner in policy.roles and promise.keeping for promise in policy.promises.values())


def test_every_service_and_role_people_meet_is_declared(policy: Policy) -> None:
    assert set(SERVICES.split()) <= set(policy.services)
    assert set(ROLES.split()) == set(policy.roles)


def test_the_thirteen_contradictions_are_found_and_answered_and_nothing_is_left_open(
    document: Document, packs: list[Pack]
) -> None:
    verdict = lint(document, packs)
    assert {finding.rule.id for finding in verdict.findings} == CONTRADICTIONS
    assert [finding.rule.id for finding in verdict.open] == []
    assert list(verdict.complaints) == []


def test_P3_uzbek_is_written_with_its_own_letters(document: Document, packs: list[Pack]) -> None:
    for words in (*_words(document.policy), *(found for pack in packs for found in _words(pack))):
        assert not re.search(r"['`´‘’]", words.uz), words.uz
        assert not re.search(r"[А-Яа-я]", words.uz), words.uz
        assert not re.search(r"(?<![oOgG])ʻ", words.uz), words.uz
        assert not re.search(r"[ʻʼ'`]", words.ru + words.en), words


def test_sentences_are_whole_and_calm(policy: Policy) -> None:
    for owner in (*policy.promises.values(), *policy.purposes.values(), *policy.disclosure.values()):
        for sentence in (owner.tells.uz, owner.tells.ru, owner.tells.en):
            assert sentence.endswith("."), sentence
            assert "!" not in sentence, sentence
    for purpose in policy.purposes.values():
        for refusal in (purpose.refuses.uz, purpose.refuses.ru, purpose.refuses.en):
            assert refusal.count("{item}") == 1, refusal
            assert refusal.format(item="x").endswith("."), refusal


def test_the_summary_is_six_sentences(policy: Policy) -> None:
    assert len(policy.summary) == 6


def test_S4_the_courier_sees_what_a_door_needs_and_only_of_the_order_assigned(policy: Policy) -> None:
    door = {"contact.name", "contact.mobile", "contact.postal-address", "contact.landmark"}
    assert set(policy.purposes["deliver-order"].items_for("courier")) == door
    assert _items_of(policy, "courier") == door | {"relationship.location"}
    assert policy.roles["courier"].cases == "assigned"
    assert policy.roles["courier"].caps.lookups_per_hour == 0


def test_U5_marketing_reaches_people_by_consent_only_and_never_sees_an_order_or_an_address(policy: Policy) -> None:
    for purpose in policy.purposes.values():
        if "marketing" in purpose.roles:
            assert purpose.basis is Basis.CONSENT, purpose.id
            assert purpose.id in policy.consent_needed
    seen = _items_of(policy, "marketing")
    assert not {item for item in seen if item.startswith(("transaction.", "financial.", "online."))}
    assert "contact.postal-address" not in seen
    assert set(policy.purposes["marketing-email"].items) == {"contact.email", "contact.name"}


def test_S4_finance_counts_money_and_calls_nobody(policy: Policy) -> None:
    seen = _items_of(policy, "finance")
    assert "transaction.amount" in seen
    assert not {item for item in seen if item.startswith("contact.")}


def test_S4_the_auditor_sees_compliance_and_nothing_else(policy: Policy) -> None:
    assert {item.partition(".")[0] for item in _items_of(policy, "auditor")} == {"compliance"}


def test_S4_no_human_role_sees_an_item_without_a_purpose_that_names_it(policy: Policy) -> None:
    for purpose, role, item in policy.uses():
        assert item in purpose.items, (purpose.id, role, item)


def test_C1_every_purpose_that_rests_on_consent_is_listed_among_the_situations(policy: Policy) -> None:
    by_consent = {purpose.id for purpose in policy.purposes.values() if purpose.basis is Basis.CONSENT}
    assert set(policy.consent_needed) == by_consent


def test_L3_the_demo_order_is_taken_whole_and_asks_for_no_more_than_it_needs(policy: Policy) -> None:
    purposes = [policy.purposes[name] for name in policy.services["order"].for_]
    needed = {item for purpose in purposes for item in purpose.needs}
    takes = {item for purpose in purposes for item in purpose.items}
    assert set(ORDER_OF_THE_DEMO.split()) <= takes
    assert needed == {
        "contact.name",
        "contact.mobile",
        "contact.postal-address",
        "transaction.order-lines",
        "transaction.amount",
    }


def test_L3_an_information_request_takes_no_payment_data(policy: Policy) -> None:
    purposes = [policy.purposes[name] for name in policy.services["information-request"].for_]
    assert not {item for purpose in purposes for item in purpose.items if item.startswith("financial.")}


def test_D2_the_card_number_needs_pci_scope_and_the_verification_code_has_no_place(policy: Policy) -> None:
    assert policy.items["financial.card-number"].scope is Scope.PCI
    assert policy.items["financial.card-expiry"].scope is Scope.PCI
    assert all(item.kind is not Kind.CARD_VERIFICATION for item in policy.items.values())
    assert all(i.class_ is ItemClass.FINANCIAL for i in policy.items.values() if i.category == "financial")
    humans = [role for role in policy.roles if policy.roles[role].kind == "human"]
    hidden = {"financial.card-number", "financial.card-expiry", "financial.card-token"}
    assert not any(_items_of(policy, role) & hidden for role in humans)


def test_G3_passwords_and_security_answers_are_verify_only(policy: Policy) -> None:
    for name in ("transaction.password", "transaction.security-answer"):
        assert policy.items[name].keep is Keep.VERIFY_ONLY
        assert policy.items[name].class_ is ItemClass.CREDENTIAL


def test_L4_political_views_are_a_special_category_counted_within_a_day(policy: Policy) -> None:
    assert policy.items["relationship.political-views"].class_ is ItemClass.SPECIAL
    taking = [p for p in policy.purposes.values() if "relationship.political-views" in p.items]
    assert [purpose.basis for purpose in taking] == [Basis.CONSENT]
    schedule = policy.retention["statistics-records"]
    assert str(schedule.at_most.keep) == "P1D"


def test_R2_every_factor_is_used_and_the_tax_keeps_the_amount_not_the_phone(policy: Policy) -> None:
    rules = [rule for schedule in policy.retention.values() for rule in schedule.rules]
    assert {rule.factor for rule in rules} == set(Factor)
    tax = [rule for rule in rules if rule.source == "uz/tax"]
    assert tax
    assert all(rule.items == ("transaction.amount",) for rule in tax)


def test_X0_every_ground_has_its_own_proof_and_every_recipient_a_ground(policy: Policy) -> None:
    assert list(policy.disclosure) == [f"X{number}" for number in range(1, 8)]
    proofs = [ground.proof for ground in policy.disclosure.values()]
    assert len(set(proofs)) == len(proofs)
    listed = {name for ground in policy.disclosure.values() for name in ground.recipients}
    assert listed == set(policy.recipients)


def test_T1_every_registered_cookie_is_the_companys_own(policy: Policy) -> None:
    assert all(cookie.party == "first" for cookie in policy.cookies.values())
    assert all(
        cookie.necessary or policy.purposes[cookie.purpose].basis is Basis.CONSENT for cookie in policy.cookies.values()
    )


def test_P5_nothing_in_a_pack_claims_that_counsel_has_checked_it(packs: list[Pack]) -> None:
    assert {pack.pack for pack in packs} == {"uz", "eu", "us-coppa"}
    for pack in packs:
        values = (*pack.laws.values(), *pack.ages.values(), *pack.deadlines.values(), *pack.retention.values())
        assert all(value.source and not value.verified_by_counsel for value in values)
