"""Notify: a source system asks that a person be written to. It names neither address nor words: only whom, what about
and through which channel (N2, U3). The message waits in the outbox and is asked once more at the moment it leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.refusals import refusals_noted
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.messages import Channel, Message, Value, put
from omonat.vault.vault import Vault

_people = load("omonat.promises.identity")
_ADDRESSES = {Channel.SMS: "contact.mobile", Channel.EMAIL: "contact.email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What to tell. `params` are those the template declares; `once` makes saying it again do nothing."""

    credential: Credential
    person: str
    template: str
    purpose: str
    channel: Channel
    params: Mapping[str, Value] = field(default_factory=dict)
    case: str | None = None
    language: str | None = None
    once: str | None = None


class Notify:
    """The flow of asking for a message."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    async def __call__(self, wanted: Notification, also: Also[Receipt] | None = None) -> Receipt:
        """Put the message into the outbox. Raises BadInput for a wrong template or parameters, Refused."""
        policy = await self._grounds.law.current()
        policy.purpose(wanted.purpose)
        facts = {
            "policy": policy.digest,
            "purpose": wanted.purpose,
            "channel": wanted.channel.value,
            "client": wanted.credential.client,
        }
        async with refusals_noted(self._grounds, "message:person:refused", facts):
            return await self._put(wanted, policy, facts, also)

    async def _put(
        self, wanted: Notification, policy: CompiledPolicy, about: Mapping[str, str], also: Also[Receipt] | None
    ) -> Receipt:
        entry, now = new_id("ev"), self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            client = await require_client(connection, wanted.credential, now)
            if not set(client.roles) & set(policy.purposes[wanted.purpose].roles):
                raise Refused("role-unclear")
            person = await _people.person_to_write_to(connection, id=wanted.person)
            if person is None:
                raise Refused("person-unknown")
            message = Message(
                person=wanted.person,
                template=wanted.template,
                purpose=wanted.purpose,
                channel=wanted.channel,
                address_item=_ADDRESSES[wanted.channel],
                language=wanted.language or person["language"],
                params=wanted.params,
                case=wanted.case,
                once=wanted.once,
            )
            await put(connection, message, seal=partial(_seal, self._grounds.vault, person["slot"]), now=now)
            reach("notify.written")
            facts = {
                **about,
                "template": wanted.template,
                "person": self._grounds.vault.commitment(
                    evidence_slot=person["evidence_slot"], entry=entry, field="person", value=wanted.person
                ),
            }
            asked = Entry(entry, now, "message:person:asked", facts, (wanted.person,))
            (receipt,) = await self._grounds.journal.append(connection, [asked], now=now)
            if also is not None:
                await also(connection, receipt)
            reach("notify.recorded")
        reach("notify.committed")
        return receipt


def _seal(vault: Vault, slot: int, context: str, plaintext: bytes) -> bytes:
    return vault.seal_value(context, plaintext, slot=slot)
