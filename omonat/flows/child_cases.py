"""The privacy officer's work with children that were found: which, since when, until when, by whose consent (K2, K3).

Ids only: nothing of a child is opened for it. Whoever isn't a privacy officer is told no, whatever the page.
"""

from dataclasses import dataclass
from typing import Any

from omonat.base.errors import Refused
from omonat.base.ids import is_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.children import OFFICER, Agreement, Children, Closed
from omonat.flows.clear_child import ClearChild, Clearing
from omonat.flows.grounds import Grounds
from omonat.flows.parent_asks import ParentAsks
from omonat.flows.parent_question import Asked, Question
from omonat.flows.staff import StaffMember
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import ConsentMethod, shared_methods
from omonat.promises.children.consent import Scope, waits_until

_queries = load("omonat.promises.children")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A parent's consent, standing or ended. `guardian`: it names somebody who sees the child's data."""

    scope: Scope
    method: str
    given_at: Instant
    ended_at: Instant | None
    guardian: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCase:
    """One child. `closed_at` is None while a parent's consent stands; `until` is when closed data goes, None where no
    law names a period: then it goes at the next sweep. `images_closed`: images of theirs wait for a parent."""

    person: str
    closed_at: Instant | None
    until: Instant | None
    consents: tuple[Consent, ...]
    images_closed: bool = False

    def standing(self, scope: Scope) -> Consent | None:
        """The consent that stands for this."""
        return next((each for each in self.consents if each.scope == scope and each.ended_at is None), None)


class ChildCases:
    """The flow of the officer's pages."""

    def __init__(self, grounds: Grounds, children: Children, asks: ParentAsks, clear: ClearChild) -> None:
        self._grounds = grounds
        self._children = children
        self._asks = asks
        self._clear = clear

    @staticmethod
    def may(member: StaffMember) -> bool:
        """Whether these pages are for somebody in this role."""
        return member.role == OFFICER

    async def all(self, member: StaffMember) -> tuple[ChildCase, ...]:
        """Closed ones first, the earliest deadline on top; then those with a parent's consent, the newest first."""
        self._permit(member)
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            closed = [row async for row in _queries.closed_children(connection, now=now)]
            consents = [row async for row in _queries.standing_consents(connection, now=now)]
        by_person: dict[str, list[Consent]] = {row["id"]: [] for row in closed}
        for row in consents:
            by_person.setdefault(row["person"], []).append(_consent(row))
        since = {row["id"]: row["quarantined_at"] for row in closed}
        return tuple(_case(policy, person, since.get(person), found) for person, found in by_person.items())

    async def one(self, member: StaffMember, person: str) -> ChildCase:
        """One of them, with the consents that ended. Raises Refused `person-unknown`, for somebody nobody called a
        child as well."""
        self._permit(member)
        policy = await self._grounds.law.current()
        row, consents = None, []
        if is_id("per", person):
            async with self._grounds.database.connection() as connection:
                row = await _queries.looked_at(connection, person=person)
                consents = [_consent(each) async for each in _queries.consents_of(connection, person=person)]
        if row is None or not (row["quarantined_at"] or row["images_closed"] or consents):
            raise Refused("person-unknown")
        return _case(policy, person, row["quarantined_at"], consents, images_closed=row["images_closed"])

    async def methods(self) -> tuple[ConsentMethod, ...]:
        """The ways a parent is verified here: by whom, each says itself."""
        policy = await self._grounds.law.current()
        return tuple(shared_methods(policy.packs).values())

    async def signal(self, member: StaffMember, person: str) -> Closed:
        """The officer says that this is a child. Raises Refused `person-unknown`."""
        self._permit(member)
        by = self._grounds.vault.pseudonym("staff", member.id)
        if not is_id("per", person):
            raise Refused("person-unknown")
        return await self._children.signal(person, "staff", by=by)

    async def agree(self, member: StaffMember, agreement: Agreement) -> Closed:
        """A parent's form was checked. Raises as `Children.agree`."""
        self._permit(member)
        return await self._children.agree(agreement, by=member.ref)

    async def take_back(self, member: StaffMember, person: str, scope: Scope) -> Closed:
        """The parent took it back. Raises as `Children.take_back`."""
        self._permit(member)
        return await self._children.take_back(person, by=member.ref, scope=scope)

    async def clear(self, member: StaffMember, clearing: Clearing) -> str:
        """Somebody was taken for a child by mistake. Raises as `ClearChild`."""
        self._permit(member)
        return await self._clear(clearing, by=member.ref)

    async def asks(self, member: StaffMember, person: str) -> tuple[Asked, ...]:
        """The parents who were written to about this child, the newest first."""
        self._permit(member)
        return await self._asks.of(person)

    async def ask(self, member: StaffMember, question: Question) -> Asked:
        """Write to a parent. Raises as `ParentAsks.ask`."""
        self._permit(member)
        return await self._asks.ask(question, by=member.ref)

    async def stop(self, member: StaffMember, person: str, ask: str) -> None:
        """Call one of this child's back. Raises Refused `parent-link-over`."""
        if ask not in {each.id for each in await self.asks(member, person)}:
            raise Refused("parent-link-over")
        await self._asks.stop(ask, by=member.ref)

    def _permit(self, member: StaffMember) -> None:
        if not self.may(member):
            raise Refused("child-officer-needed", role=OFFICER)


def _consent(row: Any) -> Consent:
    return Consent(
        scope=row["scope"],
        method=row["method"],
        given_at=row["given_at"],
        ended_at=row["withdrawn_at"],
        guardian=row["has_guardian"],
    )


def _case(
    policy: CompiledPolicy,
    person: str,
    closed_at: Instant | None,
    consents: list[Consent],
    *,
    images_closed: bool = False,
) -> ChildCase:
    until = None if closed_at is None else waits_until(policy, closed_at)
    return ChildCase(
        person=person, closed_at=closed_at, until=until, consents=tuple(consents), images_closed=images_closed
    )
