"""Refusals in evidence (S4, B3): who asks for what is not theirs leaves a trace, though nothing was changed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds


@asynccontextmanager
async def refusals_noted(grounds: Grounds, act: str, facts: Mapping[str, Any]) -> AsyncIterator[None]:
    """What a system of the company is refused in this block is an entry before it is answered; a stranger without a
    credential fills no log.

    `facts` hold nothing the caller made up, and no person. Raises Unavailable where the entry can't be written.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code != "credential-refused":
            entry = Entry(new_id("ev"), grounds.clock(), act, {**facts, "code": refusal.code})
            await grounds.journal.submit(entry)
        raise
