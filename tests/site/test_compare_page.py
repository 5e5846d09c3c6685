"""What changed between two versions, as anybody reads it: open, in three languages, without script, on paper too."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser

from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.pages.words import LANGUAGES
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.site import SITE, Edition, Shelf, site_routes
from tests.site.conftest import HOME, NOW, SOURCE
from tests.site.test_in_chromium import AXE, RULES, a_browser, a_place  # noqa: F401 - fixtures

COMPARE = f"{HOME}/compare"
PACK = (Path(__file__).parents[2] / "policies" / "packs" / "uz.yaml").read_bytes()
MORE = (b"may-use: [transaction.amount, transaction.return-reason]", b"may-use: [transaction.amount, contact.landmark]")


def _edition(ordinal: int, *replaced: tuple[bytes, bytes], packs: bool = True) -> Edition:
    text = SOURCE.replace(b'version: "1"', f'version: "{ordinal}"'.encode(), 1)
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    known = (read_pack(PACK, "uz.yaml"),) if packs else ()
    return Edition(read_policy(text).policy, ordinal, text, NOW, known)


@pytest.fixture(name="app", scope="module")
def the_app() -> Litestar:
    editions = [_edition(1), _edition(2, MORE), _edition(3, MORE)]
    routes = site_routes(Shelf(editions), now=lambda: NOW, https=lambda: True)
    return Litestar([*routes, static_handler([KIT_STATIC, SITE.static])], openapi_config=None, logging_config=None)


@pytest.fixture(name="reader", scope="module")
def a_reader(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_anybody_reads_what_changed_in_plain_words_without_script(
    reader: TestClient[Litestar], language: str
) -> None:
    answer = reader.get(f"{COMPARE}/1..2", params={"lang": language})
    said = {
        "uz": ("Koʻproq maʼlumot ishlatiladi: Xizmatlarni yaxshilash", "moʻljal", "Kamroq maʼlumot ishlatiladi"),
        "ru": ("Используется больше данных: Улучшение услуг", "ориентир", "Используется меньше данных"),
        "en": ("More data is used: Improving the services", "landmark", "Less data is used"),
    }[language]

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"].startswith("public")
    wider, narrower = answer.text.index(said[0]), answer.text.index(said[2])
    assert wider < answer.text.index(said[1]) < narrower, "what reaches further comes first"


def test_P3_the_way_back_reads_as_its_opposite(reader: TestClient[Litestar]) -> None:
    there = reader.get(f"{COMPARE}/1..2", params={"lang": "en"}).text
    back = reader.get(f"{COMPARE}/2..1", params={"lang": "en"}).text
    milder = re.compile(r'id="milder".*', re.DOTALL)

    assert "landmark" not in milder.search(there).group()  # type: ignore[union-attr]
    assert "landmark" in milder.search(back).group()  # type: ignore[union-attr]


def test_P3_two_versions_that_do_the_same_are_said_to(reader: TestClient[Litestar]) -> None:
    html = reader.get(f"{COMPARE}/2..3", params={"lang": "en"}).text
    assert "Nothing changed in what is done" in html
    assert 'id="wider"' not in html


def test_P3_the_history_leads_to_each_comparison(reader: TestClient[Litestar]) -> None:
    history = reader.get(f"{HOME}/history", params={"lang": "en"}).text
    links = re.findall(rf'href="({COMPARE}/[^"?]+)', history)
    assert links == [f"{COMPARE}/2..3", f"{COMPARE}/1..2"]
    assert all(reader.get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("pair", ["1..zzqx9", "zzqx9..1", "1", "1..2..3", "1...2"])
def test_P3_what_nobody_published_is_not_compared_and_not_repeated(reader: TestClient[Litestar], pair: str) -> None:
    answer = reader.get(f"{COMPARE}/{pair}", params={"lang": "en"})
    assert answer.status_code == 404
    assert "There is no such version" in answer.text


def test_P3_a_version_without_its_law_packs_is_not_compared() -> None:
    shelf = Shelf([_edition(7, packs=False), _edition(8, MORE, packs=False)])
    with TestClient(Litestar(site_routes(shelf, now=lambda: NOW), openapi_config=None, logging_config=None)) as reader:
        assert reader.get(f"{COMPARE}/7..8").status_code == 404


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_the_comparison_is_accessible_on_a_phone_and_in_the_dark(
    browser: Browser, place: str, language: str, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{place}{COMPARE}/1..2?lang={language}", wait_until="networkidle")
    assert all(url.startswith(place) for url in asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found["violations"]] == []
    if width > 1000:
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    context.close()
