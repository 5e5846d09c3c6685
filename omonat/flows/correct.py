"""Correct: a person puts right what is held about them (Q1, Q2).

1. the rule: only what people say of themselves, and not what a duty or a hold keeps as it was (a work item then)
2. a new phone or e-mail counts only once the code that went there is typed, and one more that went to the channel the
   person proved last: an open browser is not its owner, and whoever owns the channel could delete everything
3. the value is replaced in each record where the same one stands and that may be changed; each record gets a new key,
   and the old ones are destroyed in the stages of an erasure (`inaccurate`), so that the wrong value opens nowhere
4. one that a request asks for is made at the Desk, or by whoever asked once they typed the code: it and the request are
   written in one transaction, and the evidence says which request it answers
5. recipients outside who got it are told (`tell_recipients`), and its age begins anew (`remind`)
6. systems that hold the item are told that their copy is to go; the evidence names the item, never a value

Between the codes the browser keeps what was typed, sealed by the vault for this person: nothing of it lies here.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import MINUTE, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Verdict
from omonat.database.statements import load
from omonat.flows.children import Children
from omonat.flows.confirm import CHANNELS, Confirm
from omonat.flows.correcting import AGES, NEWEST, Asked, Pending, Place, Still, normal_value, verdict_on
from omonat.flows.erase import Erase
from omonat.flows.grounds import Grounds
from omonat.flows.images import close_images, seal_if_young
from omonat.flows.judging import Judge, in_force, read_around
from omonat.flows.removing import Removal
from omonat.flows.systems import tell_of_records
from omonat.flows.work import open_work_item
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import Normalised, age_signal
from omonat.promises.children.rule import decide_age

_queries = load("omonat.promises.retention")
_accuracy = load("omonat.promises.accuracy")
_CONTEXT: Final = "correction"
_LIFE: Final = 10 * MINUTE


class Correct:
    """The flow of correction."""

    def __init__(self, grounds: Grounds, erase: Erase, confirm: Confirm, children: Children) -> None:
        self._grounds = grounds
        self._children = children
        self._erase = erase
        self._confirm = confirm
        self._vault = grounds.vault

    async def by_guardian(self, person: str, record: str, item: str, typed: str, still: Still) -> None:
        """Correct in the child's place (K3). Whether the guardian may is the caller's to know; `still` asks it again in
        the transaction. Not what the child signs in with, and not an age: the consent rests on it.

        Raises as `begin`, Refused `correction-not-a-guardians`.
        """
        policy = await self._grounds.law.current()
        if not is_a_guardians(policy, item):
            raise Refused("correction-not-a-guardians")
        normal = await self._read(policy, person, item, typed)
        await self._make(policy, person, record, item, normal, still=still)

    async def read(self, item: str, typed: str) -> str:
        """A value to be put right, as it will be kept, or as it was typed where it has no text form; nothing is
        written. Raises BadInput for what can't be read, Refused for an age: only their own word counts there."""
        policy = await self._grounds.law.current()
        if policy.item(item).kind in AGES:
            raise Refused("correction-not-here", item=item)
        value = normal_value(policy, item, typed).value
        return value if isinstance(value, str) else typed

    async def by_request(self, person: str, item: str, typed: str, asked: Asked) -> None:
        """Correct what a request asks for, in each record where the newest value stands and may be changed.

        A new channel only after its code: `begin` and `enter`. Raises as they do, Refused `correction-must-stay`,
        `correction-not-held`; `correction-not-here` for an age, which is never typed for somebody.
        """
        policy = await self._grounds.law.current()
        if item in CHANNELS:
            raise Refused("code-wrong")
        if policy.item(item).kind in AGES:
            raise Refused("correction-not-here", item=item)
        normal = await self._read(policy, person, item, typed)
        await self._make(policy, person, NEWEST, item, normal, asked=asked)

    async def begin(self, person: str, record: str, item: str, typed: str, *, language: str) -> str | None:
        """Correct at once (None), or send a code to the new channel and give back what the browser keeps meanwhile.

        Raises BadInput for what can't be read, `correction-same`; Refused by the rule, `child`, `too-many-codes`.
        """
        policy = await self._grounds.law.current()
        normal = await self._read(policy, person, item, typed)
        if item not in CHANNELS:
            await self._make(policy, person, record, item, normal)
            return None
        await self._look(policy, person, record, item)
        pending = Pending(
            person=person, record=record, item=item, value=str(normal.value), ticket="",
            until=Instant(self._grounds.clock() + _LIFE),
        )  # fmt: skip
        digest = self._vault.lookup_digest(item, normal.lookup or "")
        ticket = await self._confirm.ask_new(pending.act, item, pending.value, digest, language=language)
        return self._keep(msgspec.structs.replace(pending, ticket=ticket))

    async def enter(
        self, person: str, kept: str, code: str, *, language: str, asked: Asked | None = None
    ) -> str | None:
        """Try a code: None once it is corrected, else what the browser keeps for the second code. For a request whose
        channel was proved there is no second one: that was it.

        Raises Refused `code-wrong`, `correction-begin-again`, `channel-unknown` where no second proof is possible.
        """
        pending = self.pending(person, kept)
        await self._confirm.enter(pending.ticket, pending.act, code)
        policy = await self._grounds.law.current()
        normal = await self._read(policy, person, pending.item, pending.value)
        if not pending.proved and not (asked is not None and asked.proved):
            second = msgspec.structs.replace(pending, proved=True, until=Instant(self._grounds.clock() + _LIFE))
            known = await self._confirm.proved_last(person)
            ticket = await self._confirm.ask(second.act, known, language=language)
            return self._keep(msgspec.structs.replace(second, ticket=ticket, asked=known))
        await self._make(policy, person, pending.record, pending.item, normal, asked=asked)
        return None

    def pending(self, person: str, kept: str) -> Pending:
        """What this browser keeps, if it is this person's and not over. Raises Refused `correction-begin-again`."""
        try:
            found = msgspec.json.decode(self._vault.open_value(_CONTEXT, urlsafe_b64decode(kept)), type=Pending)
        except (ValueError, OmonatError):
            raise Refused("correction-begin-again") from None
        if found.person != person or found.until <= self._grounds.clock():
            raise Refused("correction-begin-again")
        return found

    def _keep(self, pending: Pending) -> str:
        return urlsafe_b64encode(self._vault.seal_value(_CONTEXT, msgspec.json.encode(pending))).decode()

    async def _read(self, policy: CompiledPolicy, person: str, item: str, typed: str) -> Normalised:
        normal = normal_value(policy, item, typed)
        age = age_signal(policy.item(item).kind, normal.value)
        if age is not None:
            today = policy.today(self._grounds.clock())
            young = decide_age([age], under=policy.child_under, today=today)
            if isinstance(young, Deny):  # a child says so: closed as by any other signal, unless a parent agreed (K2)
                await self._children.signal(person, "birth-date", by="person")
                raise Refused(young.reasons[0].code)
            await self._close_images(policy, person, age)
        return normal

    async def _close_images(self, policy: CompiledPolicy, person: str, age: date | int) -> None:
        """Whoever says that they are so young is closed for images before it is written (G5)."""
        async with self._grounds.database.transaction() as connection:
            row = await self._confirm.person(connection, person)
            now = self._grounds.clock()
            sealed = seal_if_young(self._vault, policy, [age], now, person=person, slot=row["slot"])
            await close_images(connection, {} if sealed is None else {person: sealed})

    # The act ----------------------------------------------------------------------------------------------------

    async def look(self, person: str, record: str, item: str) -> None:
        """Whether this may be corrected here. Raises as `begin`; what nobody could decide is a work item by then."""
        policy = await self._grounds.law.current()
        policy.item(item)
        await self._look(policy, person, record, item)

    async def _look(self, policy: CompiledPolicy, person: str, record: str, item: str) -> None:
        """The rule, before a code is sent: nothing is opened for it."""
        if record == NEWEST:
            return  # which record it is shows once they are open
        now = self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            await self._confirm.person(connection, person)
            row = await _queries.person_to_plan(connection, id=person)
            found = await _queries.record_to_plan(connection, id=record)
            if found is None or found["person"] != person:
                raise Refused("record-unknown")
            around = await read_around(connection, [found], kept_still=False, person=row)
        await self._permit(verdict_on(policy, found, around, item, now), person, record, item)

    async def _permit(self, verdict: Verdict, person: str, record: str, item: str) -> None:
        if isinstance(verdict, Allow):
            return
        if isinstance(verdict, CannotTell):
            missing = f"{item} {record}"
            await open_work_item(
                self._grounds.database, rule="correction", person=person, missing=missing, now=self._grounds.clock()
            )
        raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)

    async def _make(
        self,
        policy: CompiledPolicy,
        person: str,
        record: str,
        item: str,
        normal: Normalised,
        *,
        still: Still | None = None,
        asked: Asked | None = None,
    ) -> None:
        await self._look(policy, person, record, item)
        with self._vault.openings.for_an_entry() as entry:
            async with self._grounds.database.transaction() as connection:
                await in_force(connection, policy)
                row = await _queries.person_for_erasure(connection, id=person)
                if asked is not None:  # after the lock: nobody's channel changes any more, and as in an erasure
                    await asked.before(connection)
                await self._confirm.person(connection, person)
                if still is not None:
                    await still(connection)
                category = [item.partition(".")[0]]
                records = [r async for r in _queries.records_with(connection, person=person, categories=category)]
                judge = Judge(self._grounds, policy, self._grounds.clock(), entry=entry)
                removal = Removal(self._grounds, policy, judge)
                around = await read_around(connection, records, kept_still=False, person=row)
                place = Place(policy, row, records, around, record, item)
                await self._replace(connection, removal, judge, place, normal)
                reach("correct.replaced")
                by = "person" if still is None else "guardian"
                erasure = await self._intend(connection, place, removal, judge, by=by, asked=asked)
                now = self._grounds.clock()
                await _accuracy.confirm_item(connection, person=person, item=item, at=now, now=now)
                await _accuracy.add_to_tell(connection, erasure=erasure, person=person, item=item, now=now)
                if asked is not None:
                    await asked.after(connection, entry)
                reach("correct.intended")
        await self._erase.stages.advance(erasure)

    async def _replace(
        self, connection: asyncpg.Connection, removal: Removal, judge: Judge, place: Place, normal: Normalised
    ) -> None:
        """Put the value in the place of the one that stands in the chosen record, wherever the same one stands."""
        category, _, name = place.item.partition(".")
        slot = place.person["slot"]
        opened = {
            record["id"]: judge.open(record, section, slot)
            for record in place.records
            if (section := place.section(record, category)) is not None
        }
        if place.record == NEWEST:
            place = place.at_newest(opened, name, normal.value, self._grounds.clock())
        old = opened.get(place.record, {}).get(name)
        if old is None:
            raise Refused("record-unknown")
        if old == normal.value:
            raise BadInput("correction-same")
        same = [record for record in place.records if opened.get(record["id"], {}).get(name) == old]
        changed = [record for record in same if place.may(record, self._grounds.clock())]
        if place.record not in {record["id"] for record in changed}:
            raise Refused("correction-to-be-looked-at", item=place.item)
        for record in changed:
            contents = {
                section["category"]: judge.open(record, section, slot)
                for section in place.around.sections[record["id"]]
                if section["category"] != category
            }
            contents[category] = {**opened[record["id"]], name: normal.value}
            removal.replace(record, place.person, contents, place.item)
        holding = [record["collected_at"] for record in place.records if name in opened.get(record["id"], ())]
        await self._be_found(connection, place, normal, changed=changed, newest=max(holding))
        await removal.write(connection, place.around)

    async def _be_found(
        self,
        connection: asyncpg.Connection,
        place: Place,
        normal: Normalised,
        *,
        changed: Sequence[Any],
        newest: Instant,
    ) -> None:
        """The new channel finds the person from now on; as the newest only where no newer record names another one."""
        if normal.lookup is None or not place.policy.item(place.item).lookup:
            return
        now, epoch = self._grounds.clock(), self._vault.lookup_epoch
        latest = max(record["collected_at"] for record in changed)
        await _queries.renew_lookups(
            connection, person=[place.person["id"]], item=[place.item], epoch=[epoch],
            digest=[self._vault.lookup_digest(place.item, normal.lookup, epoch=epoch)],
            since=[now if latest == newest else latest], verified_at=[now if place.item in CHANNELS else None],
        )  # fmt: skip

    async def _intend(
        self,
        connection: asyncpg.Connection,
        place: Place,
        removal: Removal,
        judge: Judge,
        *,
        by: str,
        asked: Asked | None = None,
    ) -> str:
        """The intent that destroys the old keys, with the evidence of the correction, and of the request it answers."""
        policy, person, item = place.policy, place.person, place.item
        now = self._grounds.clock()
        facts = {
            "policy": policy.digest, "person": person["evidence_slot"], "items": [item], "opened": judge.opened,
            "records": removal.counted, "proved": item in CHANNELS, "by": by,
        }  # fmt: skip
        if asked is not None:
            number = self._vault.commitment(
                evidence_slot=person["evidence_slot"], entry=judge.entry, field="request", value=asked.number
            )
            facts |= {**asked.facts, "request": number}
            by = asked.by
        erasure = await self._erase.stages.intend(
            connection, act="correction:item:made", facts=facts, subjects=(person["id"],), now=now, entry=judge.entry,
            scope="items", cause="inaccurate", person=person["id"], items=[item], asked_by=by,
            policy=policy.ordinal, counted=removal.counted, slots=removal.doomed,
            lookup_epoch=self._vault.lookup_epoch if policy.item(item).lookup else None,
        )  # fmt: skip
        await tell_of_records(connection, policy, erasure, removal.gone, now)
        return erasure


def is_a_guardians(policy: CompiledPolicy, item: str) -> bool:
    """Whether a guardian may put such an item right: not what the child signs in with, and no age."""
    return item not in CHANNELS and policy.item(item).kind not in AGES
