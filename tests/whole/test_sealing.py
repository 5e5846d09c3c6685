"""Sealed at the start, opened by its holders, sealed again on demand: nothing is given out in between (S2, S6; a10)."""

import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from omonat.vault.keeper import SOCKET
from omonat.vault.root import RootKey
from omonat.vault.shares import keep_set, make_set
from omonat.vault.vault import Vault
from tests.whole import witness
from tests.whole.lines import Line, one_to_each, ordered
from tests.whole.serving import ROOT, Installation, Service, serving, until

USE = {"purpose": "deliver-order", "case": "order:sealed"}


def omonat(of: Installation, port: int, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "omonat", *arguments],
        env=of.environment(port, **settings),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def papers(installation: Installation) -> Sequence[str]:
    """The installation's root key in five hands."""
    folder = installation.home.with_suffix(".papers")
    folder.mkdir(mode=0o700)
    root = RootKey.from_file(installation.root_key)
    vault = Vault.open(installation.home, root)
    made, shares = make_set(root, vault.installation, 3, 5, after=None)
    keep_set(installation.home, made)
    for share in shares:
        (folder / f"{share.number}").write_text(share.print_out(vault.installation, made.count))
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def sealed(installation: Installation, papers: Sequence[str]) -> Iterator[Service]:
    """It runs, and nobody has told it the root key."""
    service = Service(installation, ROOT_KEY="shares")
    try:
        until(lambda: service.health() == "sealed" or service.process.poll() is not None, 60, service.said)
        yield service
    finally:
        service.end()


def hits(pids: Sequence[int], needle: bytes) -> dict[int, int]:
    """How often the bytes stand in the memory of each process that has them; another account may not even look."""
    found = {}
    for pid in pids:
        count, rest = 0, b""
        try:
            regions = Path(f"/proc/{pid}/maps").read_text().splitlines()
            with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
                for line in regions:
                    match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.p", line)
                    if match is None:
                        continue
                    start, end = (int(part, 16) for part in match.groups())
                    try:
                        memory.seek(start)
                        count += (rest + memory.read(end - start)).count(needle)
                    except OSError:
                        continue
        except (FileNotFoundError, ProcessLookupError):
            continue
        if count:
            found[pid] = count
    return found


def test_S6_holders_open_it_one_by_one_and_sealing_leaves_no_key_in_any_process(
    sealed: Service, papers: Sequence[str]
) -> None:
    of, port = sealed.of, sealed.port
    key = of.root_key.read_bytes()
    assert hits(sealed.everything(), key) == {}

    given = [Line(sealed).post("/v1/unseal", {"share": Path(papers[n]).read_text()}, "") for n in (4, 1, 4)]
    assert [answer.code for answer in given] == ["", "", "share-repeated"], "the same share twice is not two"
    assert Line(sealed).get("/v1/unseal").body == {
        **{"sealed": True, "threshold": 3, "given": 2, "needed": 1, "passphrase": False}
    }
    assert Line(sealed).use(of.credentials["site"], **USE).code == "sealed"

    opened = omonat(of, port, "unseal", papers[2], ROOT_KEY="shares")
    assert opened.returncode == 0, opened.stderr
    sealed.wait_until_it_answers()
    until(lambda: witness.read(of).acts().get("root:unsealed") == 1, 40, sealed.said)
    assert not list((of.home / "keys").glob("unsealed-*"))
    ordered(Line(sealed), of, USE["case"])
    for line in one_to_each(sealed):
        assert line.use(of.credentials["site"], **USE).body["items"]["contact.name"] == "Zilola Rahimova"
        line.close()
    workers = sealed.children("web") + sealed.children("jobs")
    for pid in workers:
        assert re.search(r"Max core file size +0 +0 ", Path(f"/proc/{pid}/limits").read_text())
    if os.geteuid() == 0:
        assert hits(sealed.everything(), key), "the search would find it"
    else:
        with pytest.raises(PermissionError):
            hits(workers, key)

    closed = omonat(of, port, "seal", ROOT_KEY="shares")
    assert closed.returncode == 0, closed.stderr
    assert hits(sealed.everything(), key) == {}
    assert not set(workers) & set(sealed.everything())
    assert Line(sealed).use(of.credentials["site"], **USE).code == "sealed"
    until(lambda: sealed.health() == "sealed", 30, sealed.said)
    assert not list(of.home.rglob("core*"))
    for paper in papers:
        letters = "".join(Path(paper).read_text().splitlines()[-3:]).replace(" ", "")
        assert letters[:20] not in sealed.said()


def test_S2_no_use_that_begins_after_sealing_is_answered(installation: Installation) -> None:
    """Eight clients ask without a pause while the house is sealed under their hands. Neither the key file nor a keeper
    that dies opens it again."""
    with serving(installation, WORKERS="1") as service:
        before = set(service.children("web"))
        os.kill(_keeper(service), signal.SIGKILL)
        until(lambda: not set(service.children("web")) & before and service.answers(), 60, service.said)
        assert (installation.home / SOCKET).stat().st_mode & 0o777 == 0o600
        ordered(Line(service), installation, USE["case"])
        answered: list[tuple[float, int]] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                begun = time.monotonic()
                with suppress(OSError, http.client.HTTPException):  # cut off in the middle: sealing does not wait
                    answered.append((begun, _status_of_a_use(service)))

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        until(lambda: len(answered) > 50, 30)
        assert omonat(installation, service.port, "seal").returncode == 0
        sealed_at = time.monotonic()
        until(lambda: sum(1 for begun, _ in answered if begun > sealed_at) > 20, 30, service.said)
        over.set()
        for client in clients:
            client.join(10)
        assert {status for begun, status in answered if begun > sealed_at} == {503}
        assert 200 in {status for begun, status in answered if begun < sealed_at}

        keeper = _keeper(service)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: keeper not in service.everything() and service.health() == "sealed", 30, service.said)
        assert omonat(installation, service.port, "unseal", "--configured").returncode == 0
        service.wait_until_it_answers()


def _status_of_a_use(service: Service) -> int:
    headers = {"Host": f"localhost:{service.port}", "Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {service.of.credentials['site']}"
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        connection.request("POST", "/v1/use", json.dumps(USE), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _keeper(service: Service) -> int:
    return next(pid for pid in service.children("everything") if "omonat.cli._keeper" in _words(pid))


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def test_S6_uses_go_on_while_the_root_is_rotated(installation: Installation) -> None:
    """Four clients ask and order without a pause; none is refused, before, during or after, in either worker."""
    with serving(installation) as service:
        ordered(Line(service), installation, USE["case"])
        statuses: list[int] = []
        failures: list[BaseException] = []
        over = threading.Event()

        def work(name: int) -> None:
            try:
                line = Line(service)
                for n in itertools.count():
                    if over.is_set():
                        return
                    statuses.append(line.use(installation.credentials["site"], **USE).status)
                    if n % 10 == 0:
                        ordered(line, installation, f"order:{name}-{n}")
            except BaseException as error:
                failures.append(error)

        clients = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for client in clients:
            client.start()
        until(lambda: len(statuses) > 50, 30)
        new = installation.home.with_suffix(".new") / "root.key"
        told = omonat(installation, service.port, "root", "rotate", "--to", f"key-file:{new}")
        assert told.returncode == 0, told.stderr
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 50, 30)
        over.set()
        for client in clients:
            client.join(10)
        assert failures == []
        assert set(statuses) == {200}
        service.kill("web")  # the next worker is given the new root
        service.wait_until_it_answers()
    moved = Installation(installation.home, new, installation.credentials, installation.keys)
    with serving(moved, WORKERS="1") as again:
        assert Line(again).use(installation.credentials["site"], **USE).status == 200
