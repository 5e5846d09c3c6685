"""What flow `send` asks, answered by the house: the address through `use`, the rules by the law in force."""

from collections.abc import Mapping

from omonat.base.codes import registry
from omonat.base.errors import BadInput
from omonat.base.errors import Refused as RefusedError
from omonat.base.verdict import Reason
from omonat.flows.law import Law
from omonat.flows.send import Allowed, Refused
from omonat.flows.use import Credential, Use, UseRequest
from omonat.promises.messages import PurposeFacts, Recipient


class ChannelByUse:
    """Opens an address as any other use is opened: decided, counted, evidenced, for one purpose.

    `credential` is the mail door's own client; its role is the one the policy names for the purposes that send.
    `name_item` is asked for only where the letter greets and the purpose may use it.
    """

    def __init__(self, use: Use, law: Law, credential: Credential, *, name_item: str = "contact.name") -> None:
        self._use = use
        self._law = law
        self._credential = credential
        self._name_item = name_item

    async def __call__(
        self, *, person: str, purpose: str, channel_item: str, with_name: bool, case: str | None
    ) -> Allowed | Refused:
        """The address, or every reason against it. Raises Unavailable: nothing was opened."""
        named = with_name and await self._may_name(purpose)
        items = (channel_item, self._name_item) if named else (channel_item,)
        request = UseRequest(credential=self._credential, purpose=purpose, person=person, case=case, items=items)
        try:
            answer = await self._use(request)
        except (RefusedError, BadInput) as error:
            known = registry().get(error.code)
            return Refused((Reason(error.code, known.promise if known else "", error.about),))
        address = answer.items.get(channel_item)
        if not isinstance(address, str):
            return Refused((answer.withheld.get(channel_item, Reason("not-held", "L1", {"item": channel_item})),))
        name = answer.items.get(self._name_item)
        return Allowed(address, name if isinstance(name, str) else None)

    async def _may_name(self, purpose: str) -> bool:
        known = (await self._law.current()).purposes.get(purpose)
        return known is not None and self._name_item in (*known.needs, *known.may_use)


class RulesByLaw:
    """The messages' rules as the policy in force has them."""

    def __init__(self, law: Law) -> None:
        self._law = law

    async def purpose(self, purpose: str) -> PurposeFacts | None:
        """What the policy says about a purpose's messages; None for a purpose it doesn't know."""
        known = (await self._law.current()).purposes.get(purpose)
        if known is None:
            return None
        channels = frozenset(channel.value for channel in known.channels)
        return PurposeFacts(known.messages.value, known.basis.value, channels)

    async def recipients(self) -> Mapping[str, Recipient]:
        """The recipients the policy registers, with their purposes and items (T1)."""
        policy = (await self._law.current()).policy
        return {
            known.id: Recipient(known.id, frozenset(known.purposes), frozenset(known.items))
            for known in policy.recipients.values()
        }
