"""Announcements, for systems that act for those who speak for the company (N3)."""

from datetime import date

from omonat.api.answers import encode, rfc3339
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.api.speaking import (
    AnnouncementAnswer,
    AnnouncementBody,
    AnnouncementList,
    MediaAnswer,
    MediaBody,
    Recorded,
    SpeakerBody,
    said,
    words_answer,
)
from omonat.base.errors import BadInput
from omonat.flows.announce import PROMISE, Announcement, InMedia


async def write(call: Call) -> bytes:
    """Write one; it waits for the second person."""
    return await _write(call, None)


async def correct(call: Call) -> bytes:
    """Other words for one."""
    return await _write(call, call.names["announcement"])


async def _write(call: Call, announcement: str | None) -> bytes:
    body = shaped(call.value, AnnouncementBody)
    await _permit(call)
    return await call.once_per_key(
        lambda also: call.ports.announce.write(
            said(body.says), by=body.on_behalf_of, announcement=announcement, also=also
        ),
        lambda written: encode(_answer(written)),
    )


async def approve(call: Call) -> bytes:
    """The second person agrees."""
    body = shaped(call.value, SpeakerBody)
    await _permit(call)
    return encode(_answer(await call.ports.announce.approve(call.names["announcement"], by=body.on_behalf_of)))


async def in_media(call: Call) -> bytes:
    """It was made public elsewhere."""
    body = shaped(call.value, MediaBody)
    await _permit(call)
    try:
        where = InMedia(medium=body.medium, on=date.fromisoformat(body.on), reference=body.reference)
    except ValueError:
        raise BadInput("media-incomplete") from None
    return await call.once_per_key(
        lambda also: call.ports.announce.in_media(call.names["announcement"], where, by=body.on_behalf_of, also=also),
        lambda entry: encode(Recorded(evidence=entry)),
    )


async def show(call: Call) -> bytes:
    """One of them."""
    await _permit(call)
    return encode(_answer(await call.ports.announce.show(call.names["announcement"])))


async def every(call: Call) -> bytes:
    """All of them, also what waits."""
    await _permit(call)
    return encode(AnnouncementList(announcements=[_answer(one) for one in await call.ports.announce.every()]))


async def _permit(call: Call) -> None:
    await call.ports.announce.officers.permit(call.caller, PROMISE)


def _answer(one: Announcement) -> AnnouncementAnswer:
    return AnnouncementAnswer(
        id=one.id,
        said=words_answer(one.said),
        draft=words_answer(one.draft),
        drafted_by=one.drafted_by,
        published_at=None if one.published_at is None else rfc3339(one.published_at),
        updated_at=None if one.updated_at is None else rfc3339(one.updated_at),
        approved_by=one.approved_by,
        media=[MediaAnswer(medium=m.medium, on=m.on.isoformat(), reference=m.reference) for m in one.media],
        entries=dict(one.entries),
    )
