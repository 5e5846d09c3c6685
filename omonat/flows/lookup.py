"""Look-up: find a person by an exact phone or e-mail, only where the purpose allows it, counted (S4).

It answers with ids and open cases, never with data: what may be seen is the business of `use`. Several people behind
one number answer nothing, unless exactly one of them has an open case.
"""

from dataclasses import dataclass
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.caps import Caps
from omonat.flows.clients import Client, require_client
from omonat.flows.grounds import Grounds
from omonat.flows.use import Credential, allowed_role
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import normalise
from omonat.policy.model import RoleKind
from omonat.promises.use.actor import role_of_program, role_of_staff
from omonat.promises.use.lookup import decide_lookup

_queries = load("omonat.promises.identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupRequest:
    """Who is behind this value? `item` names what it is; the value is kept nowhere."""

    credential: Credential
    purpose: str
    item: str
    value: str
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAnswer:
    """One person, or nobody; `several` says that more than one is behind the value and none is named."""

    person: str | None
    cases: tuple[str, ...]
    several: bool
    receipt: Receipt


class Lookup:
    """The flow of exact look-up."""

    def __init__(self, grounds: Grounds, caps: Caps) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._caps = caps
        self._clock = grounds.clock

    async def __call__(self, request: LookupRequest) -> LookupAnswer:
        """Answer one look-up. Raises BadInput, Refused (`lookup-not-allowed`, `over-cap` …)."""
        policy, now = await self._law.current(), self._clock()
        purpose = policy.purpose(request.purpose)
        item = policy.item(request.item)
        try:
            normal = normalise(item.kind, request.value, country=policy.policy.controller.country)
        except BadInput as error:
            raise BadInput(error.code, **{**error.about, "item": item.id}) from None
        if normal.lookup is None:
            raise BadInput("lookup-not-possible", item=request.item)
        async with self._database.connection() as connection:
            client = await require_client(connection, request.credential, now)
            staff = None
            if request.on_behalf_of is not None:
                staff = await _queries.staff_by_ref(connection, ref=request.on_behalf_of)
        facts: dict[str, Any] = {
            "policy": policy.digest, "purpose": request.purpose, "client": client.id, "item": request.item,
        }  # fmt: skip
        if staff is not None:
            facts["staff"] = self._vault.pseudonym("staff", staff["id"])
        try:
            role, actor = _role(policy, request, client, staff, now)
        except Refused as refusal:
            await self._refuse(facts, refusal.code, now)
            raise
        facts["role"] = role
        verdict = decide_lookup(purpose, role=role, item=request.item)
        if isinstance(verdict, Allow) and policy.roles[role].kind is RoleKind.HUMAN:
            verdict = await self._caps.take(actor, "lookup", policy.roles[role].caps, now) or verdict
        if isinstance(verdict, Deny):
            reason = verdict.reasons[0]
            await self._refuse(facts, reason.code, now)
            raise Refused(reason.code, **reason.about)
        digests = self._vault.lookup_digests(request.item, normal.lookup)
        async with self._database.connection() as connection:
            found = [
                row
                async for row in _queries.matches(connection, digests=digests, item=request.item, kinds=purpose.cases)
            ]
        return await self._answer(found, facts, now)

    async def _refuse(self, facts: dict[str, Any], code: str, now: Instant) -> None:
        await self._journal.submit(Entry(new_id("ev"), now, "lookup:person:refused", {**facts, "code": code}))

    async def _answer(self, found: list[Any], facts: dict[str, Any], now: Instant) -> LookupAnswer:
        with_case = [row for row in found if row["cases"]]
        one = found[0] if len(found) == 1 else with_case[0] if len(with_case) == 1 else None
        entry = new_id("ev")
        subjects: tuple[str, ...] = ()
        if one is not None:
            facts["person"] = self._vault.commitment(
                evidence_slot=one["evidence_slot"], entry=entry, field="person", value=one["person"]
            )
            subjects = (one["person"],)
        act = "lookup:person:found" if one is not None else "lookup:person:none"
        reach("lookup.found")
        receipt = await self._journal.submit(Entry(entry, now, act, facts, subjects))
        reach("lookup.recorded")
        return LookupAnswer(
            person=None if one is None else one["person"],
            cases=() if one is None else tuple(one["cases"]),
            several=one is None and len(found) > 1,
            receipt=receipt,
        )


def _role(policy: CompiledPolicy, request: LookupRequest, client: Client, staff: Any, now: Instant) -> tuple[str, str]:
    """The acting role and who is counted. Raises Refused."""
    if request.on_behalf_of is None:
        return allowed_role(role_of_program(policy, request.purpose, client.roles)), client.id
    role = allowed_role(role_of_staff(None if staff is None else staff["role"], client.roles))
    if staff["role_until"] <= now:
        raise Refused("role-ended")
    if staff["trained_until"] <= now:
        raise Refused("training-lapsed")
    return role, request.on_behalf_of
