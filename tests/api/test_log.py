"""The evidence log over HTTP: C2SP's paths, and nothing that isn't signed or isn't spelled so (A1, S6)."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from omonat.base.ids import new_id
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.export import all_names
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.sequencer import Sequencer
from omonat.evidence.tiles import TileName, leaves_of, unbundle
from omonat.evidence.tree import check_consistency, root_of
from tests.api.conftest import Door, Served


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def size(door: Door) -> int:
    """A log of more than one full tile, under a checkpoint; and a file of the future, written but not signed."""
    house = door.house
    entries = [
        Entry(new_id("ev"), door.clock(), "use:person:refused", {"purpose": "deliver-order"}) for _ in range(300)
    ]
    async with house.grounds.database.transaction() as connection:
        await house.grounds.journal.append(connection, entries, now=door.clock())
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=door.clock, holder="test")
    await sequencer.open()
    published = (await sequencer.advance()).size
    house.log.write_tiles({TileName(0, 1, published - 256 + 1): bytes(32 * (published - 256 + 1))})
    return published


@pytest_asyncio.fixture(loop_scope="session")
async def http(served: Served, size: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as client:
        yield client


async def test_A1_a_stranger_takes_the_whole_log_by_http_and_verifies_it(
    door: Door, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    checkpoint = await http.get("/log/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    size = Checkpoint.parse(Note.parse(checkpoint.content).text).size
    copy = LogFolder(tmp_path)
    for name in all_names(size):
        answer = await http.get(f"/log/{name.path}")
        assert answer.status_code == 200, name.path
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        copy.write_tiles({name: answer.content})
    copy.write_checkpoint(checkpoint.content)
    keys = (await http.get("/log/keys")).text.split()
    assert keys == [key.vkey for key in door.house.keys.pinned]
    report = verifier.verify_log(tmp_path, verifier.Pinned.of(keys))
    assert (report.code, report.size) == (verifier.INTACT, size)


async def test_A1_the_checkpoint_is_fresh_and_answers_carry_no_trace_of_who_asks(http: httpx.AsyncClient) -> None:
    answer = await http.get("/log/checkpoint")
    assert answer.headers["cache-control"] == "public, max-age=2"
    assert "set-cookie" not in answer.headers
    assert "vary" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = await http.head("/log/checkpoint")
    assert (head.content, head.headers["content-length"]) == (b"", answer.headers["content-length"])


async def test_S6_narrower_tiles_stay_as_they_were_and_wider_ones_are_not_there_before_they_are_signed(
    http: httpx.AsyncClient, size: int
) -> None:
    full = (await http.get("/log/tile/0/000")).content
    for width in (1, 7, 255):
        assert (await http.get(f"/log/tile/0/000.p/{width}")).content == full[: 32 * width]
        entries = (await http.get(f"/log/tile/entries/000.p/{width}")).content
        assert (await http.get("/log/tile/entries/000")).content.startswith(entries)
    edge = size - 256
    assert (await http.get(f"/log/tile/0/001.p/{edge}")).status_code == 200
    for path in (f"0/001.p/{edge + 1}", "0/001", f"entries/001.p/{edge + 1}", "0/002.p/1", "1/000.p/2", "2/000.p/1"):
        missing = await http.get(f"/log/tile/{path}")
        assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store"), path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/tile", "/tile/", "/tile/0", "/tile/0/", "/tile/0/0", "/tile/0/00", "/tile/0/0000", "/tile/00/000"),
        *(
            "/tile/0/x000/000",
            "/tile/0/000/",
            "/tile/0/000.p",
            "/tile/0/000.p/0",
            "/tile/0/000.p/256",
            "/tile/0/000.p/01",
        ),
        *(
            "/tile/0/000.p/+1",
            "/tile/0/000.p/1/",
            "/tile/-1/000",
            "/tile/64/000",
            "/tile/0/-01",
            "/tile/0/%D9%A1%D9%A2%D9%A3",
        ),
        *("/tile/0/1_0", "/tile/ENTRIES/000", "/tile/entries/x/000", "/tile/0//000", "//checkpoint", "/checkpoint/"),
        *("/Checkpoint", "/checkpoint.new", "/.lock", "/conflicts/x.note", "/tile/0/%30%30%30", "/%63heckpoint"),
        *("/../keys", "/tile/../checkpoint", "/tile/0/..%2f..%2fcheckpoint", "/tile/0/000%00", "/verifier.py"),
        "/tile/0/" + "x999/" * 300 + "999",
    ],
)
async def test_S6_a_path_has_one_spelling(served: Served, size: int, path: str) -> None:
    """Byte by byte on a socket: a client would tidy the path up before it is sent."""
    at = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(f"GET /log{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 404 "), path


async def test_S6_nothing_is_asked_for_by_query_or_changed(http: httpx.AsyncClient) -> None:
    assert (await http.get("/log/checkpoint?x=1")).status_code == 422
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = await http.request(method, "/log/checkpoint")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_S6_that_the_log_only_grew_is_proved_from_any_size_kept(door: Door, http: httpx.AsyncClient) -> None:
    for old in (1, 2, 255, 256, 257, 300):
        answer = (await http.get(f"/v1/evidence/consistency/{old}")).json()
        new = Checkpoint.parse(Note.parse(answer["checkpoint"].encode()).text)
        earlier = root_of_the_first(door, old)
        check_consistency(old, new.size, earlier, new.root, [b64decode(one) for one in answer["proof"]])
    assert (await http.get("/v1/evidence/consistency/0")).json()["proof"] == []
    future = await http.get("/v1/evidence/consistency/999999")
    assert future.json()["code"] == "evidence-proof-pending"
    for wrong in ("01", "-1", "x", "9" * 30):
        assert (await http.get(f"/v1/evidence/consistency/{wrong}")).status_code == 404


def root_of_the_first(door: Door, size: int) -> bytes:
    entries: list[bytes] = []
    for number in range(-(-size // 256)):
        name = TileName("entries", number, min(256, size - 256 * number))
        entries += unbundle(door.house.log.read(name) or b"")
    return root_of(leaves_of(entries))
