"""Outgoing: opens one address for one message at the moment it leaves, through `use` like everybody else (T1, C3)."""

from collections.abc import Awaitable, Callable, Mapping

from omonat.base import errors
from omonat.base.instants import SECOND
from omonat.base.verdict import Reason
from omonat.flows.law import Law
from omonat.flows.send import Allowed, Refused
from omonat.flows.use import Credential, Use, UseRequest
from omonat.policy.prose_changes import briefly, told
from omonat.promises.messages import PurposeFacts, Recipient, Value, Waiting
from omonat.vault.vault import Vault

_NAME = "contact.name"
_CHANGES_IN_A_LETTER = 12
"""More of them are counted; the page has them all."""


Words = Mapping[str, Callable[[Waiting], Awaitable[Mapping[str, Value]]]]
"""Who has the words of a template, where they are no policy's."""


class Outgoing:
    """The outbox's own actor: the role `system`, under the purpose of each message."""

    def __init__(
        self,
        use: Use,
        law: Law,
        vault: Vault,
        credential: Callable[[], Awaitable[Credential]],
        words: Words,
    ) -> None:
        self._use = use
        self._law = law
        self._vault = vault
        self._credential = credential
        self._words = words

    async def open_channel(
        self,
        *,
        person: str,
        purpose: str,
        channel_item: str,
        with_name: bool,
        case: str | None,
        carrier: str,
    ) -> Allowed | Refused:
        """The address, or why the carrier may not have it. Raises Unavailable: then nothing was opened."""
        policy = await self._law.current()
        known = policy.purposes.get(purpose)
        greets = with_name and known is not None and _NAME in known.items
        request = UseRequest(
            credential=await self._credential(),
            purpose=purpose,
            person=person,
            case=case,
            items=(channel_item, _NAME) if greets else (channel_item,),
            recipient=carrier,
        )
        try:
            answer = await self._use(request)
        except errors.Refused as error:
            return Refused((Reason(error.code, "", error.about),))
        except errors.BadInput as error:
            return Refused((Reason(error.code, "", error.about),))
        if channel_item not in answer.items:
            return Refused((answer.withheld[channel_item],))
        return Allowed(answer.items[channel_item], answer.items.get(_NAME))

    async def digest_of(self, item: str, address: str) -> bytes:
        """The look-up digest of an address that was opened: which of a person's addresses it is."""
        policy = await self._law.current()
        return self._vault.lookup_digest(item, policy.normalise(item, address).lookup or "")

    async def purpose(self, purpose: str) -> PurposeFacts | None:
        """What the policy in force says of a purpose's messages, or None when it has no such purpose."""
        known = (await self._law.current()).purposes.get(purpose)
        if known is None:
            return None
        return PurposeFacts(
            sends=known.messages.value,
            basis=known.basis.value,
            channels=frozenset(channel.value for channel in known.channels),
        )

    async def recipients(self) -> Mapping[str, Recipient]:
        """The recipients the policy in force registers."""
        policy = (await self._law.current()).policy
        return {
            recipient.id: Recipient(recipient.id, frozenset(recipient.purposes), frozenset(recipient.items))
            for recipient in policy.recipients.values()
        }

    async def worded(self, message: Waiting) -> Mapping[str, Value]:
        """The words a template gets from those who have them (`words`); else what is new between the two versions a
        notice names (P2). Raises BadInput."""
        if message.template in self._words:
            return await self._words[message.template](message)
        await self._law.known()
        old, new = (self._law.version(str(message.facts[name])) for name in ("since", "version"))
        if old is None or new is None:
            raise errors.BadInput("version-unknown")
        found = told(old, new, message.language)
        return {
            "text": briefly(found, message.language, _CHANGES_IN_A_LETTER),
            "agree": int(any(one.change.agree for one in found)),
            "effective": new.policy.effective // SECOND,
        }
