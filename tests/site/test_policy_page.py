"""The policy page as anybody asks for it: open, whole, in three languages, with its history and its file."""

import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from omonat.pages.words import LANGUAGES
from omonat.site import Edition, Shelf, door, site_routes

HOME = "/page/privacy-policy"
Reader = TestClient[Litestar]


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_anybody_reads_the_policy_without_sign_in_script_or_cookie(reader: Reader, language: str) -> None:
    answer = reader.get(HOME, params={"lang": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert "set-cookie" not in answer.headers
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("public")
    assert {"accept-language", "accept-encoding"} <= set(answer.headers["vary"].split(", "))
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_A3_every_right_leads_to_where_it_is_used_and_a_complaint_needs_no_account(
    reader: Reader, language: str
) -> None:
    text = reader.get(HOME, params={"lang": language}).text
    chapter = text[text.index('id="rights"') : text.index('id="contact"')]
    led = re.findall(r'href="(/[^"]+)"', chapter)
    assert led == ["/me", "/me/data", "/me/copy", "/me/delete", "/me/choices", "/me/choices", "/complain"]


def test_P3_the_language_of_the_browser_is_heard_and_uzbek_is_spoken_otherwise(reader: Reader) -> None:
    assert '<html lang="ru">' in reader.get(HOME, headers={"accept-language": "ru-RU,ru;q=0.9"}).text
    assert '<html lang="uz">' in reader.get(HOME, headers={"accept-language": "fr"}).text
    assert '<html lang="uz">' in reader.get(HOME, params={"lang": "xx"}, headers={"accept-language": "uz"}).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_has_its_place_and_says_how_it_is_kept(
    reader: Reader, editions: list[Edition], language: str
) -> None:
    html = reader.get(HOME, params={"lang": language}).text
    promises = editions[-1].policy.promises
    assert sorted(re.findall(r'<div class="clause" id="([A-Z]\d+)">', html)) == sorted(promises)
    assert html.count('<details class="how">') == len(promises)
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for link in re.findall(r'href="#([^"]+)"', html):
        assert link in ids, link


def test_A1_the_state_of_a_promise_is_said_only_where_a_check_has_told(reader: Reader) -> None:
    html = reader.get(HOME, params={"lang": "en"}).text
    for promise, word in (("P3", "kept"), ("R3", "broken"), ("B3", "cannot tell")):
        clause = html.partition(f'id="{promise}"')[2].partition("</details>")[0]
        assert re.search(rf"</svg>{word}</span>", clause), promise
    assert "not verified yet" in html.partition('id="P1"')[2].partition("</details>")[0]


def test_P1_every_version_stays_readable_and_says_when_it_is_not_the_one_in_force(reader: Reader) -> None:
    old = reader.get(f"{HOME}/v/1", params={"lang": "en"})
    new = reader.get(f"{HOME}/v/2", params={"lang": "en"})
    assert "another version than the one in force" in old.text
    assert "another version than the one in force" not in new.text
    assert "Version 1, in force since 1\u00a0November\u00a02026." in old.text
    history = reader.get(f"{HOME}/history", params={"lang": "en"}).text
    assert history.index("Version 2") < history.index("Version 1")


def test_P1_the_file_comes_back_byte_for_byte(reader: Reader, editions: list[Edition]) -> None:
    answer = reader.get(f"{HOME}/v/1/policy.yaml")
    assert answer.content == editions[0].source
    assert answer.headers["content-disposition"] == 'attachment; filename="beshqozon-1.yaml"'
    assert answer.headers["content-type"].startswith("application/yaml")
    assert editions[0].digest in reader.get(f"{HOME}/v/1").text


def test_a_version_nobody_published_is_not_found_and_not_repeated(reader: Reader) -> None:
    for address in (f"{HOME}/v/zzqx9", f"{HOME}/v/zzqx9/policy.yaml"):
        answer = reader.get(address, params={"lang": "en"})
        assert answer.status_code == 404
        assert "There is no such version" in answer.text
        assert "zzqx9" not in answer.text.replace(f"{HOME}/v/zzqx9", "")


def test_before_the_first_version_the_page_says_so(editions: list[Edition]) -> None:
    with TestClient(
        Litestar(site_routes(Shelf(), now=lambda: editions[0].published), openapi_config=None, logging_config=None)
    ) as reader:
        assert reader.get(HOME).status_code == 404
        history = reader.get(f"{HOME}/history", params={"lang": "en"})
        assert "No version has been published yet" in history.text


def test_the_notice_is_rendered_once_per_text_and_language(reader: Reader) -> None:
    door._bodies.cache_clear()
    for _ in range(3):
        for language in LANGUAGES:
            reader.get(HOME, params={"lang": language})
    assert door._bodies.cache_info().misses == len(LANGUAGES)


def test_the_foot_shows_the_checkpoint(reader: Reader) -> None:
    html = reader.get(HOME, params={"lang": "en"}).text
    assert "18,204" in html
    assert 'href="/v1/evidence/checkpoint"' in html
