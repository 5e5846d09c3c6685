"""People, cases, credentials and staff made for a proving, and their end. Nothing of them outlives the next run.

The run is a work item before anybody is made, and everybody is made with a case named after the run: whoever comes
after a crash finds them by key. Credentials and staff have fixed names, one row each for ever, and are ended with the
run.
"""

from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Final

import asyncpg

from omonat.base.errors import Refused
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectRequest
from omonat.flows.erase import Erasure, ErasureRequest
from omonat.flows.staff import Registration
from omonat.flows.use import Credential
from omonat.flows.work import close_work_item, open_work_item, open_work_item_in
from omonat.house import House
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Keep, Kind, RoleKind
from omonat.policy.words import CaseRule, Factor
from omonat.promises.cases.rule import sources_of
from omonat.proving.outcome import UntoldError
from omonat.proving.values import invent

BY: Final = "omonat prove"
RULE: Final = "proving"
ERASED: Final = "proving-erasure"
MOST_CASES: Final = 300
"""Cases one run opens at most."""
_STAFF: Final = ("prove-1", "prove-2")
_LASTING: Final = frozenset({Factor.OBLIGATION, Factor.NORM})
_NEVER_INVENTED: Final = frozenset({Kind.CARD_NUMBER, Kind.CARD_EXPIRY, Kind.PASSWORD, Kind.SECURITY_ANSWER})
_queries = load(__package__)


@dataclass(slots=True)
class Guest:
    """Somebody made for a probe: their id, their first case, what they gave, and the entries of the giving."""

    id: str
    case: str
    items: dict[str, Any]
    records: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    cases: dict[str, str] = field(default_factory=dict)


class People:
    """Makes people through `collect` and `cases`, and sees them off through `erase`."""

    def __init__(self, house: House, policy: CompiledPolicy) -> None:
        self.house = house
        self.policy = policy
        self.run = token_hex(6)
        self.erased: list[Erasure] = []
        self._cases = 0
        self._credentials: dict[str, Credential] = {}
        self._members: set[str] = set()

    # Who acts -------------------------------------------------------------------------------------------------------

    async def acting(self, role: str) -> Credential:
        """A credential that acts in this role; what it uses is counted on its own name."""
        return await self._credential(f"omonat-prove-{role}", next(iter(self.policy.policy.sources)), role)

    async def bringing(self, source: str) -> Credential:
        """A credential that brings data from this source."""
        role = next((r.id for r in self.policy.roles.values() if r.kind is RoleKind.SYSTEM), None)
        if role is None:
            raise UntoldError("no-system-role")
        return await self._credential(f"omonat-prove-from-{source}", source, role)

    async def _credential(self, name: str, source: str, role: str) -> Credential:
        if name not in self._credentials:
            issued = await self.house.clients.issue(name=name, source=source, roles=[role])
            self._credentials[name] = parse_credential(issued)
        return self._credentials[name]

    async def member(self, role: str) -> str:
        """The member of staff who acts in this role throughout the run; their ref."""
        ref = f"prove-{role}"
        if ref not in self._members:
            await self._register(ref, role)
            self._members.add(ref)
        return ref

    async def colleague(self, role: str, which: int = 0, *, trained: bool = True, ended: bool = False) -> str:
        """One of two members of staff in this role; their ref."""
        await self._register(_STAFF[which], role, trained=trained, ended=ended)
        return _STAFF[which]

    async def _register(self, ref: str, role: str, *, trained: bool = True, ended: bool = False) -> None:
        now = self.house.grounds.clock()
        until, trained_until = Instant(now - 1 if ended else now + DAY), Instant(now + DAY if trained else now - 1)
        await self.house.staff.put(
            Registration(ref=ref, name="Namuna Sinovchi", role=role, role_until=until, trained_until=trained_until),
            by=BY,
        )

    # Whom it is about -----------------------------------------------------------------------------------------------

    def leaves_nothing(self, service: str) -> bool:
        """Whether no duty outlives the erasure of what this service takes."""
        schedule = self.policy.policy.retention[self.policy.services[service].keeps]
        return not any(rule.factor in _LASTING for rule in schedule.rules)

    def asked_by(self, service: str, *, optional: bool = True) -> dict[str, Any] | None:
        """Values for what a service asks without a consent; None where a required one can't be invented."""
        form, today = self.policy.forms[service], self.policy.today(self.house.grounds.clock())
        found: dict[str, Any] = {}
        for name in (*form.required, *(form.optional if optional else ())):
            item = self.policy.items[name]
            value = None if item.keep is Keep.VERIFY_ONLY or item.kind in _NEVER_INVENTED else invent(item, today=today)
            if value is not None:
                found[name] = value
            elif name in form.required:
                return None
        return found

    def services(self) -> list[str]:
        """Services people can be made in, those that open a case first."""
        able = [s for s in self.policy.services if self.leaves_nothing(s) and self.asked_by(s)]
        return sorted(able, key=lambda service: self.policy.services[service].case is None)

    async def guest(self, *services: str) -> Guest:
        """Somebody new, made in the first service that opens a case, who gave something in `services` as well."""
        anchor = next((s for s in self.services() if self.policy.services[s].case), None)
        if anchor is None:
            raise UntoldError("no-service-to-try")
        given = self.asked_by(anchor) or {}
        case = self.next_case(str(self.policy.services[anchor].case))
        answer = await self.collect(anchor, given, case=case)
        guest = Guest(answer.person, case, dict(given), [answer.record], [answer.evidence["id"]])
        guest.cases[case.partition(":")[0]] = case
        for service in services:
            if service != anchor:
                await self.also_gave(guest, service)
        return guest

    async def also_gave(self, guest: Guest, service: str) -> None:
        """The same person gives what another service asks; what they gave before they give alike."""
        given = {item: guest.items.get(item, value) for item, value in (self.asked_by(service) or {}).items()}
        kind = self.policy.services[service].case
        case = (guest.cases.get(kind) or self.next_case(kind)) if kind else None
        answer = await self.collect(service, given, case=case, person=guest.id)
        guest.items |= given
        guest.records.append(answer.record)
        guest.evidence.append(answer.evidence["id"])
        if kind and case:
            guest.cases[kind] = case

    async def collect(self, service: str, items: dict[str, Any], **more: Any) -> Any:
        """One collection from the first source the service names. Raises as the flow does."""
        source = more.pop("source", None) or self.policy.forms[service].sources[0]
        request: dict[str, Any] = {"version": self.policy.version, "consents": {}, **more}
        return await self.house.collect(
            CollectRequest(credential=await self.bringing(source), service=service, items=items, **request)
        )

    def next_case(self, kind: str) -> str:
        """The name of a new case, which the next run would find."""
        self._cases += 1
        if self._cases > MOST_CASES:
            raise UntoldError("too-many-cases")
        return f"{kind}:prove-{self.run}-{self._cases}"

    async def case_for(self, guest: Guest, kinds: tuple[str, ...], *, assigned: tuple[str, ...] | None = None) -> str:
        """An open case of one of these kinds, bound to the person and given to everybody who needs it so.

        Raises UntoldError where no source may open one.
        """
        kind = next((k for k in kinds if sources_of(self.policy, k)), None)
        if kind is None:
            raise UntoldError("no-source-for-case", *kinds)
        refs = assigned
        if refs is None:
            strict = [r.id for r in self.policy.roles.values() if r.cases is CaseRule.ASSIGNED]
            refs = tuple([await self.member(role) for role in strict])
        case = guest.cases.get(kind) or self.next_case(kind)
        source = sorted(sources_of(self.policy, kind))[0]
        request = PutCase(credential=await self.bringing(source), case=case, person=guest.id, assigned=refs)
        await self.house.cases.put(request)
        guest.cases[kind] = case
        return case

    async def close(self, case: str) -> None:
        """Close a case, as the system it lives in does."""
        source = sorted(sources_of(self.policy, case.partition(":")[0]))[0]
        await self.house.cases.event(CaseEvent(credential=await self.bringing(source), case=case, name="case-closed"))

    async def see_off(self, guest: Guest) -> Erasure:
        """Close a person's cases and erase them now, for a probe that looks at what is left."""
        for case in guest.cases.values():
            await self.close(case)
        return await self._erase(guest.id)

    async def _erase(self, person: str) -> Erasure:
        """Erase, and note in the same transaction that other systems have nothing to do with it."""

        async def noted(connection: asyncpg.Connection, erasure: Erasure) -> None:
            now = self.house.grounds.clock()
            await open_work_item_in(connection, rule=ERASED, person=None, missing=erasure.id, now=now)

        erasure = await self.house.erase(ErasureRequest(person=person, by=BY), noted)
        self.erased.append(erasure)
        return erasure

    # Beginning and end ----------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Say that a run begins, before anybody is made."""
        now = self.house.grounds.clock()
        await open_work_item(self.house.grounds.database, rule=RULE, person=None, missing=self.run, now=now)

    async def clean_up(self) -> int:
        """See off everybody who was made and is still there, by this run or one that was cut off; how many."""
        database, clock = self.house.grounds.database, self.house.grounds.clock
        runs = await self._noted(RULE)
        gone = 0
        for run in runs:
            gone += await self._end_people(run)
        await self._say_for_systems()
        await self._end_actors()
        for run in runs:
            await close_work_item(database, rule=RULE, person=None, missing=run, now=clock())
        return gone

    async def _end_people(self, run: str) -> int:
        names = [f"{kind}:prove-{run}-{n}" for kind in self.policy.policy.cases for n in range(1, MOST_CASES + 1)]
        async with self.house.grounds.database.connection() as connection:
            rows = [row async for row in _queries.cases_of_run(connection, ids=names)]
        for row in rows:
            if row["is_open"]:
                await self.close(row["id"])
        return sum([await self._ended(person) for person in sorted({row["person"] for row in rows if row["person"]})])

    async def _ended(self, person: str) -> bool:
        """Erase somebody who is left; False: all that was held of them was due before, and they went with it."""
        try:
            await self._erase(person)
        except Refused as gone:
            if gone.code != "person-unknown":
                raise
            return False
        return True

    async def _noted(self, rule: str) -> list[str]:
        """What is to be cleaned up after, the oldest first."""
        async with self.house.grounds.database.connection() as connection:
            return [row["missing"] async for row in _queries.noted(connection, rule=rule)]

    async def _say_for_systems(self) -> None:
        """Other systems never held anything of people made here: nobody has to look for it by hand."""
        database, now = self.house.grounds.database, self.house.grounds.clock()
        for erasure in await self._noted(ERASED):
            await self.house.erase.stages.advance(erasure)
            for notice in await self.house.systems.of(erasure):
                await self.house.systems.acknowledge(erasure, notice.system, by=BY)
                missing = f"{notice.system} {erasure}"
                await close_work_item(database, rule="erase-by-hand", person=None, missing=missing, now=now)
            await close_work_item(database, rule=ERASED, person=None, missing=erasure, now=now)

    async def _end_actors(self) -> None:
        law, now = self.policy.policy, self.house.grounds.clock()
        names = [*(f"omonat-prove-{r}" for r in law.roles), *(f"omonat-prove-from-{s}" for s in law.sources)]
        async with self.house.grounds.database.connection() as connection:
            clients = [row["name"] async for row in _queries.live_clients(connection, names=names, now=now)]
            refs = [*_STAFF, *(f"prove-{role}" for role in law.roles)]
            staff = [row async for row in _queries.live_staff(connection, refs=refs, now=now)]
        for name in clients:
            await self.house.clients.end(name=name)
        for row in staff:
            await self._register(row["ref"], row["role"], trained=False, ended=True)
        self._credentials.clear()
        self._members.clear()
