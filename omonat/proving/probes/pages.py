"""What strangers see at the public address: the policy, and nothing from anywhere else (P3, T1)."""

import re
from html import unescape
from typing import Final
from urllib.parse import urlsplit

from omonat.base.codes import LANGUAGES
from omonat.base.errors import BadInput
from omonat.promises.notice.words import Words
from omonat.proving.outcome import Findings, Outcome, probe
from omonat.proving.scene import Scene

POLICY: Final = "/page/privacy-policy"
ANNOUNCEMENTS: Final = "/page/announcements"
_VISITED: Final = (POLICY, f"{POLICY}/history", ANNOUNCEMENTS, "/me", "/desk")
_LOADS: Final = re.compile(r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc=["']?([^"'\s>]+)""", re.I)
_LINKS: Final = re.compile(r"""<link\b[^>]*?\shref=["']?([^"'\s>]+)""", re.I)
_POSTS: Final = re.compile(r"""<form\b[^>]*?\saction=["']?([^"'\s>]+)""", re.I)
_OWN: Final = frozenset({"'self'", "'none'"})
_NEEDED: Final = ("default-src", "frame-ancestors", "form-action", "base-uri")


@probe(
    "P3",
    uz="Siyosat sahifasi begona odam sifatida uch tilda ochiladi: kirishsiz va skriptsiz oʻqilishi kerak.",
    ru="Страница политики открыта посторонним на трёх языках: она должна читаться без входа и без скриптов.",
    en="The page of the policy is opened by a stranger in three languages: it must be readable without signing in and without script.",
)
async def public(scene: Scene) -> Outcome:
    """The policy in force can be read by anybody."""
    found = Findings()
    for language in LANGUAGES:
        answer = await scene.visit(f"{POLICY}?lang={language}")
        text = unescape(re.sub(r"<script\b.*?</script>", "", answer.text, flags=re.S | re.I))
        told = sum(promise.tells[language][:40] in text for promise in scene.written.promises.values())
        right = answer.status_code == 200 and told == len(scene.written.promises)
        found.note(right, f"{language}: {answer.status_code}, {told} of {len(scene.written.promises)}")
    return found.outcome()


@probe(
    "T1",
    uz="Ochiq sahifalar olinadi: hech biri boshqa manzildan hech narsa yuklamasligi va sarlavhalari buni taqiqlashi kerak.",
    ru="Открыты публичные страницы: ни одна не должна ничего загружать с других адресов, и заголовки должны это запрещать.",
    en="Public pages are fetched: none may load anything from another origin, and their headers must forbid it.",
)
async def one_origin(scene: Scene) -> Outcome:
    """No information goes to other websites."""
    found = Findings()
    for path in _VISITED:
        answer = await scene.visit(path)
        while answer.is_redirect and answer.headers.get("location", "").startswith("/"):
            answer = await scene.visit(answer.headers["location"])
        rules = _rules(answer.headers.get("content-security-policy", ""))
        own = all(sources <= _OWN for sources in rules.values()) and all(name in rules for name in _NEEDED)
        found.note(own, f"{path} {answer.status_code}: content-security-policy {len(rules)}")
        found.note(answer.headers.get("referrer-policy") == "no-referrer", f"{path}: referrer-policy")
        loaded = [url for form in (_LOADS, _LINKS, _POSTS) for url in form.findall(answer.text)]
        foreign = sorted({urlsplit(unescape(url)).netloc for url in loaded} - {"", _netloc(scene)})
        found.note(not foreign, f"{path}: {', '.join(foreign) or f'{len(loaded)} of its own'}")
    return found.outcome()


@probe(
    "N3",
    uz="Eʼlonlar sahifasi va tasmasi begona odam sifatida uch tilda ochiladi: eʼlon qilingan hamma narsa unda turishi kerak. "
    "Bitta tili yetishmagan eʼlon rad etilishi kerak.",
    ru="Страница и лента объявлений открыты посторонним на трёх языках: всё опубликованное должно на них стоять. "
    "Объявление без одного из языков должно быть отклонено.",
    en="The page and feed of announcements are opened by a stranger in three languages: all that was published must stand "
    "there. An announcement without one of the languages must be refused.",
)
async def announced(scene: Scene) -> Outcome:
    """What was announced can be read by anybody, versions of the policy among it; and is written in three languages."""
    found = Findings()
    rows = await scene.rows("announced")
    for language in LANGUAGES:
        page = unescape((await scene.visit(f"{ANNOUNCEMENTS}?lang={language}")).text)
        feed = unescape((await scene.visit(f"{ANNOUNCEMENTS}/feed/{language}.atom")).text)
        there = sum(
            f'id="{row["id"]}"' in page and f"{ANNOUNCEMENTS}/{row['id']}?lang={language}" in feed for row in rows
        )
        found.note(there == len(rows) > 0, f"{language}: {there} of {len(rows)}")
    for row in rows:
        if row["said"] is not None:
            found.note(set(row["said"]) == set(LANGUAGES), f"{row['id']}: {', '.join(sorted(row['said']))}")
    words = {language: Words(title=f"N3 {language}", text=f"{'Проверка' if language == 'ru' else 'Proving'} {language}")
             for language in LANGUAGES[:2]}  # fmt: skip
    try:
        await scene.house.announce.write(words, by="")
        found.note(False, "two languages: written")
    except BadInput as refused:
        found.note(refused.code == "words-language-missing", f"two languages: {refused.code}")
    return found.outcome()


def _rules(header: str) -> dict[str, set[str]]:
    parts = [part.split() for part in header.split(";") if part.strip()]
    return {name: set(sources) for name, *sources in parts}


def _netloc(scene: Scene) -> str:
    return urlsplit(scene.house.settings.address).netloc


PROBES = (public, one_origin, announced)
