"""The sealed house and the keeper of its root key: who gets an answer, and to what (S2, S6; a10)."""

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from omonat import app
from omonat.api import Api
from omonat.api.operations import OPERATIONS
from omonat.base import failpoints
from omonat.base.errors import OmonatError, Refused
from omonat.base.settings import RootSource, Settings
from omonat.cli import _keeper
from omonat.cli._keeper import Keeper
from omonat.sealed import Sealed, sealed_page
from omonat.vault.keeper import Keeper as Asking
from omonat.vault.root import RootKey
from omonat.vault.shares import keep_set, make_set
from omonat.vault.unsealings import waiting
from omonat.vault.vault import Vault
from tests.faults.breaking import Failpoints
from tests.keys.conftest import KEY, Omonat, written

ROOT = Path(__file__).parents[2]
HOST = "http://localhost"
CALM = "tandir non qozon osh choy"


@pytest.fixture
def shares(home: Path) -> list[str]:
    """The texts of five shares; three open."""
    home.mkdir(mode=0o700)
    vault = Vault.open(home, RootKey(KEY), create=True)
    made, pieces = make_set(RootKey(KEY), vault.installation, 3, 5, after=None)
    keep_set(home, made)
    return [share.text() for share in pieces]


async def refusal(keeper: Keeper, sibling: bool = False, **question: str) -> str:
    with pytest.raises(OmonatError) as caught:
        await keeper.answer(question, sibling=sibling)
    return caught.value.code


def http(application: Any, client: tuple[str, int] = ("127.0.0.1", 1), host: str = HOST) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application, client=client), base_url=host)


def every_route() -> Iterator[tuple[str, str]]:
    """All addresses of all doors, with whatever they take, and some that no door has."""
    for operation in OPERATIONS:
        yield (
            operation.method,
            operation.path.replace("{kind}/{reference}", "order/1").replace("{", "").replace("}", ""),
        )
    settings = Settings(home=Path("/nowhere"), database="postgresql://x@/x")
    for route in app.build(settings, RootKey(KEY)).routes:
        path = route.path_format.replace("{", "").replace("}", "")
        yield from ((method, path) for method in sorted(getattr(route, "methods", {"GET"}) or {"GET"}))
    yield from (("GET", "/"), ("POST", "/nowhere"), ("GET", "/v1"), ("GET", "/v1/nowhere"), ("GET", "/v1/openapi.json"))


async def test_S2_sealed_nothing_answers_but_health_and_unsealing(home: Path, shares: list[str]) -> None:
    open_to_all = {("GET", "/v1/health"), ("GET", "/v1/unseal"), ("POST", "/v1/unseal")}
    routes = sorted(set(every_route()) - open_to_all)
    assert len(routes) > 60
    async with http(Sealed(Settings(home=home))) as door:
        for method, path in routes:
            for accept in ("text/html,*/*;q=0.1", "application/json"):
                answer = await door.request(method, path, headers={"accept": accept}, json={})
                assert answer.status_code == 503, (method, path)
                assert answer.headers["cache-control"] == "no-store"
                assert "retry-after" in answer.headers
                if answer.headers["content-type"].startswith("text/html"):
                    assert "muhrlangan" in answer.text
                elif method != "HEAD":
                    assert answer.json()["code"] == "sealed", (method, path)
        assert (await door.get("/v1/health")).json()["status"] == "sealed"


def test_N1_the_sealed_page_is_said_in_three_languages_and_needs_nothing_else() -> None:
    pages = {language: sealed_page(language).decode() for language in ("uz", "ru", "en")}
    assert len(set(pages.values())) == 3
    for language, page in pages.items():
        assert f'lang="{language}"' in page
        assert not [word for word in ("<script", "<style", "style=", "src=", "href=", "http") if word in page]


async def test_S6_the_keeper_counts_holders_and_gives_the_root_to_its_siblings_alone(
    home: Path, shares: list[str]
) -> None:
    keeper = Keeper(Settings(home=home), None)
    assert await keeper.answer({"ask": "root"}, sibling=True) == {"root": None}
    for n, needed in ((0, 2), (3, 1)):
        told = await keeper.answer({"ask": "unseal", "here": "yes", "share": shares[n]}, sibling=False)
        assert (told["sealed"], told["needed"]) == (True, needed)
    assert await refusal(keeper, ask="unseal", here="yes", share=shares[0]) == "share-repeated"
    told = await keeper.answer({"ask": "unseal", "here": "", "share": shares[4]}, sibling=False)
    assert (told["sealed"], told["needed"]) == (False, 0)
    for question in ("root", "wait", "nonsense"):
        assert await refusal(keeper, ask=question) == "keeper-refuses"
    assert await keeper.answer({"ask": "root"}, sibling=True) == {"root": KEY.hex()}
    assert await keeper.answer({"ask": "wait"}, sibling=True) == {}


async def test_S2_tries_are_bounded_and_a_stranger_far_away_uses_up_his_own(home: Path, shares: list[str]) -> None:
    keeper = Keeper(Settings(home=home), None)
    for _ in range(10):
        assert await refusal(keeper, ask="unseal", here="", share="omonat1qqqq") == "share-malformed"
    assert await refusal(keeper, ask="unseal", here="", share=shares[0]) == "unseal-wait"
    told = await keeper.answer({"ask": "unseal", "here": "yes", "share": shares[0]}, sibling=False)
    assert told["given"] == 1
    tries = _keeper.Tries()
    for _ in range(10):
        tries.check(100.0, here=False)
        tries.was_wrong(100.0, here=False)
    with pytest.raises(Refused):
        tries.check(159.9, here=False)
    tries.check(160.0, here=False)


async def test_S6_shares_that_led_to_nothing_are_forgotten(
    home: Path, shares: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_keeper, "_FORGET", 0.0)
    keeper = Keeper(Settings(home=home), None)
    await keeper.answer({"ask": "unseal", "here": "yes", "share": shares[0]}, sibling=False)
    assert (await keeper.answer({"ask": "status"}, sibling=False))["given"] == 1
    for _ in range(3):
        await asyncio.sleep(0)
    assert (await keeper.answer({"ask": "status"}, sibling=False))["given"] == 0


async def test_S2_an_unsealing_that_cannot_be_noted_opens_nothing(
    home: Path, shares: list[str], tmp_path: Path
) -> None:
    (home / failpoints.MARK).touch()
    faults = Failpoints(tmp_path / "faults")
    failpoints.arm(faults.control, home)
    keeper = Keeper(Settings(home=home), None)
    try:
        for n in (0, 1):
            await keeper.answer({"ask": "unseal", "here": "yes", "share": shares[n]}, sibling=False)
        faults.arm("keys.drafted", "full")
        assert await refusal(keeper, ask="unseal", here="yes", share=shares[2]) == "unseal-unnoted"
    finally:
        failpoints.arm(None, home)
    assert await keeper.answer({"ask": "root"}, sibling=True) == {"root": None}
    assert waiting(home) == []
    for n in (0, 1, 2):
        told = await keeper.answer({"ask": "unseal", "here": "yes", "share": shares[n]}, sibling=False)
    assert told["sealed"] is False
    assert [(done.by, sorted(done.given)) for done in waiting(home)] == [("shares", [1, 2, 3])]


async def test_S6_a_passphrase_that_was_once_in_a_file_can_be_typed(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "words", CALM.encode())
    settings = Settings(home=home, root_key=RootSource("passphrase-file", file))
    root = RootKey.from_passphrase(CALM, tmp_path / "words.scrypt", n=2**10)
    Vault.open(home, root, create=True)
    assert _keeper.configured_root(settings).mark == root.mark
    file.unlink()
    keeper = Keeper(Settings(home=home), None)
    assert (await keeper.answer({"ask": "status"}, sibling=False))["passphrase"] is True
    assert await refusal(keeper, ask="unseal", here="yes", passphrase=CALM + "!") == "passphrase-wrong"
    told = await keeper.answer({"ask": "unseal", "here": "yes", "passphrase": CALM}, sibling=False)
    assert told["sealed"] is False
    assert (
        await refusal(Keeper(Settings(home=tmp_path / "none"), None), ask="unseal", passphrase=CALM) == "keys-missing"
    )


@pytest.mark.parametrize(
    "case",
    [
        ("127.0.0.1", {}, HOST, True),
        ("::1", {}, HOST, True),
        ("203.0.113.9", {}, "https://privacy.example.uz", True),
        ("203.0.113.9", {}, "http://privacy.example.uz", False),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, HOST, False),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9;proto=https"}, HOST, False),
        ("127.0.0.1", {"x-forwarded-proto": "https"}, HOST, False),
    ],
)
async def test_S2_a_share_is_never_taken_on_a_line_others_can_read(
    home: Path, shares: list[str], case: tuple[str, dict[str, str], str, bool]
) -> None:
    client, headers, host, taken = case
    async with http(Api(None, home=home), (client, 1), host) as door:
        answer = await door.post("/v1/unseal", json={"share": shares[0]}, headers=headers)
    assert answer.json()["code"] == ("keeper-away" if taken else "unseal-open-line")
    assert shares[0][8:20] not in answer.text


@pytest.mark.parametrize("body", [{}, {"share": "a", "passphrase": "b"}, {"shares": "a"}, {"share": 1}])
async def test_S2_one_proof_at_a_time(home: Path, body: dict[str, Any]) -> None:
    async with http(Api(None, home=home)) as door:
        assert (await door.post("/v1/unseal", json=body)).status_code == 422


def test_S2_only_a_child_of_the_same_parent_counts_as_a_worker(home: Path, shares: list[str]) -> None:
    """Not the parent itself, not a stranger, root user or not: asked over the real socket by real processes."""
    ask = f"from omonat.vault.keeper import Keeper; from pathlib import Path; print(Keeper(Path({str(home)!r})).root())"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OMONAT_HOME": str(home)}
    environment["OMONAT_ROOT_KEY"] = f"key-file:{written(home.parent / 'k', KEY)}"
    keeper = subprocess.Popen([sys.executable, "-m", "omonat.cli._keeper", "configured"], env=environment)
    try:
        sibling = [sys.executable, "-c", ask]
        told = subprocess.run(sibling, env=environment, capture_output=True, text=True, timeout=30, check=True)
        assert told.stdout == "RootKey(…)\n"
        with pytest.raises(Refused) as caught:
            Asking(home).root()
        assert caught.value.code == "keeper-refuses"
        grandchild = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}])"]
        stranger = subprocess.run(grandchild, env=environment, capture_output=True, text=True, timeout=30, check=True)
        assert "keeper of the root key does not answer" in stranger.stderr
        assert Asking(home).ask_now("seal") == {}
        assert keeper.wait(10) == 31
    finally:
        keeper.kill()
        keeper.wait()


def test_S6_a_home_with_a_long_path_has_its_socket_all_the_same(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    with _keeper.listen(deep) as first:
        first.listen()
        with Asking(deep)._connected(1):
            pass
    with _keeper.listen(deep) as again:  # what an earlier one left is replaced
        assert again.family == socket.AF_UNIX


def test_S6_memory_with_keys_is_closed_to_the_rest_of_the_machine() -> None:
    look = (
        "import ctypes, resource; from omonat.database.processes import keep_memory_private as keep; keep(); "
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == "0 (0, 0)\n"
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1, "in a process without keys it is not so"


def test_S2_nothing_to_seal_or_open_is_said(omonat: Omonat, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir(mode=0o700)
    monkeypatch.setenv("OMONAT_PORT", "1")
    for arguments in (["seal"], ["unseal", "--configured"], ["unseal"]):
        error = omonat(*arguments).exception
        assert isinstance(error, OmonatError)
        assert error.code == "keeper-away"
