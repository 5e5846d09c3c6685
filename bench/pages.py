"""The policy itself: how long compiling takes, and how long and how large its public page is."""

import asyncio
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar import Litestar

from bench.figures import Figure, amount
from omonat.base.instants import Instant
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import Pack, read_pack
from omonat.policy.reader import read_policy
from omonat.site import door
from omonat.site.library import Edition, Shelf
from omonat.site.routes import site_routes

POLICIES = Path(__file__).parents[1] / "policies"
LANGUAGES = ("uz", "ru", "en")


def shipped() -> tuple[str, tuple[Pack, ...]]:
    """BESHQOZON's policy as typed, and the law packs it names."""
    pack = read_pack((POLICIES / "packs" / "uz.yaml").read_text("utf-8"), name="uz")
    return (POLICIES / "beshqozon.yaml").read_text("utf-8"), (pack,)


def compiled() -> CompiledPolicy:
    """BESHQOZON's policy, ready to run."""
    text, packs = shipped()
    return compile_policy(read_policy(text), packs)


def figures(*, rounds: int) -> list[Figure]:
    """Reading, compiling, and the page in all three languages, of which the worst counts.

    The page is asked for as a browser asks: through the application, compressed. `first` is the page right after a
    publication, when everything is rendered anew.
    """
    text, packs = shipped()
    document = read_policy(text)
    application = Litestar(
        site_routes(Shelf([Edition(document.policy, 1, text.encode(), Instant(0), packs)]), now=lambda: Instant(0)),
        openapi_config=None,
    )

    def page(language: str) -> bytes:
        return asyncio.run(_get(application, language))

    def first(language: str) -> bytes:
        door._bodies.cache_clear()
        return page(language)

    sizes = {language: page(language) for language in LANGUAGES}
    for language, sent in sizes.items():
        shown = gzip.decompress(sent).decode().casefold()
        missing = [item.id for item in document.policy.items.values() if item.says[language].casefold() not in shown]
        assert not missing, f"not on the page in {language}: {missing}"
    return [
        amount("policy: read the document", _ms(lambda: read_policy(text), max(3, rounds // 5)), unit="ms"),
        amount(
            "policy: compile", _ms(lambda: compile_policy(document, packs), rounds), unit="ms", gate=200, at_most=True
        ),
        _slowest("notice page: first after a publication", first, rounds),
        _slowest("notice page: ever after", page, rounds),
        amount(
            "notice page: size as sent", [max(map(len, sizes.values())) / 1000], unit="kB", gate=60, at_most=True,
            more={"unpacked kB": max(len(gzip.decompress(sent)) for sent in sizes.values()) / 1000},
        ),
    ]  # fmt: skip


async def _get(application: Any, language: str) -> bytes:
    """One page through the application, without a network."""
    sent: list[bytes] = []
    scope = {
        "type": "http", "method": "GET", "path": door.HOME, "raw_path": door.HOME.encode(), "root_path": "",
        "query_string": f"lang={language}".encode(), "headers": [(b"accept-encoding", b"gzip")],
        "http_version": "1.1", "scheme": "http", "server": ("localhost", 80), "client": ("127.0.0.1", 1),
        "asgi": {"version": "3.0"}, "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200
        sent.append(message.get("body", b""))

    await application(scope, receive, send)
    return b"".join(sent)


def _slowest(name: str, show: Callable[[str], bytes], rounds: int) -> Figure:
    rows = [
        amount(name, _ms(lambda which=language: show(which), rounds), unit="ms", gate=20, at_most=True)  # type: ignore[misc]
        for language in LANGUAGES
    ]
    return max(rows, key=lambda row: row.value)


def _ms(work: Callable[[], object], times: int) -> list[float]:
    prices = []
    for _ in range(times):
        start = time.process_time_ns()
        work()
        prices.append((time.process_time_ns() - start) / 1e6)
    return prices
