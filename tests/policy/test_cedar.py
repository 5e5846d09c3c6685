"""A second opinion: Cedar, given the same document, decides every combination as we do."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cedar_oracle import CedarOracle, facts, request
from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.promises.use.facts import ActorFacts, CaseFacts, PersonFacts, RecordFacts
from omonat.promises.use.rule import decide_record, decide_standing
from tests.policy.documents import changed, raw_policies, reread, shipped_compiled, small_compiled, small_packs, yaml_of


def everything(policy: CompiledPolicy) -> list[tuple[str, str, str]]:
    return [(p, r, i) for p in policy.purposes for r in policy.roles for i in policy.items]


def favourable(policy: CompiledPolicy, purpose: str) -> dict[str, Any]:
    """Facts under which nothing but the policy can refuse."""
    case = next(iter(policy.purposes[purpose].cases), "")
    return facts(case=case, open=True, assigned=True, consents=[purpose])


def grants(policy: CompiledPolicy, purpose: str, role: str, item: str) -> bool:
    try:
        return item in policy.grant(purpose, role, (item,)).allowed
    except Refused:
        return False


@pytest.mark.parametrize("compiled", [small_compiled, shipped_compiled], ids=["small", "shipped"])
def test_S4_cedar_grants_what_we_grant_for_every_purpose_role_and_item(compiled) -> None:
    policy = compiled()
    asked = everything(policy)

    theirs = CedarOracle(policy).decide_all(request(*one, favourable(policy, one[0])) for one in asked)

    differing = [one for one, verdict in zip(asked, theirs, strict=True) if verdict != grants(policy, *one)]
    assert differing == []
    assert any(theirs)


def ours(policy: CompiledPolicy, purpose: str, role: str, item: str, live: Mapping[str, Any]) -> bool:
    """Our whole rule on the same facts."""
    try:
        grant = policy.grant(purpose, role, (item,))
    except Refused:
        return False
    if item not in grant.allowed:
        return False
    actor = ActorFacts(id="staff", role=role, until=Instant(live["until"]), trained_until=Instant(live["trained"]))
    case = CaseFacts(kind=live["case"], is_open=live["open"], assigned=("staff",) if live["assigned"] else ())
    person = PersonFacts(
        told=live["told"],
        blocked=live["blocked"],
        consents=dict.fromkeys(live["consents"], 1),
        objections=tuple(live["objections"]),
        agreed={purpose: live["agreed"]},
    )
    now = Instant(live["now"])
    if not isinstance(decide_standing(grant, actor, case, person, now), Allow):
        return False
    related = next(iter(grant.relation or ()), "")  # which records are whose is no business of Cedar's
    record = RecordFacts(service=related, version=live["version"], due={item: Instant(live["due"])})
    return item not in decide_record(grant, person, record, now, (item,))[1]


@st.composite
def live_facts(draw: st.DrawFn, purpose: str, kinds: list[str]) -> dict[str, Any]:
    moments, ordinals = st.integers(8, 12), st.integers(0, 3)
    return facts(
        now=10,
        until=draw(moments),
        trained=draw(moments),
        due=draw(moments),
        told=draw(ordinals),
        agreed=draw(ordinals),
        version=draw(ordinals),
        case=draw(st.sampled_from(kinds)),
        open=draw(st.booleans()),
        assigned=draw(st.booleans()),
        blocked=draw(st.sampled_from(["", "", "", "restricted", "quarantined", "erased"])),
        consents=draw(st.sampled_from([[], [purpose], ["another"]])),
        objections=draw(st.sampled_from([[], [], [purpose], ["another"]])),
    )


def second_version() -> CompiledPolicy:
    """A version that widens some uses, so that `since` matters."""
    text = changed("may-use: [contact.name]", "may-use: [contact.name, contact.mobile]")
    text = text.replace(
        "items: [transaction.amount], after: case-closed",
        "items: [transaction.amount, contact.name], after: case-closed",
    )
    return compile_policy(reread(text), small_packs(), [small_compiled()])


SECOND = second_version()
CEDAR = CedarOracle(SECOND)


@settings(max_examples=400)
@given(st.data())
def test_S4_cedar_decides_as_we_do_on_any_live_facts(data: st.DataObject) -> None:
    purpose = data.draw(st.sampled_from(list(SECOND.purposes)))
    role = data.draw(st.sampled_from(list(SECOND.purposes[purpose].roles)))
    item = data.draw(st.sampled_from(SECOND.purposes[purpose].items))
    live = data.draw(live_facts(purpose, ["", "order", "ticket"]))

    assert CEDAR.allows(purpose, role, item, live) == ours(SECOND, purpose, role, item, live)


@settings(max_examples=15)
@given(raw_policies())
def test_S4_cedar_grants_what_we_grant_for_any_policy(document) -> None:
    policy = compile_policy(reread(yaml_of(document)), small_packs())
    asked = everything(policy)

    theirs = CedarOracle(policy).decide_all(request(*one, favourable(policy, one[0])) for one in asked)

    assert theirs == [grants(policy, *one) for one in asked]
