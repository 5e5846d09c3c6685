"""Reading the law: everything that could mean two things is refused, with its place, the name meant and the fix."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.codes import LANGUAGES, registry
from omonat.policy.complaints import Complaint, InvalidPolicy
from omonat.policy.printer import as_json, digest_of
from omonat.policy.reader import read_policy
from tests.policy.documents import SHIPPED, SMALL, changed, printed, raw_policies, reread, shipped, small, yaml_of


def complaints_of(text: str | bytes) -> tuple[Complaint, ...]:
    with pytest.raises(InvalidPolicy) as caught:
        read_policy(text, "small.yaml")
    return caught.value.complaints


REFUSED = [
    ("basis: contract\n    roles: [robot]", "basis: contrct\n    roles: [robot]", "policy-wrong-value", "contract"),
    ("needs: [contact.email]", "needs: [contact.emial]", "policy-unknown-name", "contact.email"),
    ("roles: [finance]", "roles: [finanse]", "policy-unknown-name", "finance"),
    ("keeps: visit-records", "keeps: visits-records", "policy-unknown-name", "visit-records"),
    ("case: order\n    for", "cse: order\n    for", "policy-unknown-key", "case"),
    ("lookup: true, says: {uz: Telefon", "lookup: yes, says: {uz: Telefon", "policy-wrong-value", ""),
    ("under: 13,", "under: thirteen,", "policy-wrong-value", ""),
    ("en: Delivery of the order}", "en: Delivery, of the order}", "policy-unknown-key", ""),
    ("en: Marketing e-mails}", "en: }", "policy-null", ""),
    ("en: Marketing e-mails}", "en: ~}", "policy-null", ""),
    (", en: Marketing e-mails}", "}", "policy-language-missing", ""),
    ("keep: P6M", "keep: 6 months", "policy-wrong-value", ""),
    ("keep: P6M", "keep: P", "policy-wrong-value", ""),
    ("keep: P6M", "keep: P200Y", "policy-wrong-value", ""),
    ("effective: 2026-12-01T00:00:00+05:00", "effective: 2026-12-01T00:00:00", "policy-wrong-value", ""),
    ("time-zone: Asia/Tashkent", "time-zone: Asia/Toshkent", "policy-wrong-value", ""),
    ("  deliver-order:\n", "  Deliver_Order:\n", "policy-wrong-value", ""),
    ("version: \"1\"", "version: \"1\"\nversion: \"2\"", "policy-duplicate-key", ""),
    ("version: \"1\"", "version: !!str 1", "policy-tag", ""),
    ("version: \"1\"", "version: ! x", "policy-tag", ""),
    ("version: \"1\"", "version: &v x", "policy-anchor", ""),
    ("roles: [finance]", "roles: [finance, finance]", "policy-twice", ""),
    ("roles: [finance]", "roles: []", "policy-list-too-short", ""),
    ("roles: [finance]", "roles: finance", "policy-role-parts", ""),
    ("needs: [contact.email]", "needs: contact.email", "policy-not-a-list", ""),
    ("controller: {", "controller: [", "policy-not-yaml", ""),
    ("version: \"1\"", "version: \"1\"\n---\npolicy: two", "policy-several-documents", ""),
    ("# A small", "%YAML 1.1\n---\n# A small", "policy-yaml-directive", ""),
    ("policy: small-shop", "policy:\tsmall-shop", "policy-control-character", "U+0009"),
    ("policy: small-shop", "policy: small\u202eshop", "policy-control-character", "U+202E"),
    ("kind: phone", "kind: card-verification", "policy-card-verification", ""),
    ("        because: {uz: Server yozadi., ru: Пишет сервер., en: The server writes it.}\n", "", "policy-voluntary", ""),
    ("    interest: {uz: Sifat, ru: Качество, en: Quality}\n", "", "policy-key-missing-for", ""),
    ("    source: uz/tax-code\n", "", "policy-key-missing-for", ""),
    ("basis: contract\n    roles: [robot]", "basis: contract\n    source: uz/tax\n    roles: [robot]", "policy-key-only-for", ""),
    ("may-use: [contact.name]", "may-use: [contact.email]", "policy-twice", ""),
    ("lookup: [contact.mobile]", "lookup: [contact.name]", "policy-item-no-lookup", ""),
    ("lookup: [contact.mobile]", "lookup: [contact.email]", "policy-item-beyond-purpose", ""),
    ("offers: [marketing-email]", "offers: [improve]", "policy-offer-without-consent", ""),
    ("keeps: account-records", "keeps: order-records", "policy-anchor-needs-case", ""),
    ("after: last-complaint, keep: P6M", "after: last-complaint, keep-until: collected, keep: P6M", "policy-rule-end", ""),
    ("after: last-complaint, keep: P6M", "after: last-complaint", "policy-rule-period", ""),
    ("{factor: obligation, items: [transaction.amount], after: case-closed, source: uz/tax}",
     "{factor: obligation, after: case-closed, keep: P5Y}", "policy-rule-source", ""),
    ("      - {factor: relevance, after: collected, keep: P30D}\n", "", "policy-interest-without-relevance", ""),
    ("at-most: {after: last-seen", "at-most: {after: account-closed", "policy-at-most-anchor", ""),
    ("consent-needed: [marketing-email]", "consent-needed: [improve]", "policy-consent-needed", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "meant"), REFUSED, ids=[f"{c}-{i}" for i, (_, _, c, _) in enumerate(REFUSED)]
)
def test_P1_what_could_mean_two_things_is_refused_with_its_place(old: str, new: str, code: str, meant: str) -> None:
    text = changed(old, new)
    found = [c for c in complaints_of(text) if c.code == code]

    assert found, f"expected {code}, got {[c.line() for c in complaints_of(text)]}"
    first = found[0]
    assert first.file == "small.yaml"
    assert 1 <= first.place.line <= text.count("\n") + 1
    assert first.place.column >= 1
    if meant.startswith("U+"):
        assert first.about["sign"] == meant
    elif meant:
        assert first.nearest == meant
        assert meant in first.fix("uz")
    for language in LANGUAGES:
        assert first.says(language)
        assert "{" not in first.says(language), first.says(language)
        assert first.fix(language)


def test_Q1_a_system_and_a_recipient_never_have_the_same_name() -> None:
    """What each is told of an erasure or a correction is kept by its name."""
    text = SHIPPED.read_text("utf-8")
    assert "\n  - id: till\n" in text
    (complaint,) = complaints_of(text.replace("\n  - id: till\n", "\n  - id: courier-partner\n"))
    assert complaint.code == "policy-twice"


def test_P1_a_complaint_points_at_the_very_word() -> None:
    text = changed("needs: [contact.email]", "needs: [contact.emial]")
    (complaint,) = complaints_of(text)

    line = text.splitlines()[complaint.place.line - 1]

    assert line[complaint.place.column - 1 :].startswith("contact.emial")
    assert complaint.line().startswith(f"small.yaml:{complaint.place.line}:{complaint.place.column}: ")


def test_P1_all_faults_are_told_at_once_in_the_order_of_the_text() -> None:
    text = (
        changed("kind: email", "kind: emial")
        .replace("roles: [finance]", "roles: [finanse]")
        .replace("keep: P6M", "keep: x")
    )

    found = complaints_of(text)

    assert [c.code for c in found] == ["policy-wrong-value", "policy-unknown-name", "policy-wrong-value"]
    assert list(found) == sorted(found, key=lambda c: c.place)


def test_P1_a_fault_in_a_declaration_does_not_make_its_name_unknown() -> None:
    text = changed("marketing-email:\n    says: {uz: Reklama xatlari, ", "marketing-email:\n    says: {")

    assert {c.code for c in complaints_of(text)} == {"policy-language-missing"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "policy-empty"),
        (b"# nothing\n", "policy-empty"),
        (b"[1, 2]", "policy-not-a-mapping"),
        (b"policy: \xff", "policy-not-utf8"),
        (b"a: " + b"[" * 1000, "policy-too-deep"),
        (b"a: " + b"{a: " * 1000, "policy-too-deep"),
        (b"a: " + b"x" * 4_000_001, "policy-too-large"),
        (b"&a [*a, *a]", "policy-anchor"),
        (b"<<: {a: b}", "policy-anchor"),
        (b"? [a]\n: b", "policy-key-not-a-word"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_P1_hostile_bytes_end_in_a_complaint(text: bytes, code: str) -> None:
    assert code in {c.code for c in complaints_of(text)}


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`,? \n\t0"), max_size=60).map(str.encode))
def test_P1_no_bytes_bring_the_reader_down(text: bytes) -> None:
    complaints_of(text)


@settings(max_examples=60)
@given(st.data())
def test_P1_a_torn_document_is_a_complaint_or_the_document(data: st.DataObject) -> None:
    lines = SMALL.read_text("utf-8").splitlines()
    drop = data.draw(st.integers(0, len(lines) - 1))
    try:
        reread("\n".join(lines[:drop] + lines[drop + 1 :]))
    except InvalidPolicy as invalid:
        assert all(c.code in registry() for c in invalid.complaints)  # noqa: PT017 - both ends are right


def test_P1_words_that_yaml_guesses_about_stay_words() -> None:
    document = reread(changed("en: Marketing e-mails}", "en: no}").replace('version: "1"', "version: 2026-12-01"))

    assert document.policy.purposes["marketing-email"].says.en == "no"
    assert document.policy.version == "2026-12-01"


@pytest.mark.parametrize("document", [small, shipped])
def test_P1_a_printed_policy_reads_the_same(document) -> None:
    again = reread(printed(document()))

    assert again.policy == document().policy
    assert digest_of(again.policy) == digest_of(document().policy)
    assert printed(again) == printed(document())


@pytest.mark.parametrize("document", [small, shipped])
def test_P1_a_policy_kept_as_json_reads_the_same(document) -> None:
    again = reread(as_json(document().policy))

    assert again.policy == document().policy
    assert digest_of(again.policy) == digest_of(document().policy)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"policy": "a", "policy": "b"}', "policy-duplicate-key"),
        ('{"policy": null}', "policy-null"),
        ('{"policy": ' + "[" * 30 + "]" * 30 + "}", "policy-too-deep"),
        ('{"policy": ' + "[" * 5000, "policy-too-deep"),
        ('{"policy": 1} {"policy": 2}', "policy-not-yaml"),
        ('{"policy": "\\ud800"}', "policy-wrong-value"),
    ],
)
def test_P1_json_is_held_to_the_same_rules(text: str, code: str) -> None:
    assert code in {c.code for c in complaints_of(text)}


@settings(max_examples=60)
@given(raw_policies())
def test_P1_any_policy_prints_and_reads_the_same(raw) -> None:
    document = reread(yaml_of(raw))

    again = reread(printed(document))

    assert again.policy == document.policy
    assert digest_of(again.policy) == digest_of(document.policy)


def test_P1_the_digest_sees_meaning_and_order_but_not_spacing_or_comments() -> None:
    text = SMALL.read_text("utf-8")

    assert digest_of(reread(text + "\n# a remark\n").policy) == digest_of(small().policy)
    assert digest_of(reread(changed("keep: P6M", "keep: P7M")).policy) != digest_of(small().policy)
    swapped = text.replace(
        "  counter: {says: {uz: Kassa, ru: Касса, en: Counter}, cases: open, caps: {uses-per-hour: 60}}\n", ""
    )
    swapped = swapped.replace(
        "purposes:\n  deliver-order:",
        "  counter: {says: {uz: Kassa, ru: Касса, en: Counter}, cases: open, caps: {uses-per-hour: 60}}\npurposes:\n  deliver-order:",
    )
    assert digest_of(reread(swapped).policy) != digest_of(small().policy)
