"""What the flows of requests and complaints share: numbers and codes, standing, entries, letters."""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from hmac import compare_digest
from secrets import choice
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Verdict
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.sign_in import opens
from omonat.flows.work import open_work_item
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds.guard import refuse_in_reference
from omonat.promises.messages import Channel, Message, Value, put
from omonat.promises.requests.facts import EMAIL, MOBILE, NATURES, PURPOSE, Kind, Settled, Standing, State
from omonat.promises.requests.rule import due_at
from omonat.vault.vault import Vault

queries = load("omonat.promises.requests")
_identity = load("omonat.promises.identity")
CHANNELS = {EMAIL: Channel.EMAIL, MOBILE: Channel.SMS}
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ"
_ALPHABET = _LETTERS + "23456789"
_LENGTH = 10
_LOOKALIKES = str.maketrans("018", "OIB")
"""Digits that a code never has, and the letters they are taken for."""


def new_number() -> str:
    """Ten letters and digits, 48 random bits: a name for a request that nobody comes upon by counting. It opens nothing
    without its code."""
    while True:
        number = choice(_LETTERS) + "".join(choice(_ALPHABET) for _ in range(_LENGTH - 1))
        try:
            refuse_in_reference(number)
        except BadInput:  # it happens to look like a card's code
            continue
        return number


def tidy(typed: str) -> str:
    """A number or code as it was printed, however it was typed."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())[:40]


def code_of(vault: Vault, number: str) -> str:
    """The secret beside the number, 80 bits: made from it under a key of the vault, and stored nowhere."""
    return b32encode(vault.keyed_digest("request-code", number.encode())[:10]).decode()


def is_code_of(vault: Vault, number: str, code: str) -> bool:
    """Whether this is the number's code; the same work for a number that nobody was given."""
    typed = tidy(code).translate(_LOOKALIKES)
    return compare_digest(code_of(vault, number).encode(), typed.encode("utf-8"))


async def locked_request(connection: Any, number: str) -> Any:
    """A request under lock, and before it whoever its case is of; None when there is none.

    In this order, as erasing and correcting take them: two that waited for each other would both have to begin anew.
    Those have whom the request is about by then, and lock it alone; so does an escalation, which takes nobody after.
    """
    await queries.lock_person_of(connection, number=number)
    return await queries.request_for_update(connection, number=number)


async def count(grounds: Grounds, key: str, window: int, now: Instant) -> int:
    """One more of something within a window (microseconds); only a keyed digest of its name is kept."""
    digest = grounds.vault.keyed_digest("rate", key.encode())
    async with grounds.database.connection() as connection:
        taken: int = await _identity.count_rate(connection, key=digest, window=timedelta(microseconds=window), now=now)
    return taken


def proposed_context(number: str) -> str:
    """Under which a value that is to be put right is sealed: bound to its request."""
    return f"request-proposed:{number}"


def channel_context(number: str) -> str:
    """Under which the channel that was proved for a request is sealed: bound to it."""
    return f"request-channel:{number}"


async def sole_owner(connection: Any, item: str, digests: Sequence[bytes], now: Instant) -> str | None:
    """Whom this channel alone would let in, if nobody else has it: as for signing in. None: nobody, or several.

    The digests are one channel's, under every look-up key there is."""
    people = [row async for row in _identity.persons_by_lookup(connection, digests=digests, item=item)]
    return str(people[0]["id"]) if len(people) == 1 and opens(people[0], now) else None


def standing_of(row: Any) -> Standing:
    """A row of requests, as the rules see it."""
    return Standing(
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        needs_proof=row["needs_proof"],
        proved=row["proved_at"] is not None,
        claimed_by=row["claimed_by"],
        received_at=row["received_at"],
        answered_at=row["answered_at"],
        letter_waits=row["letter_waits"],
        settled=Settled(row["settled"]) if row["settled"] else None,
    )


def require(verdict: Verdict) -> None:
    """Raises Refused unless allowed."""
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)


async def deadline_for(grounds: Grounds, policy: CompiledPolicy, kind: Kind, now: Instant) -> Instant:
    """When a request received now is due. Raises Refused, and leaves a work item, where the law packs don't say."""
    due = due_at(policy.deadline(NATURES[kind].deadline), now, policy.zone)
    if isinstance(due, CannotTell):
        name = f"deadline-{NATURES[kind].deadline}"
        await open_work_item(grounds.database, rule="request", person=None, missing=name, now=now)
        raise Refused("request-deadline-unknown")
    return due


def entry_about(vault: Vault, act: str, row: Mapping[str, Any], now: Instant, **facts: Any) -> Entry:
    """An entry about a request: its kind in the clear, its case and its person as commitments."""
    entry = new_id("ev")
    said: dict[str, Any] = {"kind": row["kind"], **facts}
    subjects: tuple[str, ...] = ()
    if row["person"] is not None and row["evidence_slot"] is not None:
        for field, value in (("case", row["case_id"]), ("person", row["person"])):
            said[field] = vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field=field, value=value)
        subjects = (row["person"],)
    return Entry(entry, now, f"request:person:{act}", said, subjects)


async def write_to(
    connection: Any, vault: Vault, row: Mapping[str, Any], template: str, *, params: Mapping[str, Value], now: Instant
) -> None:
    """Tell whoever asked, where they left an address (U3); `row` names case, person, slot, language, channel."""
    channel = row["channel"]
    if channel is None or row["person"] is None:
        return
    message = Message(
        person=row["person"], template=template, purpose=PURPOSE, channel=CHANNELS[channel], address_item=channel,
        language=row["language"], params=params, case=row["case_id"],
    )  # fmt: skip
    await put(connection, message, seal=partial(vault.seal_value, slot=row["slot"]), now=now)
