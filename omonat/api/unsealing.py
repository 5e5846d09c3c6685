"""Unsealing: one share or the passphrase is handed on to the keeper. Neither is logged, repeated or kept here (S2)."""

from typing import Final

from omonat.api.answers import Unsealing, encode
from omonat.api.bodies import UnsealBody
from omonat.api.call import Call, shaped
from omonat.api.http import Line
from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.vault import keeper

_OPEN: Final = keeper.Unsealing(sealed=False, needed=0)


async def status(call: Call) -> bytes:
    """Whether the house is sealed, and what is still needed."""
    return _answer(_OPEN if call.house is not None else await _keeper(call).status())


async def unseal(call: Call) -> bytes:
    """Take one proof. Raises Refused unseal-open-line, unseal-wait, passphrase-wrong, share-…"""
    if call.line is Line.OPEN:
        raise Refused("unseal-open-line")
    body = shaped(call.value, UnsealBody)
    if (body.share is None) == (body.passphrase is None):
        raise BadInput("key-missing", key="share", at="$")
    if call.house is not None:
        return _answer(_OPEN)
    found = await _keeper(call).unseal(here=call.line is Line.HERE, share=body.share, passphrase=body.passphrase)
    return _answer(found)


def _keeper(call: Call) -> keeper.Keeper:
    if call.keeper is None:
        raise Unavailable("keeper-away")
    return call.keeper


def _answer(found: keeper.Unsealing) -> bytes:
    return encode(
        Unsealing(
            sealed=found.sealed,
            threshold=found.threshold,
            given=found.given,
            needed=found.needed,
            passphrase=found.passphrase,
        )
    )
