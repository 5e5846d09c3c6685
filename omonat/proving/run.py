"""Prove: every promise of the policy in force, tried just now, with the evidence (A1).

1. nobody else is at it: a lease, so that one run doesn't see off another's people
2. whoever a run before left behind is seen off
3. each probe on its own; what it can't tell is told, what a flow calls a fault is a broken promise
4. the people made for it are erased, their cases closed, their credentials ended
5. each entry that was written is looked up in the log, with its inclusion proof where it has its place by now
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final, Literal

import asyncpg
from msgspec import Struct

from omonat.base.errors import BadInput, Fault, OmonatError, Unavailable
from omonat.base.instants import MINUTE, Instant
from omonat.base.logs import log
from omonat.database import leases
from omonat.house import House
from omonat.policy.built import built
from omonat.proving.outcome import Broken, CannotTell, Kept, Outcome, Probe, UntoldError, gravest
from omonat.proving.probes import PROBES
from omonat.proving.scene import Scene

State = Literal["kept", "broken", "cannot-tell", "not-built"]
LEASE: Final = "proving"
LASTING: Final = 2 * MINUTE
PLACED_WITHIN: Final = 12.0
"""Seconds to wait for the entries' places in the log; the sequencer's heartbeat is ten."""
_log = log(__name__)


class Evidence(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One entry. `index` is its place in the log and `proof` its `.tlog-proof`; both None while it waits for them."""

    id: str
    index: int | None
    proof: str | None


class Proved(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One promise: its state, how far it is built, what is missing, how it was tried, what was seen, the evidence."""

    promise: str
    state: State
    built: str
    missing: str
    how: Mapping[str, Sequence[str]]
    why: str
    seen: Sequence[str]
    evidence: Sequence[Evidence]


class Proof(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One run. `left` names what couldn't be removed again and until when it stays; empty in the ordinary case."""

    at: Instant
    policy: str
    digest: str
    promises: Sequence[Proved]
    seen_off: int
    left: Sequence[str]

    @property
    def exit(self) -> int:
        """1 when a promise is broken or something was left behind, 3 when one can't be told, else 0."""
        states = {one.state for one in self.promises}
        if "broken" in states or self.left:
            return 1
        return 3 if "cannot-tell" in states else 0


async def prove(house: House, only: Collection[str] = (), probes: Sequence[Probe] = PROBES) -> Proof:
    """Try every promise of the policy in force, or `only` those named, and see everybody off again.

    Raises BadInput `promise-unknown`, Unavailable `proving-busy`, and what the house raises when people made for it
    can't be seen off: the next run tries again.
    """
    scene = await Scene.of(house)
    names = list(scene.policy.policy.promises)
    for name in only:
        if name not in names:
            raise BadInput("promise-unknown", promise=name[:20])
    wanted = [name for name in names if not only or name in only]
    lease = await _alone(house)
    try:
        await scene.people.clean_up()
        await scene.people.begin()
        outcomes: dict[str, list[tuple[Probe, Outcome]]] = {name: [] for name in wanted}
        try:
            for one in probes:
                if not outcomes.keys() & set(one.promises):
                    continue
                lease = await _still_alone(house, lease)
                outcome = await _tried(one, scene)
                for promise in outcomes.keys() & set(one.promises):
                    outcomes[promise].append((one, outcome))
        finally:
            await scene.people.clean_up()
    finally:
        async with house.grounds.database.connection() as connection:
            await leases.release(connection, lease)
    placed = await _placed(house, [e for found in outcomes.values() for _, o in found for e in o.evidence])
    return Proof(
        at=house.grounds.clock(),
        policy=scene.policy.version,
        digest=scene.policy.digest,
        promises=[_proved(name, outcomes[name], placed) for name in wanted],
        seen_off=len(scene.people.erased),
        left=[f"{e.id}: {stay.item} {stay.factor}" for e in scene.people.erased for stay in e.stays],
    )


async def _alone(house: House) -> leases.Lease:
    async with house.grounds.database.connection() as connection:
        lease = await leases.acquire(
            connection, LEASE, holder=token_hex(8), now=house.grounds.clock(), lasting=LASTING
        )  # fmt: skip
    if lease is None:
        raise Unavailable("proving-busy")
    return lease


async def _still_alone(house: House, lease: leases.Lease) -> leases.Lease:
    async with house.grounds.database.connection() as connection:
        renewed = await leases.renew(connection, lease, now=house.grounds.clock(), lasting=LASTING)
    if renewed is None:
        raise Unavailable("proving-busy")
    return renewed


async def _tried(one: Probe, scene: Scene) -> Outcome:
    """What a probe says. One that stumbles tells nothing, unless it was over a fault: that is a promise of our own."""
    try:
        return await one.run(scene)
    except UntoldError as untold:
        return CannotTell(untold.why, untold.seen)
    except Fault as fault:
        return Broken((fault.code,))
    except OmonatError as error:
        return CannotTell(error.code)
    except (asyncpg.PostgresError, OSError) as error:
        _log.error("probe-failed", probe=one.name, error=type(error).__name__)
        return CannotTell("probe-failed", (type(error).__name__,))


def _proved(name: str, found: Sequence[tuple[Probe, Outcome]], placed: Mapping[str, Evidence]) -> Proved:
    known = built().get(name, {"state": "built"})
    outcome = gravest(o for _, o in found) if found else CannotTell("no-live-test")
    if known["state"] == "not built" and not isinstance(outcome, Broken):
        state: State = "not-built"
        found, outcome = (), Kept()
    else:
        state = "kept" if isinstance(outcome, Kept) else "broken" if isinstance(outcome, Broken) else "cannot-tell"
    return Proved(
        promise=name,
        state=state,
        built=known["state"],
        missing=known.get("missing", ""),
        how={language: [p.does[language] for p, _ in found] for language in ("uz", "ru", "en")},
        why=outcome.why if isinstance(outcome, CannotTell) else "",
        seen=outcome.seen,
        evidence=[placed[entry] for entry in outcome.evidence if entry in placed],
    )


async def _placed(house: House, entries: Sequence[str]) -> Mapping[str, Evidence]:
    """Each entry with its place and proof, as far as the sequencer has come; waits for it while it is at work."""
    waiting, found = set(entries), dict[str, Evidence]()
    until = asyncio.get_running_loop().time() + (PLACED_WITHIN if _is_sequenced(house) else 0)
    while waiting:
        for entry in sorted(waiting):
            found[entry] = await _evidence(house, entry)
        waiting = {entry for entry in waiting if found[entry].proof is None}
        if not waiting or asyncio.get_running_loop().time() >= until:
            break
        await asyncio.sleep(0.5)
    return found


def _is_sequenced(house: House) -> bool:
    """Whether somebody signs checkpoints at this time."""
    try:
        age = house.evidence.checkpoint().age(house.grounds.clock())
    except (BadInput, Fault):
        return False
    return age is not None and abs(age) < MINUTE


async def _evidence(house: House, entry: str) -> Evidence:
    index: int | None = None
    try:
        index = (await house.evidence.entry(entry)).index
        proof: Any = await house.evidence.proof(entry)
        return Evidence(id=entry, index=proof.index, proof=bytes(proof).decode())
    except (BadInput, Fault):
        return Evidence(id=entry, index=index, proof=None)
