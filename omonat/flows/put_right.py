"""Put right: a request for a correction, or what staff found wrong, ends in one of three ways, never in limbo (Q2, Q1).

1. the correction itself: the value typed at the Desk, or the one whoever asked gave, sealed and read by nobody here;
   by the item's own rules, in each record where the newest value stands and no duty or hold keeps it as it was
2. the erasure of that item, as far as no duty keeps it
3. an answer that refuses, with its reason (`answer_requests`); as done it can't be answered before one of the first two

A new phone or e-mail counts only once its owner typed a code that went there. Whoever asked without signing in proved a
channel of the person for the request; who was signed in types a second code, for an open browser is not its owner.
Whose data it is was told by the proved channel, and is asked again here: a number that somebody else holds by now opens
nobody's data. Correction and request are written in one transaction; the evidence of each names the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.flows.answer_requests import DESK
from omonat.flows.ask import Ask
from omonat.flows.asked import NewRequest, RequestReceipt
from omonat.flows.confirm import CHANNELS
from omonat.flows.correct import Correct
from omonat.flows.correcting import NEWEST, Asked
from omonat.flows.desk import DeskWork
from omonat.flows.erase import Erase, Erasure, ErasureRequest
from omonat.flows.follow_request import FollowRequest
from omonat.flows.grounds import Grounds
from omonat.flows.refusals import refusals_noted
from omonat.flows.requesting import (
    code_of,
    entry_about,
    locked_request,
    proposed_context,
    queries,
    require,
    standing_of,
    tidy,
    write_to,
)
from omonat.flows.rightable import given, items_of_role, known, proving, said_since
from omonat.flows.staff import StaffMember
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.requests.facts import Act, Kind, Settled
from omonat.promises.requests.rule import decide_act, decide_role


@dataclass(frozen=True, slots=True, kw_only=True)
class Righting:
    """What can be done with a request for a correction. `known`: it is certain whose data it is; `items` those of them
    that may be put right; `item` the one it names; `given`: a value was given; `proving`: a new channel waits for its
    owner's code; `settled` what was done."""

    known: bool
    items: tuple[str, ...]
    item: str
    given: bool
    proving: bool
    settled: Settled | None


class _FoundAlreadyError(Exception):
    """Somebody else noted the same meanwhile."""


class PutRight:
    """The flow, put together once per process."""

    def __init__(self, grounds: Grounds, correct: Correct, erase: Erase, ask: Ask, follow: FollowRequest) -> None:
        self._grounds = grounds
        self._vault = grounds.vault
        self._correct = correct
        self._erase = erase
        self._ask = ask
        self._follow = follow

    # At the Desk -----------------------------------------------------------------------------------------------------

    async def offered(self, member: StaffMember, number: str) -> Righting:
        """What the page offers; nothing is opened. Raises Refused `request-unknown`."""
        policy = await self._grounds.law.current()
        async with self._grounds.database.connection() as connection:
            row = await queries.request_by_number(connection, number=tidy(number))
            if row is None or row["kind"] != Kind.CORRECTION.value:
                raise Refused("request-unknown")
            sure = await known(self._vault, connection, row, self._grounds.clock())
            held = {each["category"] async for each in queries.categories_held(connection, person=row["about"])}
        items = [item for item in items_of_role(policy, member.role) if item.partition(".")[0] in held]
        return Righting(
            known=sure, items=tuple(items) if sure else (), item=row["item"] or "", given=row["proposed"] is not None,
            proving=proving(row), settled=Settled(row["settled"]) if row["settled"] else None,
        )  # fmt: skip

    async def askable(self) -> tuple[str, ...]:
        """The items whose correction can be asked for by name: those that somebody at the Desk may put right."""
        policy = await self._grounds.law.current()
        some = {item for role in policy.roles for item in items_of_role(policy, role)}
        return tuple(item for item in policy.items if item in some)

    async def correct(self, member: StaffMember, number: str, item: str, typed: str | None = None) -> bool:
        """Make the correction: with what was `typed`, or (None) with the sealed value whoever asked gave for this item.

        Whether it is made; False: a new phone or e-mail, and whoever asked is told to prove it. What was asked
        for and stands there by now, and what the person put right since, is as good. Raises BadInput for a value that
        can't be read, and `correction-same`; Refused by the rules.
        """
        policy = await self._grounds.law.current()
        async with self._noted(member):
            async with self._grounds.database.connection() as connection:
                row = await queries.request_by_number(connection, number=tidy(number))
                await self._require(connection, policy, member, row, item)
            value = given(self._vault, row, item) if typed is None else typed
            if item in CHANNELS:
                await self._propose(policy, member, row["number"], item, await self._correct.read(item, value))
                return False
            behind = self._behind(policy, member, row, item)
            try:
                await self._correct.by_request(row["about"], item, value, behind)
            except BadInput as same:
                if same.code != "correction-same" or not (typed is None or await said_since(self._grounds, row, item)):
                    raise
                await self._is_right(row["about"], behind)
        return True

    async def erase(self, member: StaffMember, number: str, item: str) -> Erasure:
        """Erase the item, where nothing keeps it, and say so if something stays.

        Raises Refused `correction-must-stay`, `correction-not-held`."""
        policy = await self._grounds.law.current()
        async with self._noted(member):
            async with self._grounds.database.connection() as connection:
                row = await queries.request_by_number(connection, number=tidy(number))
                await self._require(connection, policy, member, row, item)
            by = self._vault.pseudonym("staff", member.id)
            wanted = ErasureRequest(person=row["about"], items=(item,), cause="inaccurate", by=by, or_not_at_all=True)
            plan = await self._erase.plan(wanted)
            if not plan.goes.get(item):
                raise Refused("correction-must-stay" if plan.stays else "correction-not-held", item=item)

            async def also(connection: Any, erasure: Erasure) -> None:
                locked = await queries.request_for_update(connection, number=row["number"])
                await self._require(connection, policy, member, locked, item)
                entry = erasure.entries["hidden"]
                settled = Settled.ERASED_PARTLY if erasure.stays else Settled.ERASED
                await self._settle(connection, locked, settled, item=item, entry=entry, who=self._who(member))

            return await self._erase(wanted, also)

    async def found(
        self, member: StaffMember, case: str, item: str, text: str, *, credential: Credential
    ) -> RequestReceipt | None:
        """Staff at work on a case note that an item of its person is wrong or incomplete; a request for its correction
        opens, with its deadline. None: one for it is open already. Raises BadInput, Refused `no-open-case`.
        """
        desk = DeskWork(self._grounds)
        async with self._noted(member):
            line = await desk.case(member, case)
            seen = {name for purpose in await desk.purposes(member, line.kind) for name in purpose.items}
            if item not in seen:
                raise Refused("item-not-needed", item=item)
            async with self._grounds.database.connection() as connection:
                person = await queries.person_of_case(connection, id=case)
                if person is None:
                    raise Refused("person-unknown")
                if await queries.open_about(connection, person=person["id"], item=item, but="") is not None:
                    return None

            async def once(connection: Any, answer: RequestReceipt) -> None:  # the person is locked by now
                if await queries.open_about(connection, person=person["id"], item=item, but=answer.number) is not None:
                    raise _FoundAlreadyError

            noted = NewRequest(
                credential=credential, kind=Kind.CORRECTION, text=text, door=DESK, person=person["id"], item=item,
                language=person["language"], found_by=member,
            )  # fmt: skip
            try:
                return await self._ask(noted, once)
            except _FoundAlreadyError:
                return None

    # By whoever asked ------------------------------------------------------------------------------------------------

    async def send_code(
        self, number: str, *, language: str, code: str = "", person: str | None = None, caller: str = ""
    ) -> str:
        """Send a code to the new phone or e-mail; what the browser keeps meanwhile comes back.

        With the request's number and code, or by the person signed in. Raises Refused `request-unknown`,
        `request-not-now`, `too-many-codes`.
        """
        row = await self._theirs(number, code, person, caller)
        kept = await self._correct.begin(
            row["about"], NEWEST, row["item"], given(self._vault, row, row["item"]), language=language
        )
        if kept is None:
            raise Refused("request-not-now")
        return kept

    async def enter_code(
        self, number: str, kept: str, typed: str, *,
        language: str, code: str = "", person: str | None = None, caller: str = "",
    ) -> str | None:  # fmt: skip
        """Try a code: None once it is corrected, else what the browser keeps for the second one. Raises Refused."""
        row = await self._theirs(number, code, person, caller)
        policy = await self._grounds.law.current()
        pending = self._correct.pending(row["about"], kept)
        if (pending.item, pending.record) != (row["item"], NEWEST):
            raise Refused("correction-begin-again")
        behind = self._behind(policy, None, row, pending.item, value=pending.value)
        try:
            return await self._correct.enter(row["about"], kept, typed, language=language, asked=behind)
        except BadInput as same:
            if same.code != "correction-same":
                raise
            await self._is_right(row["about"], behind)
            return None

    async def _theirs(self, number: str, code: str, person: str | None, caller: str) -> Any:
        row = await self._follow.row(number, code=code, person=person, caller=caller)
        if not proving(row):
            raise Refused("request-not-now")
        return row

    # The act ---------------------------------------------------------------------------------------------------------

    def _behind(
        self, policy: CompiledPolicy, member: StaffMember | None, row: Mapping[str, Any], item: str, *, value: str = ""
    ) -> Asked:
        """The request behind a correction: asked about once more, under lock, and written with it. `value`: what was
        proved must be what is asked for by then."""
        number, who = row["number"], self._who(member)

        async def before(connection: Any) -> None:
            locked = await queries.request_for_update(connection, number=number)
            if member is not None:
                await self._require(connection, policy, member, locked, item)
            elif not await self._waits(connection, locked, item, value):
                raise Refused("request-not-now")

        async def after(connection: Any, entry: str | None) -> None:
            locked = await queries.request_for_update(connection, number=number)
            await self._settle(connection, locked, Settled.CORRECTED, item=item, entry=entry, who=who)

        return Asked(
            number=number, by=str(who.get("staff", "person")), before=before, after=after,
            facts={**who, "by": "staff" if member is not None else "person"}, proved=row["person"] != row["about"],
        )  # fmt: skip

    async def _waits(self, connection: Any, row: Any, item: str, value: str) -> bool:
        return bool(
            row is not None
            and proving(row)
            and row["item"] == item
            and await self._correct.read(item, given(self._vault, row, item)) == value
            and await known(self._vault, connection, row, self._grounds.clock())
        )

    async def _is_right(self, person: str, behind: Asked) -> None:
        """What was asked for stands there already: nothing is changed, and the request is settled."""
        async with self._grounds.database.transaction() as connection:
            await queries.lock_person(connection, id=person)  # as a correction does: their channels stay what they are
            await behind.before(connection)
            await behind.after(connection, None)

    async def _settle(
        self, connection: Any, row: Any, settled: Settled, *, item: str, entry: str | None, who: Mapping[str, Any]
    ) -> None:
        """Write what was done. `entry`: of the correction or erasure; None: it was right by then."""
        now, act = self._grounds.clock(), settled.value
        more: dict[str, Any] = {"correction": entry} if entry else {"already": True}
        if settled is Settled.ERASED_PARTLY:
            act, more = Settled.ERASED.value, {**more, "partly": True}
        done = entry_about(self._vault, act, row, now, **who, **more, item=item)
        await queries.settle(connection, number=row["number"], settled=settled.value, entry=entry or done.id, item=item)
        await self._grounds.journal.append(connection, [done], now=now)
        reach("put-right.settled")

    async def _propose(self, policy: CompiledPolicy, member: StaffMember, number: str, item: str, value: str) -> None:
        """Keep the new channel sealed until its owner proved it, and tell whoever asked, where they are known."""
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            row = await locked_request(connection, number)
            await self._require(connection, policy, member, row, item)
            sealed = self._vault.seal_value(proposed_context(number), value.encode(), slot=row["slot"])
            await queries.propose(connection, number=number, item=item, proposed=sealed, now=now)
            params = {"request": number, "code": code_of(self._vault, number)}
            await write_to(connection, self._vault, row, "request-proof", params=params, now=now)
            asked = entry_about(self._vault, "proof-asked", row, now, **self._who(member), item=item)
            await self._grounds.journal.append(connection, [asked], now=now)
            reach("put-right.proposed")

    async def _require(self, connection: Any, policy: CompiledPolicy, member: StaffMember, row: Any, item: str) -> None:
        """Whether this member of staff may settle this request by this item now. Raises Refused."""
        if row is None or row["kind"] != Kind.CORRECTION.value:
            raise Refused("request-unknown")
        require(decide_role(policy, Kind.CORRECTION, member.role))
        require(decide_act(standing_of(row), Act.SETTLE, by=member.id, now=self._grounds.clock()))
        if item not in items_of_role(policy, member.role):
            raise Refused("correction-not-here", item=item)
        if not await known(self._vault, connection, row, self._grounds.clock()):
            raise Refused("correction-whose-unknown")

    def _who(self, member: StaffMember | None) -> dict[str, Any]:
        if member is None:
            return {}
        return {"staff": self._vault.pseudonym("staff", member.id), "role": member.role}

    def _noted(self, member: StaffMember) -> Any:
        facts = {**self._who(member), "act": Act.SETTLE.value}
        return refusals_noted(self._grounds, "request:person:refused", facts)
