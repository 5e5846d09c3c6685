"""What the operations take and answer by which the company speaks: announcements, notices to many."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from omonat.api.bodies import Name, PersonId, StaffRef
from omonat.promises.notice.words import Said, Words


class _Taken(Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """One JSON object, nothing unknown in it."""


class _Answered(Struct, rename="kebab", kw_only=True):
    """One JSON object."""


class WordsIn(_Taken):
    """A title on one line, and a text; an empty line parts paragraphs."""

    title: Annotated[str, Meta(min_length=1, max_length=120)]
    text: Annotated[str, Meta(min_length=1, max_length=6000)]


Tongue = Annotated[str, Meta(min_length=2, max_length=2, description="uz, ru or en; all three are needed.")]


class AnnouncementBody(_Taken):
    """What everybody shall read, in three languages, and who wrote it."""

    says: Annotated[dict[Tongue, WordsIn], Meta(max_length=3)]
    on_behalf_of: StaffRef


class SpeakerBody(_Taken):
    """The member of staff this is done for."""

    on_behalf_of: StaffRef


class MediaBody(_Taken):
    """Where else something was made public."""

    medium: Annotated[str, Meta(min_length=1, max_length=120, description="The newspaper, site or station.")]
    on: Annotated[str, Meta(min_length=10, max_length=10, description="The day.", extra_json_schema={"format": "date"})]
    reference: Annotated[str, Meta(min_length=1, max_length=400, description="An address, or number and page.")]
    on_behalf_of: StaffRef


class WordsAnswer(_Answered):
    """A title and a text."""

    title: str
    text: str


class MediaAnswer(_Answered):
    """Where else it was made public, and when."""

    medium: str
    on: str
    reference: str


class AnnouncementAnswer(_Answered):
    """An announcement as officers see it: what people read, and what waits for a second person. Staff as pseudonyms."""

    id: str
    said: dict[str, WordsAnswer] | None
    draft: dict[str, WordsAnswer] | None
    drafted_by: str | None
    published_at: str | None
    updated_at: str | None
    approved_by: str | None
    media: list[MediaAnswer]
    entries: dict[str, str]


class AnnouncementList(_Answered):
    """Every announcement, newest first."""

    announcements: list[AnnouncementAnswer]


class ServiceNoticeBody(_Taken):
    """What many people have to be told, and whom: everybody, those with records of a service, people by ids, or
    whoever is to be told at a business client."""

    kind: Literal["system-error", "security-breach", "service-change"]
    says: Annotated[dict[Tongue, WordsIn], Meta(max_length=3)]
    audience: Literal["everybody", "service", "people", "clients"]
    on_behalf_of: StaffRef
    service: Name | None = None
    people: Annotated[tuple[PersonId, ...], Meta(max_length=1000, description="More of them: the command line.")] = ()


class NoticeCount(_Answered):
    """How many notices took a way and are in a state."""

    channel: str
    state: str
    many: int


class ServiceNoticeAnswer(_Answered):
    """A notice to many, and how far it is. Staff as pseudonyms; who is told is counted and never named."""

    id: str
    kind: str
    audience: str
    service: str | None
    said: dict[str, WordsAnswer] | None
    written_by: str
    written_at: str
    approved_by: str | None
    approved_at: str | None
    searched_at: str | None
    counts: list[NoticeCount]
    entries: dict[str, str]


class ServiceNoticeList(_Answered):
    """The newest notices to many."""

    notices: list[ServiceNoticeAnswer]


class Recorded(_Answered):
    """The entry that says so."""

    evidence: str


def said(says: dict[str, WordsIn]) -> Said:
    """The words of a body."""
    return {language: Words(title=words.title, text=words.text) for language, words in says.items()}


def words_answer(words: Said | None) -> dict[str, WordsAnswer] | None:
    """Words as they are answered."""
    if words is None:
        return None
    return {language: WordsAnswer(title=each.title, text=each.text) for language, each in words.items()}
