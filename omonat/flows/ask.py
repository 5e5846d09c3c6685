"""Ask: anybody complains or asks about data, with or without an account, and gets a number and a deadline (A2, Q2).

1. The text, and a name and a phone or e-mail where given, are collected for the service that answers such requests:
   sealed, kept and deleted like everything else. One transaction writes them, the request, its entries and the letter.
2. Without an account they belong to somebody new: who merely types a phone changes nothing for whoever has it. The
   channel isn't even made findable, so nobody's sign-in begins to ask for a second proof.
3. Whose data a correction is about is who asked signed in, or the one person whom the channel alone would let in; it
   follows once the channel is proved, and is asked again when the correction is made. A value lies sealed meanwhile.
4. What shows or changes data waits until the channel is proved with a code, five tries, within the hour; or, where it
   came as a letter, with the link in ours, within three days.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import randbelow
from typing import Any

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import HOUR, MINUTE, SECOND, Instant
from omonat.base.verdict import Allow
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.admitting import Facts
from omonat.flows.asked import MAILBOX, NewRequest, RequestReceipt, items_of
from omonat.flows.clients import Client, require_client
from omonat.flows.collecting import OvertakenError, Writing
from omonat.flows.correcting import AGES, normal_value
from omonat.flows.grounds import Also, Grounds
from omonat.flows.handed_in import CollectRequest, Parsed, parse
from omonat.flows.letter_links import confirm_link, read_confirm_link
from omonat.flows.reckon import note_moved
from omonat.flows.refusals import refusals_noted
from omonat.flows.requesting import (
    CHANNELS,
    channel_context,
    code_of,
    count,
    deadline_for,
    entry_about,
    is_code_of,
    locked_request,
    new_number,
    proposed_context,
    queries,
    require,
    sole_owner,
    standing_of,
    tidy,
    write_to,
)
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import normalise
from omonat.promises.accuracy.rule import may_be_said
from omonat.promises.collection.rule import decide_collection
from omonat.promises.requests.facts import EMAIL, MOBILE, NATURES, Act, Kind, State
from omonat.promises.requests.rule import decide_act

_collecting = load("omonat.flows", "collect.sql")
_cases = load("omonat.promises.cases")
_PROOF_LIFE = HOUR
_PROOFS_AN_HOUR = 5
_FROM_ONE_ADDRESS = 20
_TO_ONE_CHANNEL = 5
_OF_ONE_PERSON = 10


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, ready to be written."""

    request: NewRequest
    policy: CompiledPolicy
    number: str
    case: str
    parsed: Parsed
    due: Instant
    channel: str | None
    about: str | None
    proves: str
    now: Instant


class Ask:
    """The flow, put together once per process."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vault = grounds.vault

    async def __call__(self, request: NewRequest, also: Also[RequestReceipt] | None = None) -> RequestReceipt:
        """Take in one request.

        Raises BadInput for what can't be read (a card number in the text is refused like anywhere, D2), Refused.
        """
        facts = {"client": request.credential.client, "kind": request.kind.value}
        noted = (
            refusals_noted(self._grounds, "request:person:refused", facts) if request.door == "api" else nullcontext()
        )
        async with noted:
            return await self._take_in(request, also)

    async def _take_in(self, request: NewRequest, also: Also[RequestReceipt] | None) -> RequestReceipt:
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            await require_client(connection, request.credential, now)  # before anything is counted for anybody
        _readable(policy, request)
        channel, about, proves = await self._channel(policy, request, now)
        if request.person is None and NATURES[request.kind].needs_proof and channel is None:
            raise BadInput("request-contact-needed")
        number, nature = new_number(), NATURES[request.kind]
        case = f"{policy.service(nature.service).case}:{number}"
        wanted = CollectRequest(
            credential=request.credential, service=nature.service, items=items_of(request, channel),
            version=policy.version, consents={}, person=request.person, case=case, language=request.language,
        )  # fmt: skip
        parsed = replace(parse(policy, wanted, self._vault, policy), lookups={})  # 2
        due = await deadline_for(self._grounds, policy, request.kind, now)
        try:
            return await self._write(
                _Asked(request, policy, number, case, parsed, due, channel, about, proves, now), also
            )
        except OvertakenError as closed:
            raise Refused("person-unknown") from closed
        except asyncpg.UniqueViolationError as twice:
            if twice.constraint_name != "requests_form_key":
                raise
            raise Refused("request-sent-before") from twice

    async def _channel(
        self, policy: CompiledPolicy, request: NewRequest, now: Instant
    ) -> tuple[str | None, str | None, str]:
        """The item that holds the address to answer to, whose data a correction would be about, and the channel by
        which that is told, as it is looked up ("": by none).

        Raises BadInput for what is neither phone nor e-mail, Refused where too much was asked from one address, for one
        channel or by one person."""
        if (
            request.caller
            and await count(self._grounds, f"requests-from:{request.caller}", HOUR, now) > _FROM_ONE_ADDRESS
        ):
            raise Refused("too-many-requests")
        if request.person is not None:
            whose = f"requests-of:{request.person}"
            if request.found_by is not None:
                whose = f"findings-of:{request.found_by.id}"
            if await count(self._grounds, whose, HOUR, now) > _OF_ONE_PERSON:
                raise Refused("too-many-requests")
            return await self._of_account(request.person), request.person, ""
        if not request.contact.strip():
            return None, None, ""
        item = EMAIL if "@" in request.contact else MOBILE
        normal = normalise(policy.item(item).kind, request.contact.strip(), country=policy.policy.controller.country)
        digests = self._vault.lookup_digests(item, normal.lookup or "")
        if await count(self._grounds, f"requests-to:{digests[0].hex()}", HOUR, now) > _TO_ONE_CHANNEL:
            raise Refused("too-many-requests")
        if request.kind is not Kind.CORRECTION:
            return item, None, ""
        async with self._grounds.database.connection() as connection:
            about = await sole_owner(connection, item, digests, now)
        return item, about, (normal.lookup or "") if about is not None else ""

    async def _of_account(self, person: str) -> str | None:
        """How a known person is answered. Raises Refused `person-restricted`: nobody could read what they ask; without
        the account it can be read."""
        async with self._grounds.database.connection() as connection:
            if await queries.restricted(connection, person=person):
                raise Refused("person-restricted")
            rows = queries.channels_of(connection, person=person, items=sorted(CHANNELS))
            found = [row["item"] async for row in rows]
        return found[0] if found else None

    async def _write(self, asked: _Asked, also: Also[RequestReceipt] | None) -> RequestReceipt:
        now, nature = asked.now, NATURES[asked.request.kind]
        writing = Writing(self._vault, now)
        async with self._grounds.database.transaction() as connection:
            client = await require_client(connection, asked.request.credential, now)
            facts = await self._facts(connection, asked, client, writing)
            verdict = decide_collection(
                form=asked.parsed.form, service=nature.service, source=facts.source or "",
                items=asked.parsed.values.keys(), consents={}, live_consents=(),
            )  # fmt: skip
            require(verdict)
            writing.add(asked.parsed, facts)
            await writing.write(connection, _collecting)
            ((person, _),) = writing.written
            proved = asked.request.person is not None or asked.request.proved
            waits = nature.needs_proof and not proved
            by_link = waits and asked.request.door == MAILBOX
            code = f"{randbelow(1_000_000):06d}" if waits and not by_link else None
            await queries.insert_request(
                connection, number=asked.number, case_id=asked.case, kind=asked.request.kind.value,
                state=(State.CONFIRMED if proved and nature.needs_proof else State.RECEIVED).value,
                door=asked.request.door, form=self._form(asked.request.form), channel=asked.channel,
                needs_proof=nature.needs_proof,
                proved_at=now if proved else None, proof=self._proof(asked.number, code) if code else None,
                proof_until=Instant(now + _PROOF_LIFE) if code else None, now=now, due_at=asked.due,
                about=asked.about if asked.request.kind is Kind.CORRECTION else None, item=asked.request.item or None,
                proposed=self._sealed(proposed_context(asked.number), asked.request.value, writing.people[person].slot),
                proved_channel=self._sealed(channel_context(asked.number), asked.proves, writing.people[person].slot),
            )  # fmt: skip
            if asked.request.kind is Kind.COMPLAINT:
                await _cases.note_anchor(connection, id=asked.case, name="last-complaint", at=now)
                await note_moved(connection, "case", [asked.case], now)
            reach("request.written")
            row = {
                "kind": asked.request.kind.value, "case_id": asked.case, "person": person, "channel": asked.channel,
                "slot": writing.people[person].slot, "evidence_slot": writing.people[person].evidence_slot,
                "language": asked.request.language, "due_at": asked.due,
            }  # fmt: skip
            told = {"door": asked.request.door, "due": asked.due, "policy": asked.policy.digest, "client": client.id}
            entries = [*writing.entries, self._noted(asked.request, row, told, now)]
            *_, receipt = await self._grounds.journal.append(connection, entries, now=now)
            if by_link:
                await self._send_link(connection, row, asked.number, now)
            elif asked.request.found_by is None:  # else nobody asked: it stands in their center, a letter tells the end
                await self._tell(connection, row, asked.number, code, now)
            answer = RequestReceipt(
                number=asked.number, code=code_of(self._vault, asked.number), kind=asked.request.kind,
                received_at=now, due_at=asked.due, waits_for_proof=waits, receipt=receipt,
            )  # fmt: skip
            if also is not None:
                await also(connection, answer)
            reach("request.recorded")
        reach("request.committed")
        return answer

    def _noted(self, request: NewRequest, row: Mapping[str, Any], told: Mapping[str, Any], now: Instant) -> Entry:
        """The entry of a request, or of what staff found, with who they are by pseudonym."""
        more: dict[str, Any] = {**told, **({"item": request.item} if request.item else {})}
        if request.found_by is None:
            return entry_about(self._vault, "received", row, now, **more)
        by = {"staff": self._vault.pseudonym("staff", request.found_by.id), "role": request.found_by.role}
        return entry_about(self._vault, "found", row, now, **more, **by)

    def _sealed(self, context: str, value: str, slot: int) -> bytes | None:
        """What was given, under the key of whom the case is tied to; None for nothing."""
        return self._vault.seal_value(context, value.strip().encode(), slot=slot) if value.strip() else None

    async def _facts(self, connection: Any, asked: _Asked, client: Client, writing: Writing) -> Facts:
        """What `collect` would have read: nothing is there yet but, perhaps, the person."""
        person, standing = asked.request.person, None
        if person is not None:
            rows = [row async for row in _collecting.lock_persons(connection, ids=[person])]
            if not rows or rows[0]["closed"]:
                raise Refused("person-unknown")
            writing.meet(rows[0])
            standing = rows[0]["standing"]
        source = client.source if asked.request.door == "api" else asked.request.door
        return Facts(
            ordinal=asked.policy.ordinal, client_secret=None, source=source, client_roles=client.roles,
            client_until=FOREVER, person=person, blocked="", standing=standing, case=None, case_kind=None,
            case_person=None, case_closed=None, case_opened=None, answered_request=None, answer=None,
        )  # fmt: skip

    async def _tell(self, connection: Any, row: Mapping[str, Any], number: str, code: str | None, now: Instant) -> None:
        if code is not None:
            params: dict[str, str | int] = {"request": number, "minutes": _PROOF_LIFE // MINUTE, "code": code}
            await write_to(connection, self._vault, row, "request-code", params=params, now=now)
            return
        params = {"request": number, "due": row["due_at"] // SECOND, "code": code_of(self._vault, number)}
        await write_to(connection, self._vault, row, "request-received", params=params, now=now)

    async def _send_link(self, connection: Any, row: Mapping[str, Any], number: str, now: Instant) -> None:
        params: dict[str, str | int] = {"request": number, "link": confirm_link(self._vault, number)}
        await write_to(connection, self._vault, row, "request-confirm", params=params, now=now)

    # Proving the channel ---------------------------------------------------------------------------------------------

    async def confirm(self, number: str, code: str, typed: str) -> None:
        """Prove the channel with the code sent there. Raises Refused `code-wrong` for a wrong, used or ended one."""
        number, now = tidy(number), self._grounds.clock()
        if not is_code_of(self._vault, number, code):
            raise Refused("request-unknown")
        async with self._grounds.database.connection() as connection:
            tried = await queries.try_proof(connection, number=number, proof=self._proof(number, tidy(typed)), now=now)
        reach("request.tried")
        if tried is None or not tried["right"]:
            raise Refused("code-wrong")
        await self._confirm(number, now)

    async def linked(self, token: str) -> tuple[Kind, bool]:
        """What the link in a letter confirms, and whether that is still to be done. Raises Refused `letter-link-over`
        for one that came too late, and for what is no link of ours."""
        number, now = read_confirm_link(self._vault, token), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            row = None if number is None else await queries.request_by_number(connection, number=number)
        if row is None or row["slot"] is None:
            raise Refused("letter-link-over")
        waits = isinstance(decide_act(standing_of(row), Act.CONFIRM, by=None, now=now), Allow)
        if not waits and row["proved_at"] is None:
            raise Refused("letter-link-over")
        return Kind(row["kind"]), waits

    async def confirm_by_link(self, token: str) -> None:
        """Prove the channel with the link sent there; it does so once. Raises Refused."""
        number = read_confirm_link(self._vault, token)
        if number is None:
            raise Refused("letter-link-over")
        await self._confirm(number, self._grounds.clock())

    async def _confirm(self, number: str, now: Instant) -> None:
        async with self._grounds.database.transaction() as connection:
            row = await locked_request(connection, number)
            if row is None or row["slot"] is None:
                raise Refused("request-unknown")
            require(decide_act(standing_of(row), Act.CONFIRM, by=None, now=now))
            await queries.confirm(connection, number=number, now=now)
            confirmed = entry_about(self._vault, "confirmed", row, now, channel=row["channel"])
            await self._grounds.journal.append(connection, [confirmed], now=now)
            await self._tell(connection, row, number, None, now)
            reach("request.confirmed")

    async def send_again(self, number: str, code: str) -> None:
        """Another code to the same channel; the one before opens nothing any more. Raises Refused."""
        number, now = tidy(number), self._grounds.clock()
        if not is_code_of(self._vault, number, code):
            raise Refused("request-unknown")
        if await count(self._grounds, f"request-codes:{number}", HOUR, now) > _PROOFS_AN_HOUR:
            raise Refused("too-many-codes")
        async with self._grounds.database.transaction() as connection:
            row = await locked_request(connection, number)
            if row is None or row["slot"] is None:
                raise Refused("request-unknown")
            require(decide_act(standing_of(row), Act.CONFIRM, by=None, now=now))
            proof = f"{randbelow(1_000_000):06d}"
            until = Instant(now + _PROOF_LIFE)
            await queries.new_proof(connection, number=number, proof=self._proof(number, proof), until=until)
            await self._tell(connection, row, number, proof, now)
            reach("request.code-renewed")

    def _form(self, name: str) -> bytes | None:
        return self._vault.keyed_digest("request-form", name.encode()) if name else None

    def _proof(self, number: str, code: str) -> bytes:
        return self._vault.keyed_digest("request-proof", sha256(f"{number}:{code}".encode()).digest())


def _readable(policy: CompiledPolicy, request: NewRequest) -> None:
    """Whether what is to be put right can be at all, and the value can be read. Raises BadInput, Refused."""
    if not request.item:
        if request.value.strip():
            raise BadInput("correction-item-needed")
        return
    group = policy.policy.categories[policy.item(request.item).id.partition(".")[0]].group or ""
    an_age = policy.item(request.item).kind in AGES
    if request.kind is not Kind.CORRECTION or an_age or not may_be_said(policy.item(request.item), group):
        raise Refused("correction-not-here", item=request.item)
    if request.value.strip():
        try:
            normal_value(policy, request.item, request.value)
        except BadInput as error:
            raise BadInput(error.code, **{**error.about, "item": request.item, "of": "value"}) from None
