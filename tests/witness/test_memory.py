"""Never two roots for one size: many at once, killed anywhere, on a full disk, with a damaged memory (bar b6, S6)."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.evidence.note import COSIGNATURE, Signer
from omonat.witness.memory import Memory, origin_hash
from omonat.witness.rule import DeclinedError
from tests.ports import free_port
from tests.witness.conftest import NAME, ORIGIN, START, FakeLog

ROOT = Path(__file__).parents[2]
STEPS = ["judged", "written", "flushed", "renamed", "kept"]


def hammer(memory: Memory, seed: int, times: int, step: str = "") -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tests.witness.hammering", str(memory.path), str(seed), str(times), step]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def one_root_for_each_size(outputs: Iterable[str]) -> int:
    """How many cosignatures there were."""
    roots: dict[str, str] = {}
    lines = [line for output in outputs for line in output.splitlines() if line.count(" ") == 1]
    for line in lines:
        size, root = line.split()
        assert roots.setdefault(size, root) == root, f"two roots for {size} entries"
    return len(lines)


def hammered(memory: Memory, workers: int, times: int) -> int:
    working = [hammer(memory, seed, times) for seed in range(1, workers + 1)]
    outputs = [worker.communicate()[0] for worker in working]
    assert all(worker.returncode == 0 for worker in working)
    return one_root_for_each_size(outputs)


def test_S6_many_processes_at_once_never_get_two_roots_for_one_size(memory: Memory) -> None:
    assert hammered(memory, workers=3, times=250) > 60


@pytest.mark.long
def test_S6_a_hundred_thousand_calls_never_get_two_roots_for_one_size(memory: Memory) -> None:
    assert hammered(memory, workers=8, times=12_500) > 1_000


@pytest.mark.parametrize("step", STEPS)
def test_S6_killed_at_any_step_nothing_cosigned_is_forgotten(memory: Memory, step: str) -> None:
    outputs = []
    for seed in (1, 4):
        worker = hammer(memory, seed, 60, step)
        outputs.append(worker.communicate()[0])
        assert worker.returncode == 9
    outputs.append(hammer(memory, 99, 60).communicate()[0])  # it goes on as if nothing had been
    assert one_root_for_each_size(outputs) > 3


def test_S6_the_service_is_killed_again_and_again_and_stays_true(memory: Memory, log: FakeLog) -> None:
    """`omonat witness serve` itself, with SIGKILL; the client asks on where it was told to."""
    port = free_port()
    roots: dict[int, bytes] = {}
    old = 0
    for run in range(3):
        words = [sys.executable, "-m", "omonat", "witness", "serve", "--folder", str(memory.path), "--port", str(port)]
        service = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
                wait_for(http)
                for history in (log.forked(3 + run), log, log.forked(2)) * 3:
                    new = old + 2
                    answer = http.post("/add-checkpoint", content=bytes(history.request(old, new)))
                    if answer.status_code == 200:
                        assert roots.setdefault(new, history.root(new)) == history.root(new)
                        old = new
                    elif answer.status_code == 409:
                        old = int(answer.text)
                        assert old >= max(roots, default=0)
        finally:
            service.send_signal(signal.SIGKILL)
            service.wait()
    assert len(roots) >= 3


def wait_for(http: httpx.Client) -> None:
    for _ in range(400):
        try:
            http.get("/")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the witness didn't answer")


def test_S6_a_disk_that_takes_nothing_gets_nothing_cosigned_and_mends_itself(memory: Memory, log: FakeLog) -> None:
    memory.cosign(log.request(0, 5), now=START)
    obstacle = memory.path / origin_hash(ORIGIN) / "seen.new"
    obstacle.mkdir()  # nobody can write the draft, whoever they are
    with pytest.raises(Unavailable, match="witness"):
        memory.cosign(log.request(5, 9), now=START)
    obstacle.rmdir()
    with pytest.raises(DeclinedError) as declined:
        memory.cosign(log.request(9, 12), now=START)
    assert declined.value.seen == 5
    memory.cosign(log.request(5, 9), now=START)


def test_S6_a_memory_that_cannot_be_read_is_never_taken_for_a_fresh_start(memory: Memory, log: FakeLog) -> None:
    memory.cosign(log.request(0, 300), now=START)
    seen = memory.path / origin_hash(ORIGIN) / "seen"
    whole = seen.read_bytes()
    damaged = [b"", b"nothing", whole[:-1], whole[1:], whole + b"\n", whole.replace(b"\n300\n", b"\n0300\n"), b"\xff"]
    for raw in damaged:
        seen.write_bytes(raw)
        with pytest.raises(Fault):
            memory.cosign(log.forked(4).request(0, 5), now=START)
    seen.unlink()
    with pytest.raises(Fault):
        memory.cosign(log.forked(4).request(0, 5), now=START)
    memory.trust(log.signer.verifier.vkey)  # trusting it again doesn't make it forget either
    with pytest.raises(Fault):
        memory.cosign(log.forked(4).request(0, 5), now=START)
    seen.write_bytes(whole)
    memory.cosign(log.request(300, 301), now=START)


def test_S6_keys_are_made_once_closed_to_others_and_only_logs_are_watched(memory: Memory, log: FakeLog) -> None:
    assert (memory.path / "key").stat().st_mode & 0o077 == 0
    with pytest.raises(BadInput):
        Memory.create(memory.path, "another")
    with pytest.raises(BadInput):
        Memory.create(memory.path.with_name("x"), "a name with spaces")
    with pytest.raises(BadInput):
        memory.trust(Signer(ORIGIN, log.signer.key, COSIGNATURE).verifier.vkey)
    assert [origin for origin, _ in memory.watched()] == [ORIGIN]
    assert Memory(memory.path).signer.verifier == memory.signer.verifier
    assert memory.signer.verifier.name == NAME
