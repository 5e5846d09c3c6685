"""The decision itself, in process: the whole rule with reasons, beside Cedar with pre-parsed policies."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.cedar_oracle import CedarOracle, facts, request
from bench.figures import Figure, amount, in_turns, ratio
from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.use.facts import ActorFacts, CaseFacts, PersonFacts, RecordFacts
from omonat.promises.use.rule import decide_record, decide_standing

Decide = Callable[["Asked"], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question in both languages: may this role see this item under this purpose, with these live facts?"""

    purpose: str
    role: str
    items: tuple[str, ...]
    actor: ActorFacts
    case: CaseFacts
    person: PersonFacts
    record: RecordFacts
    now: Instant
    cedar: dict[str, Any]


def ours(policy: CompiledPolicy, asked: Asked) -> bool:
    """Our answer, reached the way `flows.use` reaches it."""
    try:
        grant = policy.grant(asked.purpose, asked.role, asked.items)
    except Refused:
        return False
    verdict = decide_standing(grant, asked.actor, asked.case, asked.person, asked.now)
    if not grant.allowed or not isinstance(verdict, Allow):
        return False
    _, refused = decide_record(grant, asked.person, asked.record, asked.now, grant.allowed)
    return not refused


def questions(policy: CompiledPolicy, count: int, seed: int = 7) -> list[Asked]:
    """Questions of every kind: granted and not, with and without consent, closed cases, objections, due records.

    Four in five are about a part the role has, as in life; the rest are any purpose, role and item.
    """
    chance = random.Random(seed)
    return [_question(policy, chance) for _ in range(count)]


def _question(policy: CompiledPolicy, chance: random.Random) -> Asked:
    purpose = chance.choice(list(policy.purposes))
    law = policy.purposes[purpose]
    role, item = chance.choice(list(policy.roles)), chance.choice(list(policy.items))
    if law.roles and chance.random() < 0.8:
        role = chance.choice(list(law.roles))
        item = chance.choice(law.items_for(role) or (item,))
    live = facts(
        now=10,
        until=chance.choice((9, 20, 20, 20, 20)),
        due=chance.choice((9, 20, 20, 20)),
        told=chance.choice((0, 1)),
        agreed=chance.choice((0, 1)),
        version=chance.choice((0, 1, 1, 1)),
        case=chance.choice((*law.cases, *law.cases, "")),
        open=chance.random() < 0.8,
        assigned=chance.random() < 0.8,
        blocked=chance.choice(("", "", "", "", "restricted", "erased")),
        consents=chance.choice(([], [purpose], [purpose])),
        objections=chance.choice(([], [], [purpose])),
    )
    related = next((s.id for s in policy.services.values() if purpose in (*s.for_, *s.offers)), "")
    return Asked(
        purpose,
        role,
        (item,),
        ActorFacts(id="204", role=role, until=live["until"], trained_until=live["trained"]),
        CaseFacts(kind=live["case"], is_open=live["open"], assigned=("204",) if live["assigned"] else ()),
        PersonFacts(
            told=live["told"],
            blocked=live["blocked"],
            consents=dict.fromkeys(live["consents"], 1),
            objections=tuple(live["objections"]),
            agreed={purpose: live["agreed"]},
        ),
        RecordFacts(service=related, version=live["version"], due={item: live["due"]}),
        live["now"],
        request(purpose, role, item, live),
    )


def figures(policy: CompiledPolicy, *, pairs: int, count: int, decide: Decide | None = None) -> list[Figure]:
    """Both rows. Raises AssertionError when one question is answered differently. `decide` stands in for our rule."""
    mine = decide or partial(ours, policy)
    cedar = CedarOracle(policy)
    asked = questions(policy, count)
    theirs = [cedar.decide(one.cedar) for one in asked]
    differing = [one for one, verdict in zip(asked, theirs, strict=True) if mine(one) is not verdict]
    assert not differing, f"{len(differing)} of {count} decisions differ, the first: {differing[0]}"
    assert 0.05 < sum(theirs) / count < 0.95, "the questions must not all have one answer"
    measured = in_turns(
        lambda: _per_second(mine, asked * 4), lambda: _per_second(lambda one: cedar.decide(one.cedar), asked), pairs
    )
    prices = [1e6 / ours for ours, _ in measured]
    cedar_us = sorted(1e6 / theirs for _, theirs in measured)[pairs // 2]
    return [
        ratio("decision with reasons, beside cedarpy (pre-parsed)", measured, gate=100, more={"cedarpy µs": cedar_us}),
        amount("decision with reasons", prices, unit="µs", gate=3, at_most=True),
    ]


def _per_second(decide: Decide, asked: Sequence[Asked]) -> float:
    start = time.process_time()
    for one in asked:
        decide(one)
    return len(asked) / (time.process_time() - start)
