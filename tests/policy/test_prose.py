"""The notice: everything the document holds is said, in each language, and nothing else is."""

from dataclasses import replace
from pathlib import Path

import pytest

from omonat.base.codes import LANGUAGES
from omonat.policy.built import built
from omonat.policy.durations import parse_duration
from omonat.policy.model import Policy
from omonat.policy.prose import notice
from omonat.policy.prose_blocks import Clause, Table
from omonat.policy.prose_words import BY_PEOPLE, IN_PART, KEEPINGS, in_words
from omonat.policy.reader import read_policy_file
from omonat.policy.words import Keeping

SHIPPED = Path(__file__).parents[2] / "policies" / "beshqozon.yaml"
SMALL = Path(__file__).parent / "small.yaml"


@pytest.fixture(name="policy", scope="module")
def the_policy() -> Policy:
    return read_policy_file(SHIPPED).policy


@pytest.mark.parametrize(
    ("period", "uz", "ru", "en"),
    [
        ("P1Y", "1 yil", "1 год", "1 year"),
        ("P2Y", "2 yil", "2 года", "2 years"),
        ("P5Y", "5 yil", "5 лет", "5 years"),
        ("P11M", "11 oy", "11 месяцев", "11 months"),
        ("P3M", "3 oy", "3 месяца", "3 months"),
        ("P21D", "21 kun", "21 день", "21 days"),
        ("P30D", "30 kun", "30 дней", "30 days"),
        ("P112D", "112 kun", "112 дней", "112 days"),
        ("P2W", "2 hafta", "2 недели", "2 weeks"),
        ("P1Y6M", "1 yil 6 oy", "1 год 6 месяцев", "1 year 6 months"),
        ("PT72H", "72 soat", "72 часа", "72 hours"),
        ("PT0S", "darhol", "сразу", "at once"),
    ],
)
def test_R1_a_period_is_said_with_the_right_plural(period: str, uz: str, ru: str, en: str) -> None:
    said = [in_words(parse_duration(period), language).replace("\u00a0", " ") for language in LANGUAGES]
    assert said == [uz, ru, en]


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_every_promise_stands_in_the_notice_once_in_its_chapter(policy: Policy, language: str) -> None:
    said = notice(policy, language)
    clauses = [block for chapter in said.chapters for block in chapter.blocks if isinstance(block, Clause)]
    assert sorted(clause.id for clause in clauses) == sorted(policy.promises)
    for clause in clauses:
        assert clause.text == policy.promises[clause.id].tells[language]
        assert clause.how.keeping
        assert clause.how.owner


@pytest.mark.parametrize("language", LANGUAGES)
def test_A1_the_notice_claims_for_the_program_no_more_than_the_program_does(policy: Policy, language: str) -> None:
    """What the policy declares is the company's word; what stands under `how this is kept` is true today."""
    said = notice(policy, language)
    by_program = {KEEPINGS[keeping][language] for keeping in (Keeping.ENFORCED, Keeping.EVIDENCED)}
    seen = set()
    for clause in (block for chapter in said.chapters for block in chapter.blocks if isinstance(block, Clause)):
        state, keeping = built()[clause.id]["state"], set(clause.how.keeping)
        seen.add(state)
        assert state == "built" or not keeping & by_program, clause.id
        assert (IN_PART[language] in keeping) <= (state == "part"), clause.id
        assert (BY_PEOPLE[language] in keeping) <= (state == "not built"), clause.id
    assert len(seen) > 1, "then this shows nothing"


def test_A1_of_a_promise_the_program_has_never_heard_of_it_claims_nothing(policy: Policy) -> None:
    mine = dict(policy.promises) | {"Z9": replace(policy.promises["P1"], id="Z9")}
    said = notice(replace(policy, promises=mine), "en")
    blocks = (block for chapter in said.chapters for block in chapter.blocks if isinstance(block, Clause))
    assert [clause.how.keeping for clause in blocks if clause.id == "Z9"] == [(BY_PEOPLE["en"],)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_A3_every_purpose_is_told_with_basis_items_term_and_who(policy: Policy, language: str) -> None:
    table = _table(policy, language, "purposes")
    assert sorted(row.id for row in table.rows) == sorted(policy.purposes)
    for row in table.rows:
        purpose = policy.purposes[row.id]
        what, basis, items, how_long, who = row.cells
        assert (what.text, what.notes) == (purpose.says[language], (purpose.tells[language],))
        assert basis.text
        assert how_long.text
        assert who.text
        assert items.text.count(",") + 1 >= len(purpose.needs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_R1_every_schedule_names_its_terms_and_its_end(policy: Policy, language: str) -> None:
    table = _table(policy, language, "retention")
    assert [row.id for row in table.rows] == list(policy.retention)
    for row in table.rows:
        data, terms, at_most = row.cells
        schedule = policy.retention[row.id]
        assert data.text == schedule.says[language]
        assert terms.notes
        assert in_words(schedule.at_most.keep, language) in at_most.text.lower()


def test_R2_the_term_of_the_tax_is_five_years_of_the_amount(policy: Policy) -> None:
    order = next(row for row in _table(policy, "en", "retention").rows if row.id == "order-records")
    assert "Amount: 5\u00a0years from completion (legal obligation)" in order.cells[1].notes


@pytest.mark.parametrize("language", LANGUAGES)
def test_X0_every_recipient_ground_item_service_and_cookie_is_said(policy: Policy, language: str) -> None:
    text = notice(policy, language).text().lower()
    assert all(ground.tells[language].lower() in text for ground in policy.disclosure.values())
    for table in (policy.recipients, policy.items, policy.services, policy.cookies, policy.roles):
        for entry in table.values():
            assert entry.says[language].lower() in text, (entry.id, language)


def test_contradictions_are_said_openly_beside_the_promise_they_concern(policy: Policy) -> None:
    text = notice(policy, "en").text()
    assert all(answer.because.en in text for answer in policy.contradictions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_leaves_no_gap_and_no_foreign_letter(policy: Policy, language: str) -> None:
    text = notice(policy, language).text()
    assert "{" not in text
    assert "  \n" not in text
    if language == "uz":
        assert not any("а" <= letter <= "я" for letter in text.lower())


def test_a_document_of_any_shape_has_a_notice_with_all_its_tables() -> None:
    policy = read_policy_file(SMALL).policy
    said = notice(policy, "en")
    tables = [block for chapter in said.chapters for block in chapter.blocks if isinstance(block, Table)]
    assert {"purposes", "retention", "services"} <= {table.id for table in tables}


def _table(policy: Policy, language: str, name: str) -> Table:
    blocks = [block for chapter in notice(policy, language).chapters for block in chapter.blocks]
    return next(block for block in blocks if isinstance(block, Table) and block.id == name)
