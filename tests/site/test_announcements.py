"""The announcements as anybody reads them: without an account, in three languages, by page and by feed (N3)."""
# ruff: noqa: F401, F811 - fixtures are imported to be found

import re
from datetime import date
from xml.etree.ElementTree import Element, fromstring

import httpx
from litestar import Litestar

from omonat.base.instants import DAY, SECOND, from_rfc3339
from omonat.flows.announce import InMedia
from omonat.flows.publish_policy import Publication
from omonat.house import House, open_house
from omonat.pages.words import LANGUAGES
from omonat.promises.notice.words import Words
from omonat.site import handlers
from tests.flows.conftest import Shop, clock, house, packs, settings, shop
from tests.notice.conftest import OWNER, SAYS, WRITER, second_version, speakers

PAGE = "/page/announcements"
A = "{http://www.w3.org/2005/Atom}"


def reader_of(house: House) -> httpx.AsyncClient:
    app = Litestar(handlers(lambda: house), openapi_config=None, logging_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8600")


async def announced(shop: Shop, said: dict[str, Words] = SAYS) -> str:
    await speakers(shop.house, shop.clock)
    shop.clock.forward(SECOND)
    drafted = await shop.house.announce.write(said, by=WRITER)
    return (await shop.house.announce.approve(drafted.id, by=OWNER)).id


async def test_N3_everybody_reads_them_in_their_language_without_a_cookie_or_script(shop: Shop) -> None:
    name = await announced(shop)
    async with reader_of(shop.house) as reader:
        for language in LANGUAGES:
            page = await reader.get(PAGE, params={"lang": language})
            assert page.status_code == 200
            assert SAYS[language].title in page.text
            assert all(f"<p>{part}</p>" in page.text for part in SAYS[language].text.split("\n\n"))
            assert "<script" not in page.text
            assert "set-cookie" not in page.headers
            assert "script-src" in page.headers["content-security-policy"] or "default-src 'self'" in str(page.headers)
            one = await reader.get(f"{PAGE}/{name}", params={"lang": language})
            assert f"<h1>{SAYS[language].title}</h1>" in one.text
        for nothing in ("ann_aaaaaaaaaaaaaaaaaaaaaaaaaa", "x" * 200, "version-9"):
            assert (await reader.get(f"{PAGE}/{nothing}")).status_code == 404
        first = (await reader.get(PAGE, params={"lang": "en"})).text
        assert "It has been in force since" in first, "what is in force already isn't said to be coming"
        policy = await reader.get("/page/privacy-policy")
        assert f'href="{PAGE}"' in policy.text


async def test_N3_what_waits_for_approval_is_nowhere(shop: Shop) -> None:
    await speakers(shop.house, shop.clock)
    drafted = await shop.house.announce.write(SAYS, by=WRITER)
    async with reader_of(shop.house) as reader:
        for place in (PAGE, f"{PAGE}/{drafted.id}", f"{PAGE}/feed/en.atom"):
            assert "Payments failed" not in (await reader.get(place, params={"lang": "en"})).text
        assert (await reader.get(f"{PAGE}/{drafted.id}")).status_code == 404


async def test_N3_words_are_shown_as_words(shop: Shop) -> None:
    said = {**SAYS, "en": Words(title="One < two & three", text="<script>alert(1)</script> ]]> &amp;")}
    name = await announced(shop, said)
    async with reader_of(shop.house) as reader:
        page = await reader.get(f"{PAGE}/{name}", params={"lang": "en"})
        assert "<script" not in page.text
        entry = entries(await reader.get(f"{PAGE}/feed/en.atom"))[0]
        assert entry.findtext(f"{A}title") == said["en"].title
        assert "".join(entry.find(f"{A}content").itertext()).strip() == said["en"].text  # type: ignore[union-attr]


async def test_N3_a_publication_of_the_policy_stands_there_by_itself(shop: Shop) -> None:
    shop.clock.forward(SECOND)
    await shop.house.publish(Publication(document=second_version(), packs=packs(), author="1", approver="2"))
    async with reader_of(shop.house) as reader:
        page = await reader.get(PAGE, params={"lang": "ru"})
        assert "Редакция 2 политики конфиденциальности" in page.text
        assert 'href="/page/privacy-policy/compare/1..2?lang=ru"' in page.text
        assert (await reader.get("/page/privacy-policy/compare/1..2?lang=ru")).status_code == 200
        assert [e.findtext(f"{A}title") for e in entries(await reader.get(f"{PAGE}/feed/en.atom"))] == [
            "Version 2 of the privacy policy", "Version 1 of the privacy policy",
        ]  # fmt: skip


async def test_N3_where_else_it_stood_is_shown_and_only_an_address_is_a_link(shop: Shop) -> None:
    name = await announced(shop)
    day = date(2026, 11, 22)
    for medium, reference in (
        ("Gazeta.uz", "https://gazeta.uz/1"),
        ("Xalq soʻzi", "№ 231"),
        ("X", "javascript:alert(1)"),
    ):
        await shop.house.announce.in_media(name, InMedia(medium=medium, on=day, reference=reference), by=WRITER)
    async with reader_of(shop.house) as reader:
        page = (await reader.get(f"{PAGE}/{name}", params={"lang": "en"})).text
        assert '<a href="https://gazeta.uz/1" rel="noreferrer">' in page
        assert "№ 231" in page
        assert 'href="javascript:' not in page
        entry = entries(await reader.get(f"{PAGE}/feed/en.atom"))[0]
        assert "Gazeta.uz, 22\xa0November\xa02026: https://gazeta.uz/1" in "".join(entry.itertext())


def entries(answer: httpx.Response) -> list[Element]:
    """The entries of a feed that keeps every rule of RFC 4287 (4.1.1, 4.1.2, 3.2, 4.2.7)."""
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    top = fromstring(answer.content)
    assert top.tag == f"{A}feed"
    for holder in (top, *top.findall(f"{A}entry")):
        for once in ("id", "title", "updated"):
            assert len(holder.findall(f"{A}{once}")) == 1, once
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", holder.findtext(f"{A}id") or "")
        assert from_rfc3339(holder.findtext(f"{A}updated") or "")
        kinds = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in holder.findall(f"{A}link")]
        assert len(set(kinds)) == len(kinds)
        assert all(
            link.get("href", "").startswith("http://localhost:8600/page/") for link in holder.findall(f"{A}link")
        )
    assert top.find(f"{A}author/{A}name") is not None
    assert [link.get("href") for link in top.findall(f"{A}link") if link.get("rel") == "self"] == [str(answer.url)]
    found = top.findall(f"{A}entry")
    assert len({each.findtext(f"{A}id") for each in found}) == len(found)
    newest = max((each.findtext(f"{A}updated") or "" for each in found), default="")
    assert not found or top.findtext(f"{A}updated") == newest
    for each in found:
        (content,) = each.findall(f"{A}content")
        assert content.get("type") == "xhtml"
        assert [inner.tag for inner in content] == ["{http://www.w3.org/1999/xhtml}div"]
    return found


async def test_N3_the_feed_is_valid_atom_and_an_entry_keeps_its_id_when_it_is_corrected(shop: Shop) -> None:
    name = await announced(shop)
    async with reader_of(shop.house) as reader:
        before = {lang: entries(await reader.get(f"{PAGE}/feed/{lang}.atom"))[0] for lang in LANGUAGES}
        shop.clock.forward(DAY)
        better = {**SAYS, "en": Words(title="Payments failed in December", text="All of it was returned since.")}
        await shop.house.announce.write(better, by=WRITER, announcement=name)
        await shop.house.announce.approve(name, by=OWNER)
        after = {lang: entries(await reader.get(f"{PAGE}/feed/{lang}.atom"))[0] for lang in LANGUAGES}
        for language in LANGUAGES:
            assert after[language].findtext(f"{A}id") == before[language].findtext(f"{A}id")
            assert after[language].findtext(f"{A}published") == before[language].findtext(f"{A}published")
            assert (after[language].findtext(f"{A}updated") or "") > (before[language].findtext(f"{A}updated") or "")
        assert len({each.findtext(f"{A}id") for each in after.values()}) == 3, "another language is another entry"
        assert after["en"].findtext(f"{A}title") == "Payments failed in December"
        for nothing in ("en", "kk.atom", "en.rss"):
            assert (await reader.get(f"{PAGE}/feed/{nothing}")).status_code == 404


async def test_N3_an_id_outlives_a_move_of_the_service_to_another_address(
    shop: Shop,
) -> None:
    await announced(shop)
    async with reader_of(shop.house) as reader:
        before = entries(await reader.get(f"{PAGE}/feed/en.atom"))[0].findtext(f"{A}id")
    old = shop.house.settings
    moved = type(old)(
        **{name: getattr(old, name) for name in old.__struct_fields__} | {"origin": "https://new.example"}
    )
    async with open_house(moved, clock=shop.clock) as again, reader_of(again) as reader:
        top = fromstring((await reader.get(f"{PAGE}/feed/en.atom")).content)
        assert top.findtext(f"{A}entry/{A}id") == before
        assert top.find(f"{A}entry/{A}link").get("href", "").startswith("https://new.example/")  # type: ignore[union-attr]


async def test_N3_older_ones_stand_on_further_pages(shop: Shop) -> None:
    await speakers(shop.house, shop.clock)
    for number in range(22):
        said = {lang: Words(title=f"{words.title} {number}", text=words.text) for lang, words in SAYS.items()}
        await announced(shop, said)
    async with reader_of(shop.house) as reader:
        first = (await reader.get(PAGE, params={"lang": "en"})).text
        second = (await reader.get(PAGE, params={"lang": "en", "page": "2"})).text
        assert "Payments failed 21" in first
        assert "Payments failed 1<" not in first
        assert "Payments failed 1<" in second
        assert "Version 1 of the privacy policy" in second
        for odd in ("0", "-1", "x", "9" * 30):
            assert (await reader.get(PAGE, params={"page": odd})).status_code == 200
