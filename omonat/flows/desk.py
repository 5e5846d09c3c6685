"""Desk: what a staff member has to do (S4). Lists cases, never data: that comes through `use`, purpose by purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Reason
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.flows.staff import StaffMember
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import CaseRule, RoleKind

_cases = load("omonat.promises.cases")
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One open case in the queue."""

    id: str
    kind: str
    service: str
    opened_at: Instant
    assigned: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPurpose:
    """A purpose a role may act for in a case, with the items it may see."""

    id: str
    items: tuple[str, ...]
    withheld: Mapping[str, Reason] = field(default_factory=dict)
    """Items the same kind of case holds and this purpose or this role doesn't get, each with the reason."""


class DeskWork:
    """What the Desk shows before anything is revealed."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    async def queue(self, member: StaffMember) -> tuple[CaseLine, ...]:
        """The open cases a staff member may work on, by the rule of their role; none for a role without cases."""
        policy = await self._grounds.law.current()
        role = policy.role(member.role)
        async with self._grounds.database.connection() as connection:
            if role.cases is CaseRule.ASSIGNED:
                rows = [row async for row in _cases.cases_of_staff(connection, ref=member.ref, most=_MOST)]
            elif role.cases is CaseRule.OPEN:
                kinds = sorted({kind for p in policy.purposes.values() if member.role in p.roles for kind in p.cases})
                rows = [row async for row in _cases.open_cases(connection, kinds=kinds, most=_MOST)]
            else:
                rows = []
        return tuple(_line(row) for row in rows)

    async def case(self, member: StaffMember, case: str) -> CaseLine:
        """One open case of the queue. Raises Refused `no-open-case` for closed, foreign and unknown ones alike."""
        policy = await self._grounds.law.current()
        async with self._grounds.database.connection() as connection:
            row = await _cases.case_by_id(connection, id=case)
        role = policy.role(member.role)
        mine = row is not None and row["closed_at"] is None and role.kind is RoleKind.HUMAN and (
            member.ref in row["assigned"] if role.cases is CaseRule.ASSIGNED else role.cases is CaseRule.OPEN
        )  # fmt: skip
        if not mine or not await self.purposes(member, row["kind"]):
            raise Refused("no-open-case")
        return _line(row)

    async def purposes(self, member: StaffMember, kind: str) -> tuple[OpenPurpose, ...]:
        """The purposes the member's role may act for in a case of this kind, in the policy's order."""
        policy = await self._grounds.law.current()
        held = {item for name in policy.services for item in _asked(policy, name, kind)}
        return tuple(
            self._open(policy, purpose.id, member.role, tuple(item for item in policy.items if item in held))
            for purpose in policy.purposes.values()
            if member.role in purpose.roles and kind in purpose.cases
        )

    async def without_case(self, member: StaffMember) -> tuple[OpenPurpose, ...]:
        """The purposes the member's role may act for outside any case, once a person is named."""
        policy = await self._grounds.law.current()
        return tuple(
            self._open(policy, purpose.id, member.role, ())
            for purpose in policy.purposes.values()
            if member.role in purpose.roles and not purpose.cases
        )

    def _open(self, policy: CompiledPolicy, purpose: str, role: str, beside: tuple[str, ...]) -> OpenPurpose:
        grant = policy.grant(purpose, role)
        others = tuple(item for item in beside if item not in grant.allowed)
        withheld = policy.grant(purpose, role, others).withheld if others else {}
        return OpenPurpose(id=purpose, items=grant.allowed, withheld=withheld)

    async def lookups(self, member: StaffMember) -> tuple[OpenPurpose, ...]:
        """The purposes under which the member's role may look people up, with the items to look up by."""
        policy = await self._grounds.law.current()
        return tuple(
            OpenPurpose(id=purpose.id, items=purpose.lookup)
            for purpose in policy.purposes.values()
            if member.role in purpose.roles and purpose.lookup
        )


def _asked(policy: CompiledPolicy, service: str, kind: str) -> tuple[str, ...]:
    """What a service asks, where its records belong to cases of this kind."""
    form = policy.form(service)
    return (*form.required, *form.optional) if form.case == kind else ()


def _line(row: Any) -> CaseLine:
    return CaseLine(
        id=row["id"],
        kind=row["kind"],
        service=row["service"],
        opened_at=row["opened_at"],
        assigned=tuple(row["assigned"]),
    )
