"""Guardians: a parent whose consent was verified sees a child's data, limits it, deletes it, ends the consent (K3).

Each act asks first whether the consent stands and the child is still one; for whoever isn't the guardian it answers the
same as for nobody. What a guardian saw and did is evidence of the child's, and says that it was the guardian.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from omonat.base.errors import OmonatError, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import is_id, new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.children import Children, Closed
from omonat.flows.choose import Choose, Choosing
from omonat.flows.correct import Correct, is_a_guardians
from omonat.flows.erase import Erasure, Plan
from omonat.flows.erase_mine import EraseMine, Wanted
from omonat.flows.grounds import Grounds
from omonat.flows.locking import Lock
from omonat.flows.my_data import MyData, MyStanding, ViewMyData
from omonat.flows.passing import let_pass
from omonat.flows.take_away import Copy, Form, TakeAway
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.children.guardian import Guarded, born_context, decide_guardian
from omonat.promises.children.rule import years_old
from omonat.promises.choice.standing import Kind, State
from omonat.promises.location.rule import Term

_queries = load("omonat.promises.children")
_AT_ONCE: Final = 500
GUARDIAN: Final = "guardian"
"""Who carried a choice in, where it was the guardian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A child whose data somebody may see as its guardian. `images`: the guardian agreed to those as well."""

    person: str
    since: Instant
    method: str
    restricted: bool
    images: bool


class Guardians:
    """The flow. `guardian` is always the person who is signed in, never a name that was sent."""

    def __init__(
        self,
        grounds: Grounds,
        children: Children,
        *,
        my_data: ViewMyData,
        choose: Choose,
        erase_mine: EraseMine,
        take_away: TakeAway,
        correct: Correct,
    ) -> None:
        self._grounds = grounds
        self._children = children
        self._my_data = my_data
        self._choose = choose
        self._erase_mine = erase_mine
        self._take_away = take_away
        self._correct = correct

    async def wards(self, guardian: str) -> tuple[Ward, ...]:
        """The children of this guardian, in the order of the consents; nothing of theirs is opened but their age."""
        policy = await self._grounds.law.current()
        today = policy.today(self._grounds.clock())
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _queries.wards(connection, guardian=guardian)]
        return tuple(_ward(row) for row in rows if isinstance(self._decide(policy, row, today), Allow))

    async def ward(self, guardian: str, child: str) -> Ward:
        """One of them. Raises Refused `not-the-guardian` for everybody else, known or not."""
        found = await self.wards(guardian) if is_id("per", child) else ()
        ward = next((each for each in found if each.person == child), None)
        if ward is None:
            raise Refused("not-the-guardian")
        return ward

    async def data(self, guardian: str, child: str, categories: frozenset[str] | None = None) -> MyData:
        """What is held about the child. Raises as `ward`, and as `ViewMyData`."""
        await self.ward(guardian, child)
        mine = await self._my_data(child, categories, guardian=guardian)
        await self.ward(guardian, child)  # the consent may have been taken back while it was read: nothing leaves then
        return mine

    async def standing(self, guardian: str, child: str) -> MyStanding:
        """What stands of the child's choices. Raises as `ward`."""
        await self.ward(guardian, child)
        return await self._my_data.standing(child)

    async def choose(
        self,
        guardian: str,
        child: str,
        *,
        kind: Kind,
        state: State,
        purpose: str = "",
        version: str | None = None,
        term: Term | None = None,
    ) -> Receipt:
        """Limit what is done with the child's data, or allow it again. `term` says of a location how long and how
        exactly. Raises as `ward`, and as `Choose`."""
        await self.ward(guardian, child)

        async def still(connection: Any, _receipt: Receipt) -> None:
            await self._still(connection, guardian, child)

        choosing = Choosing(
            person=child,
            kind=kind,
            state=state,
            purpose=purpose,
            version=version,
            door=GUARDIAN,
            by=GUARDIAN,
            term=term,
        )
        return await self._choose(choosing, still)

    async def copy(self, guardian: str, child: str, *, form: Form, lock: Lock) -> Copy:
        """Everything about the child as a file. Raises as `ward`, and as `TakeAway`."""
        await self.ward(guardian, child)
        copy = await self._take_away(child, form=form, lock=lock, guardian=guardian)
        await self.ward(guardian, child)  # as in `data`
        return copy

    async def look_at(self, guardian: str, child: str, record: str, item: str) -> None:
        """Whether the guardian may put this right. Raises as `ward`, and as `Correct.look`."""
        await self.ward(guardian, child)
        if not is_a_guardians(await self._grounds.law.current(), item):
            raise Refused("correction-not-a-guardians")
        await self._correct.look(child, record, item)

    async def correct(self, guardian: str, child: str, record: str, item: str, typed: str) -> None:
        """Put one value right. Raises as `ward`, and as `Correct.by_guardian`."""
        await self.ward(guardian, child)
        await self._correct.by_guardian(
            child, record, item, typed, partial(self._still, guardian=guardian, child=child)
        )

    async def _still(self, connection: Any, guardian: str, child: str) -> None:
        if not await _queries.is_guardian(connection, person=child, guardian=guardian):
            raise Refused("not-the-guardian")

    async def plan(self, guardian: str, child: str, wanted: Wanted) -> Plan:
        """What a deletion would take and leave. Raises as `ward`."""
        await self.ward(guardian, child)
        return await self._erase_mine.plan(child, wanted)

    async def ask(self, guardian: str, child: str, wanted: Wanted, channel: str, *, language: str) -> str:
        """Send the guardian the code that confirms exactly this deletion. Raises as `ward`, and as `Confirm.ask`."""
        await self.ward(guardian, child)
        return await self._erase_mine.ask(child, wanted, channel, language=language, guardian=guardian)

    async def erase(self, guardian: str, child: str, wanted: Wanted, *, ticket: str, code: str, token: str) -> Erasure:
        """Erase, once the guardian's code is right. Raises as `ward`, and as `EraseMine`."""
        await self.ward(guardian, child)
        return await self._erase_mine(child, wanted, ticket=ticket, code=code, token=token, guardian=guardian)

    async def withdraw(self, guardian: str, child: str) -> Closed:
        """Take the consent back altogether: the child's data is closed at once, and erased by `until`. Raises as
        `ward`."""
        await self.ward(guardian, child)
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            row = await _queries.child(connection, person=child)
            if row is None or not await _queries.is_guardian(connection, person=child, guardian=guardian):
                raise Refused("not-the-guardian")
            facts = {"by": GUARDIAN}
            closed = await self._children.withdraw_in(connection, row, "data", facts, now=now)
            if "images" in row["consented"]:
                await self._children.withdraw_in(connection, row, "images", facts, now=now)
        await let_pass(self._grounds.database, child, now=now)
        return closed

    async def let_grown_go(self) -> int:
        """End consents whose child has come of age: nobody else decides for them any more. Part of tidying; how many.

        Access has ended already, by the rule: this puts the end into evidence and frees the row.
        """
        policy, ended, after = await self._grounds.law.current(), 0, ""
        while True:
            async with self._grounds.database.connection() as connection:
                rows = [row async for row in _queries.guarded(connection, after=after, most=_AT_ONCE)]
            for row in rows:
                born = self._born(row["person"], row)
                under = policy.child_under if row["scope"] == "data" else policy.images_under
                if born is not None and years_old(born, policy.today(self._grounds.clock())) >= under:
                    ended += await self._end(row["person"], row["scope"])
            if len(rows) < _AT_ONCE:
                return ended
            after = rows[-1]["id"]

    async def _end(self, person: str, scope: str) -> int:
        now, entry = self._grounds.clock(), new_id("ev")
        async with self._grounds.database.transaction() as connection:
            row = await _queries.child(connection, person=person)
            if row is None:
                return 0
            gone = await _queries.withdraw_consent(
                connection, person=person, scope=scope, now=now, entries={"ended": entry}
            )
            if gone is None:
                return 0
            if scope == "data":
                await self._children.end_asks(connection, person, {"ended": entry}, now=now)
            whose = self._grounds.vault.commitment(
                evidence_slot=row["evidence_slot"], entry=entry, field="person", value=person
            )
            facts = {"scope": scope, "person": whose}
            noted = Entry(entry, now, "guardian:consent:ended", facts, (person,))
            await self._grounds.journal.append(connection, [noted], now=now)
            reach("guardian.ended")
        return 1

    def _decide(self, policy: CompiledPolicy, row: Any, today: date) -> Any:
        return decide_guardian(Guarded(born=self._born(row["id"], row)), under=policy.child_under, today=today)

    def _born(self, person: str, row: Any) -> date | None:
        """The child's birth date; None where it was never given, or its key is gone."""
        if row["born"] is None:
            return None
        try:
            opened = self._grounds.vault.open_value(born_context(person), bytes(row["born"]), slot=row["slot"])
        except OmonatError:
            return None
        return date.fromisoformat(opened.decode())


def _ward(row: Any) -> Ward:
    return Ward(
        person=row["id"],
        since=row["given_at"],
        method=row["method"],
        restricted=row["restricted_at"] is not None,
        images=row["images"],
    )
