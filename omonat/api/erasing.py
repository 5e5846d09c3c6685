"""Erasures: planned, asked for, looked at (R3, K2, Q2)."""

from collections.abc import Iterable

import msgspec

from omonat.api.answers import ErasureAcknowledged, ErasureAnswer, ErasurePlan, Staying, encode, rfc3339
from omonat.api.bodies import AcknowledgementBody, ErasureBody
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.base.instants import Instant
from omonat.flows.erase import Erasure, ErasureRequest
from omonat.promises.retention.rule import Stay


async def plan(call: Call) -> bytes:
    """What would go and what would stay."""
    request = _request(call)
    await call.ports.erase.permit(call.caller, request.cause)
    found = await call.ports.erase.plan(request)
    return encode(ErasurePlan(goes=dict(found.goes), stays=_stays(found.stays)))


async def erase(call: Call) -> bytes:
    """Erase; said again under its key, it tells how far that same erasure has come by now."""
    request = _request(call)
    first = await call.once_per_key(lambda also: call.ports.erase.by_system(call.caller, request, also), _printed)
    return _printed(await call.ports.erase.show(msgspec.json.decode(first)["id"]))


async def show(call: Call) -> bytes:
    """How far an erasure is."""
    await call.ports.erase.permit(call.caller)
    return _printed(await call.ports.erase.show(call.names["erasure"]))


async def certificate(call: Call) -> bytes:
    """The certificate, as the person gets it."""
    await call.ports.erase.permit(call.caller)
    return encode(await call.ports.certify(call.names["erasure"]))


async def acknowledge(call: Call) -> bytes:
    """A system says that it has erased its copy."""
    body = shaped(call.value, AcknowledgementBody)
    entry = await call.ports.systems.acknowledge_by(call.caller, call.names["erasure"], body.system)
    return encode(ErasureAcknowledged(entry=entry))


def _request(call: Call) -> ErasureRequest:
    body = shaped(call.value, ErasureBody)
    return ErasureRequest(
        person=body.person, record=body.record, items=body.items, cause=body.cause, by=call.caller.client
    )


def _printed(erasure: Erasure) -> bytes:
    return encode(
        ErasureAnswer(
            id=erasure.id,
            scope=erasure.scope,
            cause=erasure.cause,
            stage=erasure.stage,
            person=erasure.person,
            record=erasure.record,
            items=erasure.items,
            hidden_at=rfc3339(erasure.hidden_at),
            key_destroyed_at=_time(erasure.destroyed_at),
            swept_at=_time(erasure.swept_at),
            final_at=_time(erasure.final_at),
            key_copies=erasure.copies,
            lookup_epoch=erasure.lookup_epoch,
            stays=_stays(erasure.stays),
            entries=dict(erasure.entries),
        )
    )


def _stays(stays: Iterable[Stay]) -> list[Staying]:
    return [
        Staying(
            item=stay.item, service=stay.service, reason=stay.factor, source=stay.source, until=_time(stay.until),
            waits_for=stay.waits_for, count=stay.count,
        )
        for stay in stays
    ]  # fmt: skip


def _time(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
