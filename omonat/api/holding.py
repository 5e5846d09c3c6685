"""Legal holds: placed, approved, reviewed, ended, for systems that act for privacy officers (R2)."""

from omonat.api.answers import HoldAnswer, HoldList, encode, rfc3339
from omonat.api.bodies import HoldBody, OfficerBody, ReviewBody
from omonat.api.body import shaped
from omonat.api.call import Call, moment
from omonat.base.instants import Instant
from omonat.flows.holds import Hold, HoldRequest


async def place(call: Call) -> bytes:
    """Place a hold."""
    body = shaped(call.value, HoldBody)
    request = HoldRequest(
        scope=body.scope,
        target=body.target,
        items=body.items,
        authority=body.authority,
        review_at=_moment(body.review_at),
        may_tell=body.may_tell,
    )

    await call.ports.holds.permit(call.caller)
    return await call.once_per_key(
        lambda also: call.ports.holds.place(request, by=body.on_behalf_of, also=also), lambda hold: encode(_hold(hold))
    )


async def approve(call: Call) -> bytes:
    """The second person agrees."""
    body = shaped(call.value, OfficerBody)
    await call.ports.holds.permit(call.caller)
    return encode(_hold(await call.ports.holds.approve(call.names["hold"], by=body.on_behalf_of)))


async def end(call: Call) -> bytes:
    """Ask for the end."""
    body = shaped(call.value, OfficerBody)
    await call.ports.holds.permit(call.caller)
    return encode(_hold(await call.ports.holds.end(call.names["hold"], by=body.on_behalf_of)))


async def review(call: Call) -> bytes:
    """It stands, until a later review."""
    body = shaped(call.value, ReviewBody)
    await call.ports.holds.permit(call.caller)
    at = _moment(body.review_at)
    return encode(_hold(await call.ports.holds.review(call.names["hold"], by=body.on_behalf_of, review_at=at)))


async def show(call: Call) -> bytes:
    """One hold."""
    await call.ports.holds.permit(call.caller)
    return encode(_hold(await call.ports.holds.show(call.names["hold"])))


async def standing(call: Call) -> bytes:
    """Every hold that stands."""
    await call.ports.holds.permit(call.caller)
    return encode(HoldList(holds=[_hold(hold) for hold in await call.ports.holds.standing()]))


def _moment(text: str) -> Instant:
    at = moment(text, "$.review-at")
    assert at is not None
    return at


def _hold(hold: Hold) -> HoldAnswer:
    return HoldAnswer(
        id=hold.id,
        scope=hold.scope,
        target=hold.target,
        items=hold.items,
        authority=hold.authority,
        may_tell=hold.may_tell,
        review_at=rfc3339(hold.review_at),
        placed_at=rfc3339(hold.placed_at),
        placed_by=hold.placed_by,
        approved_at=None if hold.approved_at is None else rfc3339(hold.approved_at),
        approved_by=hold.approved_by,
        ending_by=hold.ending_by,
        released_at=None if hold.released_at is None else rfc3339(hold.released_at),
        released_by=hold.released_by,
        entries=dict(hold.entries),
    )
