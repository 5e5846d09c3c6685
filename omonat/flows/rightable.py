"""What a request can put right, and whose it is: asked when it is looked at, and again under lock (Q1, Q2)."""

from collections.abc import Mapping
from typing import Any

from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.correcting import AGES
from omonat.flows.grounds import Grounds
from omonat.flows.requesting import channel_context, proposed_context, sole_owner
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.accuracy.rule import may_be_said
from omonat.promises.requests.facts import State
from omonat.promises.requests.rule import correctable
from omonat.vault.vault import Vault

_accuracy = load("omonat.promises.accuracy")


async def known(vault: Vault, connection: Any, row: Mapping[str, Any], now: Instant) -> bool:
    """Whether it is certain whose data it is: who asked was signed in, or the very channel they proved is still that
    person's and nobody else's."""
    if row["about"] is None or row["slot"] is None:
        return False
    if row["about"] == row["person"]:
        return True
    if row["channel"] is None or row["proved_at"] is None or row["proved_channel"] is None:
        return False
    proved = vault.open_value(channel_context(row["number"]), row["proved_channel"], slot=row["slot"]).decode()
    owner = await sole_owner(connection, row["channel"], vault.lookup_digests(row["channel"], proved), now)
    return owner is not None and owner == str(row["about"])


def proving(row: Mapping[str, Any]) -> bool:
    """Whether a new channel waits for its code: only while a member of staff has the request and nothing is settled."""
    in_hand = row["state"] == State.CLAIMED.value and row["settled"] is None
    return in_hand and row["proof_asked_at"] is not None and row["about"] is not None


def given(vault: Vault, row: Mapping[str, Any], item: str) -> str:
    """The sealed value that was given for this item. Raises Refused `correction-no-value`."""
    if row["proposed"] is None or row["item"] != item or row["slot"] is None:
        raise Refused("correction-no-value", item=item)
    return vault.open_value(proposed_context(row["number"]), row["proposed"], slot=row["slot"]).decode()


async def said_since(grounds: Grounds, row: Mapping[str, Any], item: str) -> bool:
    """Whether the item was put right, or called right by the person, since it was asked for."""
    async with grounds.database.connection() as connection:
        said = await _accuracy.ageing_of(connection, person=row["about"])
    return said is not None and bool(said["confirmed"].get(item, 0) >= row["received_at"])


def items_of_role(policy: CompiledPolicy, role: str) -> tuple[str, ...]:
    """What people say of themselves, of what the role's purposes have to do with; no age, which they say alone."""
    return tuple(
        item
        for item in correctable(policy, role)
        if policy.items[item].kind not in AGES
        and may_be_said(policy.items[item], policy.policy.categories[item.partition(".")[0]].group or "")
    )
