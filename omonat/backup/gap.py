"""The gap: what the log says was done, and neither the copy nor the journal knows how. It is found exactly, because
every act under the journal has its entry, and every frame names the entries of its transactions.

The log names nobody. Whom an entry concerns is told by its commitment: it is computed for everybody in the copy with
the salt of their evidence slot, and compared. What the entry says in the clear is obeyed where it narrows a use; where
it may have widened or narrowed one, no use rests on it until the person, or somebody who may, has cleared it up.

    consent given or withdrawn            uses by that consent: CannotTell, until the person chooses again
    objection, restriction                in force again
    told of a version                     nothing: not being told refuses
    a parent was asked, or answered       nobody is asked on: a privacy officer asks anew
    role set                              as the entry says
    secrets set, credential changed       the old ones open nothing
    version published                     can't be brought back: not proved until it is published again
    a safeguard reviewed                  can't be told any more: its owner looks again
    a hold placed or approved             as the entry says, on the person: of which case or record can't be told
    a hold ended                          nothing: it keeps what it keeps until two officers end it again
    a child signalled, a parent's no      closed as a child's data
    anything else about a person          quarantined until a privacy officer opens it; never erased for it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import asyncpg

from omonat.backup.replay import Replayed
from omonat.backup.standing import Stores
from omonat.base.errors import OmonatError
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import Entry

_queries = load(__package__, "replay.sql")

_SOURCES: Final = frozenset(
    {
        "choice",
        "staff",
        "client",
        "policy",
        "erasure",
        "retention",
        "hold",
        "child",
        "guardian",
        "correction",
        "safeguard",
    }
)
_ACTS: Final = frozenset({"notice:person:told"})
_HARMLESS: Final = frozenset(
    {
        "choice:person:refused",
        "staff:role:refused",
        "staff:desk:signed-in",
        "staff:desk:failed",
        "erasure:data:sweeping",
    }
    | {f"erasure:{scope}:planned" for scope in ("person", "record", "items")}
    | {f"retention:clock:{what}" for what in ("doubted", "confirmed")}
    | {f"retention:lookups:{what}" for what in ("begun", "renewed", "ended")}
    | {"retention:records:examined", "correction:channel:asked", "guardian:consent:ended"}
)
"""Acts that change nothing an older copy would have to be told of."""
_OWN_DOORS: Final = frozenset({"desk", "outbox", "requests"})
_LARGEST: Final = 2**53 - 1  # what the log writes for "no end"


def under_journal(entry: Entry) -> bool:
    """Whether the act of this entry must be in the journal as well."""
    if entry.act in _HARMLESS:
        return False
    if entry.act == "collect:record:accepted":
        return bool(entry.facts.get("consents"))
    return entry.act in _ACTS or entry.act.partition(":")[0] in _SOURCES


@dataclass(slots=True)
class Gap:
    """Entries without their frame, and what was done about each. `open` is what stands in the way of serving:
    `policy:<ordinal>:<digest>`, a version to be published again."""

    entries: list[Entry] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    strangers: int = 0
    open: list[str] = field(default_factory=list)


async def close_gap(connection: asyncpg.Connection, stores: Stores, done: Replayed, *, now: Instant) -> Gap:
    """Find the gap and do what can be done, in the caller's transaction."""
    gap = Gap([e for e in done.recovered if e.id not in done.told_by_journal and under_journal(e)])
    if not gap.entries:
        return gap
    await _queries.notes(connection, wanted=False)
    await _people(connection, stores, gap, now=now)
    await _staff(connection, stores, gap)
    await _clients(connection, gap, now=now)
    await _policies(connection, gap)
    await _reviews(connection, gap)
    await _holds(connection, stores, gap, now=now)
    for entry in gap.entries:
        await _queries.open_work(connection, id=new_id("wrk"), rule="restore", person=None, missing=entry.id, now=now)
    await _queries.notes(connection, wanted=True)
    return gap


async def _people(connection: asyncpg.Connection, stores: Stores, gap: Gap, *, now: Instant) -> None:
    people = [(row["id"], row["evidence_slot"]) async for row in _queries.people(connection)]
    doubts: list[tuple[str, str]] = []
    objections: list[tuple[str, str]] = []
    restricted: set[str] = set()
    closed: list[tuple[str, Entry]] = []
    asked: set[str] = set()
    for entry in gap.entries:
        if "person" not in entry.facts or entry.act.startswith("hold:"):
            continue
        person = _whose(stores, entry, people)
        if person is None:
            gap.strangers += 1
            continue
        gap.touched.add(person)
        purpose = str(entry.facts.get("purpose", ""))
        match entry.act.split(":"):
            case ["collect", *_]:
                doubts += [(person, purpose) for purpose in entry.facts["consents"]]
            case ["choice", "consent", _]:
                doubts.append((person, purpose))
            case ["choice", "objection", "given"]:
                objections.append((person, purpose))
            case ["choice", "restriction", "given"]:
                restricted.add(person)
            case ["guardian", "ask", _]:
                asked.add(person)  # nothing opens by a question alone: nobody is asked on, and what stands stands
            case ["choice" | "notice", *rest] if rest != ["agreement", "withdrawn"]:
                pass  # without it less is allowed
            case _:
                closed.append((person, entry))
    gap.doubted = {person for person, _ in doubts}
    for pairs, statement in ((doubts, _queries.doubt), (objections, _queries.object)):
        for person, purpose in dict.fromkeys(pairs):
            await statement(connection, ids=[person], purposes=[purpose])
    await _queries.restrict(connection, ids=list(restricted), now=now)
    await _close(connection, closed, now=now)
    await _queries.end_asks(connection, ids=list(asked), now=now)


async def _close(connection: asyncpg.Connection, closed: Sequence[tuple[str, Entry]], *, now: Instant) -> None:
    """Nothing of theirs is used. Whoever is closed for what isn't known, and not as a child, waits for an officer; for
    a child, also one the copy or the journal knew, it says so, and no officer's word about the rest opens them."""
    ids = [person for person, _ in closed]
    children = {row["id"] async for row in _queries.closed_as_children(connection, ids=ids)}
    await _queries.quarantine(connection, ids=ids, now=now)
    open_work = partial(_queries.open_work, connection, now=now)
    for person, entry in closed:
        if closes_a_child(entry):
            children.add(person)
        else:
            await open_work(id=new_id("wrk"), rule="quarantine", person=person, missing=entry.id)
    for person in sorted(children):
        await open_work(id=new_id("wrk"), rule="child", person=person, missing="parental-consent")


def closes_a_child(entry: Entry) -> bool:
    """Whether it closes somebody's data as a child's, which goes when no consent comes."""
    withdrawn = entry.act == "guardian:consent:withdrawn" and entry.facts.get("scope") == "data"
    return withdrawn or (entry.act == "child:person:signalled" and bool(entry.facts.get("closed")))


def _whose(stores: Stores, entry: Entry, people: Sequence[tuple[str, int]]) -> str | None:
    commitment, committed = stores.vault.commitment, entry.facts["person"]
    for person, slot in people:
        try:
            if commitment(evidence_slot=slot, entry=entry.id, field="person", value=person) == committed:
                return person
        except OmonatError:  # their evidence has ended: nothing of theirs is used any more
            continue
    return None


async def _staff(connection: asyncpg.Connection, stores: Stores, gap: Gap) -> None:
    changed = [e for e in gap.entries if e.act in ("staff:role:set", "staff:secrets:set")]
    if not changed:
        return
    names = {stores.vault.pseudonym("staff", row["id"]): row["id"] async for row in _queries.staff_ids(connection)}
    for entry in changed:
        staff = names.get(str(entry.facts.get("staff")))
        if staff is None:
            gap.strangers += 1
        elif entry.act == "staff:secrets:set":
            await _queries.lock_out(connection, ids=[staff])
        else:
            await _queries.set_role(
                connection, id=staff, role=entry.facts["role"], role_until=_end(entry.facts, "role-until"),
                trained_until=_end(entry.facts, "trained-until"),
            )  # fmt: skip


def _end(facts: Mapping[str, Any], name: str) -> Instant:
    return FOREVER if facts[name] >= _LARGEST else Instant(facts[name])


async def _clients(connection: asyncpg.Connection, gap: Gap, *, now: Instant) -> None:
    ids = [
        entry.facts["client"]
        for entry in gap.entries
        if entry.act.startswith("client:") and entry.facts.get("source") not in _OWN_DOORS
    ]
    await _queries.end_clients(connection, ids=ids, now=now)


async def _policies(connection: asyncpg.Connection, gap: Gap) -> None:
    newest = (await _queries.newest_policy(connection))["ordinal"]
    for entry in gap.entries:
        if entry.act == "policy:version:published" and entry.facts["ordinal"] > newest:
            gap.open.append(f"policy:{entry.facts['ordinal']}:{entry.facts['digest']}")


async def _reviews(connection: asyncpg.Connection, gap: Gap) -> None:
    """A row that its entry doesn't bear out: nobody takes what came before it for the newest word."""
    for entry in gap.entries:
        if entry.act.startswith("safeguard:review:"):
            await _queries.lost_review(
                connection, id=new_id("rvw"), about=entry.facts["about"], at=entry.at, by=entry.facts["staff"],
                entry=entry.id,
            )  # fmt: skip


async def _holds(connection: asyncpg.Connection, stores: Stores, gap: Gap, *, now: Instant) -> None:
    """Nothing a hold may cover is destroyed. Its authority is lost: the entry stands in its place."""
    placed = [entry for entry in gap.entries if entry.act == "hold:data:placed"]
    people = [(row["id"], row["evidence_slot"]) async for row in _queries.people(connection)] if placed else []
    for entry in placed:
        hold, person = str(entry.facts["hold"]), _whose(stores, entry, people)
        if person is None:
            gap.strangers += 1
            continue
        gap.touched.add(person)
        await _queries.place_hold(
            connection, id=hold, person=person, items=list(entry.facts["items"]),
            authority=stores.vault.seal_value(f"hold:{hold}", entry.id.encode()), may_tell=entry.facts["may-tell"],
            review_at=Instant(entry.facts["review"]), at=entry.at, by=entry.facts["staff"],
            entries={"placed": entry.id},
        )  # fmt: skip
        await _queries.open_work(connection, id=new_id("wrk"), rule="hold-approval", person=None, missing=hold, now=now)
    for entry in gap.entries:
        if entry.act == "hold:data:approved":
            await _queries.approve_hold(
                connection, id=entry.facts["hold"], at=entry.at, by=entry.facts["staff"], entries={"approved": entry.id}
            )


__all__ = ["Gap", "close_gap", "closes_a_child", "under_journal"]
