"""The linter: what the policy says against what it does, found by rule, answered in the document, answers checked."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

import pytest

from omonat.base.codes import LANGUAGES
from omonat.policy.lint import RULES, Verdict, lint
from omonat.policy.lint.texts import words_of
from omonat.policy.printer import print_policy
from omonat.policy.reader import read_policy
from tests.policy.documents import changed, reread, shipped, shipped_packs, small, small_packs

KNOWN_CONTRADICTIONS = {
    1: ("no-third-parties-but-disclosures", "T1"),
    2: ("not-anonymous", "L4"),
    3: ("consent-by-use", "P4"),
    4: ("immediate-deletion-but-kept", "R3"),
    5: ("open-purpose-list", "U1"),
    6: ("ages-disagree", "K1"),
    7: ("withdrawing-harder-than-giving", "L6"),
    8: ("sensitive-too-narrow", "D2"),
    9: ("marketing-without-consent", "G1"),
    10: ("no-third-parties-but-third-party-cookies", "T1"),
    11: ("not-all-voluntary", "D1"),
    12: ("collected-but-not-needed", "D2"),
    13: ("consent-situations-unlisted", "C1"),
}


def verdict_on(text: str) -> Verdict:
    return lint(reread(text), small_packs())


def open_rules(text: str) -> set[str]:
    return {finding.rule.id for finding in verdict_on(text).open}


@pytest.mark.parametrize(("rule", "promise"), KNOWN_CONTRADICTIONS.values(), ids=map(str, KNOWN_CONTRADICTIONS))
def test_A1_each_known_contradiction_is_found_in_the_shipped_policy_and_answered(rule: str, promise: str) -> None:
    found = [f for f in lint(shipped(), shipped_packs()).findings if f.rule.id == rule]

    assert found
    assert promise in {p for f in found for p in f.found.promises}
    for finding in found:
        assert finding.answer is not None
        assert finding.answer.because.uz
        assert finding.place.line > 1, "it points into the document"
        for language in LANGUAGES:
            assert "{" not in finding.explains(language) + finding.proposes(language)


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in KNOWN_CONTRADICTIONS.values()} - {"ages-disagree"}))
def test_A1_a_contradiction_is_found_by_what_is_claimed_and_not_by_the_promise_id(rule: str) -> None:
    """Rename every promise: the same rules find the same things."""
    text = print_policy(shipped().policy)
    renamed = text
    for number, promise in enumerate(shipped().policy.promises):
        for mark in ("  {}:\n", "[{}]", "[{},", ", {}]", ", {},", ": {}\n"):
            renamed = renamed.replace(mark.format(promise), mark.format(f"~{number}~"))
    for number, _ in enumerate(shipped().policy.promises):
        renamed = renamed.replace(f"~{number}~", f"{'ABCDEFGHJ'[number // 100]}{number % 100}")
    document = read_policy(renamed)

    assert len(document.policy.promises) == len(shipped().policy.promises)
    assert list(document.policy.promises)[:3] == ["A0", "A1", "A2"]
    assert rule in {f.rule.id for f in lint(document, shipped_packs()).findings}


def test_A1_the_contradictions_of_the_shipped_policy_are_all_answered_and_no_answer_is_stale() -> None:
    verdict = lint(shipped(), shipped_packs())

    assert [c.line() for c in verdict.complaints] == []
    assert {f.rule.id for f in verdict.open} == set()


def test_A1_the_small_policy_is_clean_but_for_its_ages() -> None:
    assert {f.rule.id for f in lint(small(), small_packs()).open} == {"ages-disagree"}


CLAIM = "claims: {channels-only: [email]}"
FOUND = [
    ("no-third-parties-but-disclosures", CLAIM, "claims: {no-third-parties: true}"),
    ("consent-by-use", CLAIM, "claims: {consent-by-use: true}"),
    ("immediate-deletion-but-kept", CLAIM, "claims: {immediate-deletion: true}"),
    ("open-purpose-list", CLAIM, "claims: {open-purpose-list: true}"),
    ("not-anonymous", CLAIM, "claims: {anonymous: [contact.mobile]}"),
    ("withdrawing-harder-than-giving", CLAIM, "claims: {mail-only-change: [contact.landmark]}"),
    ("marketing-without-consent", CLAIM, "claims: {without-consent: [marketing-email]}"),
    ("not-all-voluntary", CLAIM, "claims: {voluntary-only: true}"),
    ("collected-but-not-needed", CLAIM, "claims: {collected-in: {items: [account.password], services: [order]}}"),
    ("consent-situations-unlisted", CLAIM, "claims: {consent-situations-defined: true}"),
    ("channels-beyond-promise", "channels: [email]\n", "channels: [email, sms]\n"),
    ("dead-purpose", "for: [sign-in]", "for: [improve]"),
    ("item-nobody-needs", "may-use: [contact.landmark, transaction.amount]", "may-use: [transaction.amount]"),
    ("item-not-kept", "- {factor: contract, keep-until: account-closed}", "- {factor: contract, items: [contact.mobile], keep-until: account-closed}"),
    ("at-most-cuts-law", "at-most: {after: collected, keep: P6Y}", "at-most: {after: collected, keep: P4Y}"),
    ("keeps-less-than-law", "after: case-closed, source: uz/tax", "after: case-closed, keep: P3Y, source: uz/tax"),
    ("source-unknown", "source: uz/tax-code", "source: uz/tax-cod"),
    ("role-without-case", "roles: [finance]", "roles: [finance, courier]"),
    ("messages-without-channels", "    channels: [sms]\n", ""),
    ("consent-not-listed", "consent-needed: [marketing-email]\n", ""),
    ("special-without-consent", "landmark: {kind: text,", "landmark: {kind: text, class: special,"),
    ("class-too-low", "class: credential, keep: verify-only,", "class: credential,"),
    ("recipient-sees-more", "items: [contact.mobile]}", "items: [contact.mobile, contact.email]}"),
    ("recipient-without-ground", "    recipients: [sms-gateway]\n", ""),
    ("cookie-without-consent", ", necessary: true}", "}"),
    ("counted-not-anonymous", "consent-needed: [", "demographics: {asks: [contact.mobile], threshold: 10}\nconsent-needed: ["),
    ("card-without-payment", "amount: {kind: money,", "amount: {kind: card-last-four, class: financial,"),
    ("words-untranslated", "uz: Kerakligini olamiz., ru: Берём нужное.", "uz: Kerakligini olamiz., ru: Taking what is needed only."),
    ("words-untranslated", "uz: Kerakligini olamiz.", "uz: Кераклигини оламиз."),
    ("uzbek-letters", "uz: Moʻljal", "uz: Mo'ljal"),
    ("placeholder-unfilled", 'en: "Books do not need: {item}."', 'en: "Books do not need it."'),
    ("role-sees-more", "landmark: {kind: text,", "landmark: {kind: text, class: financial,"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new"), FOUND, ids=[f"{r}-{i}" for i, (r, _, _) in enumerate(FOUND)])
def test_A1_a_rule_finds_what_it_is_for_and_nothing_before(rule: str, old: str, new: str) -> None:
    assert rule not in {f.rule.id for f in lint(small(), small_packs()).findings}

    found = [f for f in verdict_on(changed(old, new)).findings if f.rule.id == rule]

    assert found
    for finding in found:
        for language in LANGUAGES:
            assert finding.explains(language)
            assert finding.proposes(language)


def test_A1_every_rule_is_shown_finding_something() -> None:
    shown = {rule for rule, _, _ in FOUND} | {rule for rule, _ in KNOWN_CONTRADICTIONS.values()}

    assert shown == set(RULES)


def answering(rule: str, status: str, more: str = "") -> str:
    return (
        f"\ncontradictions:\n  - {{finding: {rule}, {more}status: {status}, because: {{uz: Ha., ru: Да., en: Yes.}}}}\n"
    )


def test_A1_an_answer_closes_a_finding_and_a_stale_one_is_a_fault() -> None:
    claimed = changed(CLAIM, "claims: {open-purpose-list: true}")

    assert "open-purpose-list" in open_rules(claimed)
    answered = verdict_on(claimed + answering("open-purpose-list", "resolved", "promises: [U5], "))
    assert "open-purpose-list" not in {f.rule.id for f in answered.open}
    assert not answered.complaints

    (stale,) = verdict_on(changed("x", "x", 0) + answering("open-purpose-list", "accepted")).complaints
    assert stale.code == "policy-answer-stale"
    assert stale.place.line > 100


def test_A1_an_answer_to_a_finding_nobody_makes_is_met_with_the_nearest() -> None:
    (complaint,) = verdict_on(changed("x", "x", 0) + answering("open-purposes-list", "accepted")).complaints

    assert (complaint.code, complaint.nearest) == ("policy-unknown-name", "open-purpose-list")


def test_A1_an_answer_about_one_thing_does_not_answer_for_another() -> None:
    text = changed("roles: [finance]", "roles: [finance, courier]")

    assert "role-without-case" in open_rules(
        text + answering("role-without-case", "accepted", "about: [keep-books, counter], ")
    )
    assert "role-without-case" in open_rules(text + answering("role-without-case", "accepted", "about: [keep-books], "))
    assert "role-without-case" not in open_rules(
        text + answering("role-without-case", "accepted", "about: [keep-books, courier], ")
    )
    other = text.replace(CLAIM, "claims: {open-purpose-list: true}") + answering(
        "open-purpose-list", "accepted", "promises: [R1], "
    )
    assert "open-purpose-list" in open_rules(other)


def test_A1_a_blanket_answer_covers_nothing() -> None:
    text = changed("roles: [finance]", "roles: [finance, courier]")
    assert "role-without-case" in open_rules(text + answering("role-without-case", "accepted"))
    claimed = changed(CLAIM, "claims: {open-purpose-list: true}")
    assert "open-purpose-list" in open_rules(claimed + answering("open-purpose-list", "accepted"))


def test_A1_an_answer_given_today_covers_nothing_that_is_added_tomorrow() -> None:
    text = print_policy(shipped().policy)
    item = text.index("\n      interests:")
    involuntary = text[:item] + text[item:].replace(
        "\n        kind:", "\n        voluntary: false\n        because: {uz: Ha., ru: Да., en: Yes.}\n        kind:", 1
    )
    found = {f.rule.id: f.answer for f in lint(read_policy(involuntary), shipped_packs()).findings}
    assert involuntary != text
    assert found["not-all-voluntary"] is None


def test_L3_a_card_in_an_information_request_is_found_though_a_purpose_says_it_needs_it() -> None:
    policy = shipped().policy
    asking = policy.services["information-request"].for_[0]
    text = print_policy(policy)
    start = text.index(f"\n  {asking}:\n", text.index("\npurposes:"))
    needs = text.index("    needs:", start)
    end = text.index("\n", needs)
    assert text[needs:end].endswith("]"), "one line"
    verdict = lint(read_policy(text[: end - 1] + ", financial.card-last-four]" + text[end:]), shipped_packs())
    found = {f.found.about[0]: f for f in verdict.open if f.rule.id == "card-without-payment"}
    assert found["information-request"].found.about == ("information-request", "financial.card-last-four")
    assert "information-request" in found["information-request"].explains()


def test_A1_what_is_called_resolved_but_is_not_is_a_fault() -> None:
    text = changed(CLAIM, "claims: {without-consent: [marketing-email]}")
    resolved = answering("marketing-without-consent", "resolved", "about: [marketing-email], ")
    unsettled = text.replace("messages: transactional", "messages: marketing") + resolved

    assert not verdict_on(text + resolved).complaints
    assert [c.code for c in verdict_on(unsettled).complaints] == ["policy-answer-not-settled"]
    assert not verdict_on(unsettled.replace("status: resolved", "status: accepted")).complaints


def test_A1_the_entry_the_linter_proposes_is_the_answer() -> None:
    text = changed("roles: [finance]", "roles: [finance, courier]")
    (finding,) = [f for f in verdict_on(text).open if f.rule.id == "role-without-case"]

    entry = finding.entry().replace("{uz: …, ru: …, en: …}", "{uz: Ha., ru: Да., en: Yes.}")

    assert "role-without-case" not in open_rules(f"{text}\ncontradictions:\n  {entry}\n")


def test_A3_every_text_of_the_shipped_policy_is_walked() -> None:
    texts = list(words_of(shipped().policy))

    assert len(texts) > 200
    assert ("purposes", "deliver-order", "tells") in {path for path, _ in texts}
