"""Slots: durable before they are given out, never given out twice, gone on every copy once destroyed (R3, S6)."""

import multiprocessing
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.base.ids import new_id
from omonat.vault import storage
from omonat.vault.header import FIRST_SLOT, LENGTH, PAGE, SLOT
from omonat.vault.root import RootKey
from omonat.vault.slots import CHUNK, SlotFile
from omonat.vault.vault import Vault

INSTALLATION = "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa"  # the same in every process the tests start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def copies(folder: Path, count: int) -> list[Path]:
    return [folder / f"slots-{n}" for n in range(count)]


def spoil(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def place_of(number: int) -> int:
    return FIRST_SLOT + SLOT * number


def test_S6_numbers_are_given_out_once_and_open(folder: Path, root: RootKey) -> None:
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    numbers = [n for size in (1, 1, 63, 500, 9_000, 2) for n in slots.reserve(size)]
    assert len(set(numbers)) == len(numbers) == 9_567
    assert len({slots.secret(n) for n in numbers}) == len(numbers)
    assert all(len(slots.secret(n)) == 32 for n in numbers[:10])
    assert slots.reserve(0) == []


def test_S6_a_restart_never_gives_a_number_again(folder: Path, root: RootKey) -> None:
    seen: set[int] = set()
    for _ in range(20):
        fresh = SlotFile.create(copies(folder, 1), root, INSTALLATION) if not seen else None
        numbers = (fresh or SlotFile.open(copies(folder, 1), root, INSTALLATION)).reserve(100)
        assert not seen & set(numbers)
        seen |= set(numbers)


def _reserve_often(path: Path, secret: bytes, out: Any) -> None:
    slots = SlotFile.open([path], RootKey(secret), INSTALLATION)
    rng = random.Random(os.getpid())
    mine: list[int] = []
    for _ in range(150):
        mine += slots.reserve(rng.choice((1, 3, 70, 300)))
    out.put((mine, [slots.secret(n)[:4] for n in mine]))


def test_S6_four_processes_racing_share_no_number(folder: Path) -> None:
    secret = os.urandom(32)
    slots = SlotFile.create(copies(folder, 1), RootKey(secret), INSTALLATION)
    spawn = multiprocessing.get_context("spawn")
    out = spawn.Queue()
    racers = [spawn.Process(target=_reserve_often, args=(copies(folder, 1)[0], secret, out)) for _ in range(4)]
    for racer in racers:
        racer.start()
    results = [out.get(timeout=20) for _ in racers]
    for racer in racers:
        racer.join(10)
    numbers = [n for mine, _ in results for n in mine]
    assert len(numbers) == len(set(numbers)) > 20_000
    for mine, heads in results:
        assert [slots.secret(n)[:4] for n in mine] == heads


def test_S6_a_forked_child_shares_no_number_with_its_parent(folder: Path, root: RootKey) -> None:
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    slots.reserve(3)
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(there, b"".join(n.to_bytes(8, "big") for n in slots.reserve(50)))
        os._exit(0)
    mine = set(slots.reserve(50))
    os.waitpid(child, 0)
    told = os.read(here, 4096)
    theirs = {int.from_bytes(told[at : at + 8], "big") for at in range(0, len(told), 8)}
    assert len(theirs) == 50
    assert not mine & theirs


def test_R3_a_destroyed_slot_is_a_tombstone_for_good(folder: Path, root: RootKey) -> None:
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    doomed, kept, *_ = slots.reserve(10)
    slots.destroy([doomed])
    slots.destroy([doomed])
    slots.destroy([])
    for now in (slots, SlotFile.open(copies(folder, 1), root, INSTALLATION)):
        assert now.is_destroyed(doomed)
        assert not now.is_destroyed(kept)
        with pytest.raises(Refused) as caught:
            now.secret(doomed)
        assert caught.value.code == "key-destroyed"
        assert now.secret(kept)


def test_S6_a_slot_moved_zeroed_or_changed_is_damage_and_not_destruction(folder: Path, root: RootKey) -> None:
    (path,) = copies(folder, 1)
    slots = SlotFile.create([path], root, INSTALLATION)
    one, two, three, doomed, *_ = slots.reserve(10)
    slots.destroy([doomed])
    tombstone = slots.slot(doomed)
    spoil(path, place_of(one), slots.slot(two))
    spoil(path, place_of(two), bytes(64))
    spoil(path, place_of(three), tombstone)
    for number in (one, two, three):
        assert not slots.is_destroyed(number)
        with pytest.raises(Fault) as caught:
            slots.secret(number)
        assert caught.value.code == "slot-changed"
    for at in range(SLOT):
        spoil(path, place_of(doomed), tombstone[:at] + bytes([tombstone[at] ^ 1]) + tombstone[at + 1 :])
        with pytest.raises(Fault):
            slots.secret(doomed)


@pytest.mark.parametrize("number", [-(2**40), -200, -1, 0, 10**6, 2**70])
def test_S6_a_number_never_given_out_is_a_fault(folder: Path, root: RootKey, number: int) -> None:
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    slots.reserve(1)
    for attempt in (lambda: slots.secret(number), lambda: slots.destroy([number])):
        with pytest.raises(Fault) as caught:
            attempt()
        assert caught.value.code == "slot-unknown"


def test_S6_another_root_or_installation_is_refused_clearly(folder: Path, root: RootKey) -> None:
    SlotFile.create(copies(folder, 1), root, INSTALLATION).reserve(1)
    with pytest.raises(Refused) as refused:
        SlotFile.open(copies(folder, 1), RootKey(os.urandom(32)), INSTALLATION)
    assert refused.value.code == "root-wrong"
    assert "not the root key" in str(refused.value)
    with pytest.raises(Fault):
        SlotFile.open(copies(folder, 1), root, new_id("ins"))


@pytest.mark.parametrize("page", [0, PAGE])
def test_S6_a_rotten_header_never_brings_numbers_back(folder: Path, root: RootKey, page: int) -> None:
    """Whichever of the two records rots, the newest or the older: no number that was given out comes again."""
    (path,) = copies(folder, 1)
    slots = SlotFile.create([path], root, INSTALLATION)
    given = set(slots.reserve(CHUNK + 50))
    spoil(path, page + 40, os.urandom(8))
    opened = SlotFile.open([path], root, INSTALLATION)
    assert not given & set(opened.reserve(100))
    assert all(opened.secret(n) for n in given)
    spoil(path, 0, bytes(PAGE + LENGTH))
    with pytest.raises(Fault) as caught:
        SlotFile.open([path], root, INSTALLATION)
    assert caught.value.code == "keys-changed"


def test_R3_destroying_reaches_every_copy(folder: Path, root: RootKey) -> None:
    paths = copies(folder, 3)
    slots = SlotFile.create(paths, root, INSTALLATION)
    numbers = slots.reserve(100)
    slots.destroy(numbers[10:40])
    first, *others = [path.read_bytes()[FIRST_SLOT:] for path in paths]
    assert all(other == first for other in others)
    assert all(slots.is_destroyed(n) for n in numbers[10:40])


def test_R3_many_at_once_are_destroyed_and_nobody_beside_them(folder: Path, root: RootKey) -> None:
    """Scattered and crowded, over several chunks, on two copies, beside a slot damaged on one copy only."""
    paths = copies(folder, 2)
    slots = SlotFile.create(paths, root, INSTALLATION)
    numbers = slots.reserve(3 * CHUNK)
    before = {n: slots.secret(n) for n in numbers}
    rng = random.Random(3)
    damaged = numbers[100]
    spoil(paths[0], place_of(damaged), bytes(SLOT))
    doomed = (set(rng.sample(numbers, 3_000)) | {numbers[0], numbers[-1]}) - {damaged}
    slots.destroy(doomed)
    for n in numbers:
        if n in doomed:
            assert slots.is_destroyed(n)
        elif n != damaged:
            assert slots.secret(n) == before[n]
    healthy = paths[1].read_bytes()[place_of(damaged) : place_of(damaged) + SLOT]
    assert slots.open_slot(damaged, healthy) == before[damaged]


def test_R3_a_copy_that_comes_back_forgets_before_it_serves(folder: Path, root: RootKey) -> None:
    paths = copies(folder, 2)
    slots = SlotFile.create(paths, root, INSTALLATION)
    numbers = slots.reserve(100)
    for stale in (0, 1):
        old = paths[stale].read_bytes()
        slots.destroy(numbers[stale * 10 : stale * 10 + 5])
        later = slots.reserve(CHUNK + 10)
        spoil(paths[stale], 0, old)
        os.truncate(paths[stale], len(old))
        slots = SlotFile.open(paths, root, INSTALLATION)
        assert all(slots.is_destroyed(n) for n in numbers[stale * 10 : stale * 10 + 5])
        assert slots.secret(later[-1])
        assert paths[0].read_bytes()[FIRST_SLOT:] == paths[1].read_bytes()[FIRST_SLOT:]
        assert not set(later) & set(slots.reserve(100))


def test_S6_a_damaged_slot_heals_from_the_other_copy(folder: Path, root: RootKey) -> None:
    paths = copies(folder, 2)
    slots = SlotFile.create(paths, root, INSTALLATION)
    number = slots.reserve(1)[0]
    secret = slots.secret(number)
    spoil(paths[0], place_of(number), os.urandom(SLOT))
    spoil(paths[0], PAGE, bytes(8))  # the damage took a header record along, so opening compares the copies
    assert SlotFile.open(paths, root, INSTALLATION).secret(number) == secret


def test_R3_no_registered_copy_may_be_left_out(folder: Path, root: RootKey) -> None:
    paths = copies(folder, 3)
    slots = SlotFile.create(paths[:2], root, INSTALLATION)
    number, doomed = slots.reserve(2)
    slots.destroy([doomed])
    for wrong in (paths[:1], [paths[1], paths[0]], [paths[0], paths[0]]):
        with pytest.raises(Unavailable) as caught:
            SlotFile.open(wrong, root, INSTALLATION)
        assert caught.value.code == "key-copies-missing"
    slots.register(paths[2])
    assert paths[2].read_bytes()[FIRST_SLOT:] == paths[0].read_bytes()[FIRST_SLOT:]
    with pytest.raises(Unavailable):
        SlotFile.open(paths[:2], root, INSTALLATION)
    opened = SlotFile.open(paths, root, INSTALLATION)
    assert opened.secret(number) == slots.secret(number)
    assert opened.is_destroyed(doomed)


def test_S6_used_keys_are_never_made_anew(folder: Path, root: RootKey) -> None:
    paths = copies(folder, 1)
    SlotFile.create(paths, root, INSTALLATION)
    SlotFile.create(paths, root, INSTALLATION).reserve(1)
    with pytest.raises(Refused) as caught:
        SlotFile.create(paths, root, INSTALLATION)
    assert caught.value.code == "keys-exist"


def test_R3_a_failed_flush_is_final(folder: Path, root: RootKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one failed flush nothing is acknowledged by this process any more, though the next flush would succeed."""
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    one, two = slots.reserve(2)
    flushes = []

    def failing(descriptor: int) -> None:
        flushes.append(descriptor)
        raise OSError(5, "input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(storage.os, "fdatasync", failing)
        with pytest.raises(Fault) as caught:
            slots.destroy([one])
        assert caught.value.code == "keys-not-durable"
    assert len(flushes) == 1
    for attempt in (lambda: slots.destroy([one]), lambda: slots.destroy([two]), lambda: slots.reserve(100_000)):
        with pytest.raises(Fault) as caught:
            attempt()
        assert caught.value.code == "keys-not-durable"
    restarted = SlotFile.open(copies(folder, 1), root, INSTALLATION)
    restarted.destroy([one])
    assert restarted.is_destroyed(one)


def test_S6_a_full_disk_gives_out_nothing_and_recovers(
    folder: Path, root: RootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = SlotFile.create(copies(folder, 1), root, INSTALLATION)
    before = set(slots.reserve(10))
    real = os.pwrite

    def full(descriptor: int, data: Any, offset: int) -> int:
        if offset > FIRST_SLOT + SLOT * CHUNK:
            raise OSError(28, "no space left on device")
        return real(descriptor, data[: max(1, len(data) // 2)], offset)  # and short writes on the way

    with monkeypatch.context() as broken:
        broken.setattr(storage.os, "pwrite", full)
        with pytest.raises(Unavailable) as caught:
            slots.reserve(CHUNK)
        assert caught.value.code == "keys-not-written"
    numbers = slots.reserve(CHUNK)
    assert not before & set(numbers)
    assert all(slots.secret(n) for n in numbers)


def test_S6_files_are_closed_to_others(vault: Vault, home: Path, again: Callable[[], Vault]) -> None:
    vault.signing_key("receipts")
    keys = home / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    files = [file for file in keys.iterdir() if file.is_file()]
    assert sorted(file.name for file in files) == ["keyring", "lock", "slots"]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        file.chmod(0o640)
        with pytest.raises(Refused) as caught:
            again().signing_key("forms")
        assert caught.value.code == "key-file-open"
        file.chmod(0o600)
    keys.chmod(0o750)
    with pytest.raises(Refused):
        again()


_KILLED = """
import os, random, sys
from pathlib import Path
from omonat.vault.root import RootKey
from omonat.vault.slots import SlotFile
paths, installation = [Path(p) for p in sys.argv[3:]], sys.argv[2]
slots = SlotFile.open(paths, RootKey(bytes.fromhex(sys.argv[1])), installation)
rng, mine = random.Random(os.getpid()), []
def say(word, numbers):
    os.write(1, (word + " " + " ".join(map(str, numbers)) + "\\n").encode())
while True:
    new = slots.reserve(rng.choice((5, 200, 2000)))
    say("given", new[:3])
    mine += new[:3]
    doomed = rng.sample(mine, min(3, len(mine)))
    slots.destroy(doomed)
    say("destroyed", doomed)
"""


@pytest.mark.parametrize("count", [1, 2])
def test_S6_killed_again_and_again_it_opens_and_forgets_nothing(folder: Path, count: int) -> None:
    secret, paths, rng = os.urandom(32), copies(folder, count), random.Random(count)
    SlotFile.create(paths, RootKey(secret), INSTALLATION)
    given: set[int] = set()
    destroyed: set[int] = set()
    for _ in range(12):
        command = [sys.executable, "-c", _KILLED, secret.hex(), INSTALLATION, *map(str, paths)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as victim:
            assert victim.stdout is not None
            head = victim.stdout.readline()
            try:
                victim.wait(rng.uniform(0.0, 0.06))
            except subprocess.TimeoutExpired:
                victim.send_signal(signal.SIGKILL)
            said = head + victim.stdout.read()
        for line in said.decode().splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            word, *numbers = line.split()
            if word == "given":
                assert not given & set(map(int, numbers)), "a number came back"
                given |= set(map(int, numbers))
            else:
                destroyed |= set(map(int, numbers))
        slots = SlotFile.open(paths, RootKey(secret), INSTALLATION)
        assert all(slots.is_destroyed(n) for n in destroyed)
        unclear = [n for n in given - destroyed if slots.is_destroyed(n)]
        assert len(unclear) <= 3 * 12, "only the batch in hand when it was killed may be destroyed unsaid"
        assert all(slots.secret(n) for n in given - destroyed - set(unclear))
    assert given
    assert destroyed
