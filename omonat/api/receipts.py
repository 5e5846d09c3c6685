"""Receipts of consents, for systems that act on them (C1, C2)."""

from omonat.api.answers import ConsentReceiptList, encode
from omonat.api.call import Call
from omonat.promises.choice.receipt import as_json_ld


async def consents(call: Call) -> bytes:
    """What a person said about a purpose, each with its proof."""
    found = await call.ports.consent_receipts.for_system(call.caller, call.names["person"], call.names["purpose"])
    return encode(ConsentReceiptList(receipts=[as_json_ld(one, call.language) for one in found]))
