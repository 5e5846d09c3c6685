"""The exact rule, as tables and properties: consent only widens, a restriction only closes, doubt refuses."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict, combine
from omonat.policy.grants import Grant
from omonat.policy.words import Basis
from omonat.promises.use.facts import ActorFacts, CaseFacts, PersonFacts, RecordFacts
from omonat.promises.use.rule import decide_record, decide_standing

NOW = Instant(1_795_000_000_000_000)
LATER, EARLIER = Instant(NOW + 1), Instant(NOW - 1)
PURPOSES = ("deliver-order", "marketing-email", "survey")
ITEMS = ("contact.name", "contact.mobile")

grants = st.builds(
    Grant,
    purpose=st.sampled_from(PURPOSES),
    role=st.just("courier"),
    basis=st.sampled_from(Basis),
    allowed=st.just(ITEMS),
    categories=st.just(("contact",)),
    withheld=st.just({}),
    since=st.just(3),
    since_of=st.fixed_dictionaries({item: st.integers(1, 3) for item in ITEMS}),
    cases=st.sampled_from([frozenset(), frozenset({"order"})]),
    case_rule=st.sampled_from(["assigned", "open", "none"]),
    reads_consent=st.booleans(),
    may_object=st.booleans(),
    answers_person=st.booleans(),
    relation=st.sampled_from([None, frozenset({"order"}), frozenset({"loyalty-account"})]),
)
instants = st.sampled_from([EARLIER, NOW, LATER])
actors = st.builds(
    ActorFacts, id=st.sampled_from(["204", "205"]), role=st.just("courier"), until=instants, trained_until=instants
)
cases = st.none() | st.builds(
    CaseFacts,
    kind=st.sampled_from(["order", "call"]),
    is_open=st.booleans(),
    assigned=st.sampled_from([(), ("204",), ("204", "205")]),
)
versions = st.dictionaries(st.sampled_from(PURPOSES), st.integers(1, 3))
persons = st.builds(
    PersonFacts,
    told=st.integers(0, 3),
    blocked=st.sampled_from(["", "restricted", "quarantined", "erased"]),
    consents=versions,
    objections=st.lists(st.sampled_from(PURPOSES), unique=True).map(tuple),
    agreed=versions,
)
dues = st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(ITEMS, instants))
records = st.builds(
    RecordFacts, service=st.sampled_from(["order", "loyalty-account"]), version=st.integers(0, 3), due=dues
)


def given_items(grant: Grant, person: PersonFacts, record: RecordFacts) -> set[str]:
    verdict, refused = decide_record(grant, person, record, NOW, ITEMS)
    return set(ITEMS) - set(refused) if isinstance(verdict, Allow) else set()


@given(grants, actors, cases, persons, records)
def test_C1_more_consent_never_shrinks_what_is_allowed(
    grant: Grant, actor: ActorFacts, case: CaseFacts | None, person: PersonFacts, record: RecordFacts
) -> None:
    more = replace(person, consents={**dict.fromkeys(PURPOSES, 3), **person.consents})
    if isinstance(decide_standing(grant, actor, case, person, NOW), Allow):
        assert isinstance(decide_standing(grant, actor, case, more, NOW), Allow)
    assert given_items(grant, person, record) <= given_items(grant, more, record)


@given(grants, actors, cases, persons, st.sampled_from(["restricted", "quarantined", "erased"]))
def test_C2_a_restriction_never_widens(
    grant: Grant, actor: ActorFacts, case: CaseFacts | None, person: PersonFacts, block: str
) -> None:
    blocked = decide_standing(grant, actor, case, replace(person, blocked=block), NOW)
    if isinstance(blocked, Allow):
        assert isinstance(decide_standing(grant, actor, case, replace(person, blocked=""), NOW), Allow)
    if block != "restricted":
        assert not isinstance(blocked, Allow)


@given(grants, persons, records, st.integers(0, 3))
def test_P2_telling_and_agreeing_never_close_anything(
    grant: Grant, person: PersonFacts, record: RecordFacts, told: int
) -> None:
    more = replace(person, told=max(told, person.told), agreed=dict.fromkeys(PURPOSES, 3))
    assert given_items(grant, person, record) <= given_items(grant, more, record)


@given(grants, persons, records, st.integers(0, DAY))
def test_R3_time_only_closes(grant: Grant, person: PersonFacts, record: RecordFacts, passed: int) -> None:
    _, now_refused = decide_record(grant, person, record, NOW, ITEMS)
    _, later_refused = decide_record(grant, person, record, Instant(NOW + passed), ITEMS)
    assert set(now_refused) <= set(later_refused)


@given(grants, persons, records)
def test_R1_every_refused_item_has_a_reason_and_doubt_is_never_permission(
    grant: Grant, person: PersonFacts, record: RecordFacts
) -> None:
    verdict, refused = decide_record(grant, person, record, NOW, ITEMS)
    assert all(reason.code and reason.promise for reason in refused.values())
    if isinstance(verdict, CannotTell):
        assert set(refused) == set(ITEMS)
        assert verdict.missing


GRANT = Grant(
    purpose="marketing-email",
    role="courier",
    basis=Basis.CONTRACT,
    allowed=ITEMS,
    categories=("contact",),
    withheld={},
    since=2,
    since_of=dict.fromkeys(ITEMS, 2),
    cases=frozenset({"order"}),
    case_rule="assigned",
    reads_consent=False,
    may_object=False,
    answers_person=False,
)
ACTOR = ActorFacts(id="204", role="courier", until=LATER, trained_until=LATER)
CASE = CaseFacts(kind="order", is_open=True, assigned=("204",))
PERSON = PersonFacts(told=0)


@pytest.mark.parametrize(
    ("told", "agreed", "basis", "version", "allowed"),
    [
        pytest.param(0, 0, Basis.CONTRACT, 2, True, id="collected under the version that introduced the use"),
        pytest.param(0, 0, Basis.CONTRACT, 1, False, id="older data, and nobody was told"),
        pytest.param(2, 0, Basis.CONTRACT, 1, False, id="older data, told but not agreed"),
        pytest.param(2, 2, Basis.CONTRACT, 1, True, id="older data, told and agreed"),
        pytest.param(1, 2, Basis.CONTRACT, 1, False, id="older data, agreed to something never told"),
        pytest.param(2, 0, Basis.LEGAL_OBLIGATION, 1, True, id="older data, told, and the law asks no agreement"),
        pytest.param(0, 0, Basis.LEGAL_OBLIGATION, 0, False, id="legacy data, law or not, and nobody was told"),
    ],
)
def test_P2_a_new_use_of_old_data_waits(told: int, agreed: int, basis: Basis, version: int, *, allowed: bool) -> None:
    person = PersonFacts(told=told, agreed={GRANT.purpose: agreed})
    verdict, refused = decide_record(
        dataclasses.replace(GRANT, basis=basis), person, RecordFacts(service="order", version=version), NOW, ITEMS
    )
    assert isinstance(verdict, Allow) is allowed
    assert {reason.code for reason in refused.values()} == (set() if allowed else {"not-told-yet"})


@pytest.mark.parametrize(
    ("told", "version", "allowed"),
    [
        pytest.param(0, 3, True, id="collected under the version that named them"),
        pytest.param(2, 2, False, id="older data, and nobody was told of them"),
        pytest.param(3, 2, True, id="older data, told: whom it goes to needs no agreement"),
    ],
)
def test_P2_somebody_new_outside_gets_nothing_of_old_data_until_its_owner_was_told(
    told: int, version: int, *, allowed: bool
) -> None:
    grant = dataclasses.replace(GRANT, recipient="mail-provider", goes_since=dict.fromkeys(ITEMS, 3), since=3)
    person, record = PersonFacts(told=told), RecordFacts(service="order", version=version)
    verdict, refused = decide_record(grant, person, record, NOW, ITEMS)
    assert isinstance(verdict, Allow) is allowed
    assert {reason.code for reason in refused.values()} == (set() if allowed else {"recipient-not-told-yet"})


@pytest.mark.parametrize(
    ("relation", "service", "allowed"),
    [
        pytest.param(None, "order", True, id="a case, a consent or a program"),
        pytest.param(frozenset({"loyalty-account"}), "loyalty-account", True, id="what a member gave as a member"),
        pytest.param(frozenset({"loyalty-account"}), "order", False, id="what anybody gave with an order"),
    ],
)
def test_S4_staff_without_a_case_see_records_of_the_purposes_own_services_alone(
    relation: frozenset[str] | None, service: str, *, allowed: bool
) -> None:
    grant = dataclasses.replace(GRANT, relation=relation)
    verdict, refused = decide_record(grant, PERSON, RecordFacts(service=service, version=3), NOW, ITEMS)
    assert isinstance(verdict, Allow) is allowed
    assert {reason.code for reason in refused.values()} == (set() if allowed else {"no-relation"})


@pytest.mark.parametrize(
    ("actor", "case", "person", "code"),
    [
        pytest.param(replace(ACTOR, until=NOW), CASE, PERSON, "role-ended", id="the role ended this very moment"),
        pytest.param(replace(ACTOR, trained_until=NOW), CASE, PERSON, "training-lapsed", id="training has lapsed"),
        pytest.param(ACTOR, None, PERSON, "no-open-case", id="no case"),
        pytest.param(ACTOR, replace(CASE, is_open=False), PERSON, "no-open-case", id="a closed case"),
        pytest.param(ACTOR, replace(CASE, kind="call"), PERSON, "no-open-case", id="a case of another kind"),
        pytest.param(ACTOR, replace(CASE, assigned=("205",)), PERSON, "no-open-case", id="somebody else's case"),
        pytest.param(ACTOR, CASE, replace(PERSON, blocked="erased"), "person-unknown", id="erased looks like unknown"),
        pytest.param(
            ACTOR, CASE, replace(PERSON, blocked="odd"), "person-unknown", id="a block nobody knows closes too"
        ),
    ],
)
def test_S4_what_is_missing_refuses(actor: ActorFacts, case: CaseFacts | None, person: PersonFacts, code: str) -> None:
    assert isinstance(decide_standing(GRANT, ACTOR, CASE, PERSON, NOW), Allow)
    verdict = decide_standing(GRANT, actor, case, person, NOW)
    assert isinstance(verdict, Deny)
    assert verdict.reasons[0].code == code


@given(st.lists(st.sampled_from([Allow(), Deny((Reason("no", "S4"),)), CannotTell(("fact",))])))
def test_A1_deny_beats_doubt_beats_allow_and_silence_is_doubt(verdicts: list[Verdict]) -> None:
    kinds = {type(verdict) for verdict in verdicts}
    expected = Deny if Deny in kinds else CannotTell if CannotTell in kinds or not kinds else Allow
    assert isinstance(combine(verdicts), expected)
