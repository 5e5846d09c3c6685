"""What the company announces: three languages, two people, nobody's data; where it stood in the media (N3)."""

from dataclasses import replace
from datetime import date

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.announce import InMedia, digest
from omonat.promises.notice.words import Words, personal
from tests.notice.conftest import OTHER_OWNER, OWNER, SAYS, WRITER, Town, second_version, speakers

NEWSPAPER = InMedia(medium="Gazeta.uz", on=date(2026, 11, 22), reference="https://www.gazeta.uz/uz/2026/11/22/")


async def test_N3_nobody_reads_it_before_a_second_person_of_the_owning_role_approved_it(town: Town) -> None:
    await speakers(town.house, town.clock)
    announce = town.house.announce
    for nobody in ("204", "999"):
        with pytest.raises(Refused):
            await announce.write(SAYS, by=nobody)
    drafted = await announce.write(SAYS, by=WRITER)
    assert await announce.published(most=9, only=drafted.id) == []

    with pytest.raises(Refused, match="Only the role"):
        await announce.approve(drafted.id, by=WRITER)
    own = await announce.write(SAYS, by=OWNER)
    with pytest.raises(Refused, match="can’t approve them"):
        await announce.approve(own.id, by=OWNER)
    await announce.approve(drafted.id, by=OWNER)
    (public,) = await announce.published(most=9, only=drafted.id)
    assert public.said == SAYS
    (entry,) = await town.rows("select convert_from(body, 'utf8')::jsonb -> 'facts' as facts from entries "
                               "where act = 'announcement:words:published'")  # fmt: skip
    assert entry["facts"]["words"] == digest(SAYS)
    assert entry["facts"]["writer"] != entry["facts"]["approver"]


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_N3_a_missing_language_is_refused_and_a_copy_is_no_translation(town: Town, language: str) -> None:
    await speakers(town.house, town.clock)
    other = "uz" if language != "uz" else "en"
    for wrong in (
        {each: words for each, words in SAYS.items() if each != language},
        {**SAYS, language: Words(title=" ", text="…")},
        {**SAYS, language: SAYS[other]},
    ):
        with pytest.raises(BadInput) as said:
            await town.house.announce.write(wrong, by=WRITER)
        assert said.value.code == "words-language-missing"
    with pytest.raises(BadInput, match="none of our languages"):
        await town.house.announce.write({**SAYS, "kk": SAYS["ru"]}, by=WRITER)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Yozing: dilnoza@mail.example", "an e-mail address"),
        ("Qoʻngʻiroq qiling: 90 123-45-67", "a mobile number"),
        ("Pasport AA1234567", "a passport number"),
        ("JSHSHIR 31503900250011", "an identity number"),
        ("Karta 4111 1111 1111 1111", "a card number"),
    ],
)
async def test_N3_what_looks_like_somebodys_data_is_refused_and_never_repeated(
    town: Town, words: str, kind: str
) -> None:
    await speakers(town.house, town.clock)
    said = {**SAYS, "uz": replace(SAYS["uz"], text=words)}
    with pytest.raises(BadInput) as refused:
        await town.house.announce.write(said, by=WRITER)
    assert refused.value.about == {"language": "uz", "kind": kind}


def test_N3_the_companys_own_mailbox_and_phone_and_plain_numbers_are_no_personal_data() -> None:
    own = "Savollar: webmaster@beshqozon.uz, +998 90 999 99 99, 71 200 00 00. 2026-yil, 125 000 soʻm, buyurtma 41877."
    assert list(personal(own, mailbox="webmaster@beshqozon.uz", phone="+998 90 999-99-99")) == []


async def test_N3_a_correction_takes_two_people_again_and_the_old_words_stand_until_then(town: Town) -> None:
    await speakers(town.house, town.clock)
    announce = town.house.announce
    first = await announce.write(SAYS, by=WRITER)
    await announce.approve(first.id, by=OWNER)
    better = {
        **SAYS,
        "en": Words(title="Payments failed on 1 December", text="They were taken twice. All is returned."),
    }
    town.clock.forward(DAY)
    await announce.write(better, by=OWNER, announcement=first.id)
    (still,) = await announce.published(most=9, only=first.id)
    assert (still.said, still.corrected) == (SAYS, None)
    with pytest.raises(Refused):
        await announce.approve(first.id, by=OWNER)
    await announce.approve(first.id, by=OTHER_OWNER)
    await announce.approve(first.id, by=OTHER_OWNER)
    (corrected,) = await announce.published(most=9, only=first.id)
    assert corrected.said == better
    assert corrected.corrected == corrected.published + DAY
    assert await town.one("select count(*) from entries where act = 'announcement:words:corrected'") == 1


async def test_N3_a_version_of_the_policy_announces_itself(town: Town) -> None:
    assert [one.version.version for one in await town.house.announce.published(most=9) if one.version] == ["1"]
    town.clock.forward(SECOND)
    await town.publish(second_version())
    newest, first = await town.house.announce.published(most=9)
    assert newest.version is not None
    assert newest.before is not None
    assert (newest.version.version, newest.before.version, first.id) == ("2", "1", "version-1")


async def test_N3_publications_in_media_are_recorded_and_stand_beside_what_they_published(town: Town) -> None:
    await speakers(town.house, town.clock)
    announce = town.house.announce
    drafted = await announce.write(SAYS, by=WRITER)
    with pytest.raises(BadInput, match="no such announcement"):
        await announce.in_media(drafted.id, NEWSPAPER, by=WRITER)  # it isn't public yet
    await announce.approve(drafted.id, by=OWNER)
    for wrong in (
        replace(NEWSPAPER, medium=" "),
        replace(NEWSPAPER, reference=""),
        replace(NEWSPAPER, on=date(2026, 11, 23)),
        replace(NEWSPAPER, reference="a\nb"),
        replace(NEWSPAPER, reference="dilnoza@mail.example"),
    ):
        with pytest.raises(BadInput):
            await announce.in_media(drafted.id, wrong, by=WRITER)
    town.clock.forward(SECOND)
    entry = await announce.in_media(drafted.id, NEWSPAPER, by=WRITER)
    await announce.in_media("version-1", replace(NEWSPAPER, medium="Xalq soʻzi", reference="№ 231, 4-bet"), by=WRITER)
    for name, medium in ((drafted.id, "Gazeta.uz"), ("version-1", "Xalq soʻzi")):
        (public,) = await announce.published(most=9, only=name)
        assert [where.medium for where in public.media] == [medium]
        assert public.updated == town.clock.now
    facts = await town.one("select convert_from(body, 'utf8')::jsonb -> 'facts' from entries where id = $1", entry)
    assert (facts["medium"], facts["on"]) == ("Gazeta.uz", "2026-11-22")
    with pytest.raises(BadInput):
        await announce.in_media("version-7", NEWSPAPER, by=WRITER)
