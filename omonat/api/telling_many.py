"""Notices to many, for systems that act for those who speak for the company (N2)."""

from omonat.api.answers import encode, rfc3339
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.api.speaking import (
    NoticeCount,
    ServiceNoticeAnswer,
    ServiceNoticeBody,
    ServiceNoticeList,
    SpeakerBody,
    said,
    words_answer,
)
from omonat.flows.service_notice import PROMISE, ServiceNotice, ServiceRound


async def write(call: Call) -> bytes:
    """Write one; it waits for the second person."""
    body = shaped(call.value, ServiceNoticeBody)
    await _permit(call)
    notice = ServiceNotice(
        kind=body.kind, said=said(body.says), audience=body.audience, service=body.service, people=body.people
    )
    return await call.once_per_key(
        lambda also: call.ports.service_notices.write(notice, by=body.on_behalf_of, also=also),
        lambda written: encode(_answer(written)),
    )


async def approve(call: Call) -> bytes:
    """The second person agrees, and people are told."""
    body = shaped(call.value, SpeakerBody)
    await _permit(call)
    return encode(_answer(await call.ports.service_notices.approve(call.names["notice"], by=body.on_behalf_of)))


async def show(call: Call) -> bytes:
    """How far one is."""
    await _permit(call)
    return encode(_answer(await call.ports.service_notices.show(call.names["notice"])))


async def every(call: Call) -> bytes:
    """The newest."""
    await _permit(call)
    return encode(ServiceNoticeList(notices=[_answer(one) for one in await call.ports.service_notices.every()]))


async def _permit(call: Call) -> None:
    await call.ports.service_notices.officers.permit(call.caller, PROMISE)


def _answer(one: ServiceRound) -> ServiceNoticeAnswer:
    counts = [NoticeCount(channel=way, state=state, many=many) for (way, state), many in one.counts.items()]
    return ServiceNoticeAnswer(
        id=one.id,
        kind=one.kind,
        audience=one.audience,
        service=one.service,
        said=words_answer(one.said),
        written_by=one.written_by,
        written_at=rfc3339(one.written_at),
        approved_by=one.approved_by,
        approved_at=None if one.approved_at is None else rfc3339(one.approved_at),
        searched_at=None if one.searched is None else rfc3339(one.searched),
        counts=counts,
        entries=dict(one.entries),
    )
