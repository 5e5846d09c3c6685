"""Rotating the root: nobody's key is lost, whatever cuts it off, and the old root opens nothing afterwards (R3, S6)."""

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from omonat.base.errors import OmonatError, Refused, Unavailable
from omonat.vault import header, keyring, rotation, slots, storage, switch
from omonat.vault.cipher import SlotCipher
from omonat.vault.header import FIRST_SLOT, SLOT
from omonat.vault.root import RootKey
from omonat.vault.rotation import forget, rotate
from omonat.vault.slots import SlotFile
from omonat.vault.switch import Phase, next_of, old_of, settle, state
from omonat.vault.vault import Vault

SECTION = {"person": "per_1", "record": "rec_1", "category": "contact", "version": 1}
ITEMS = {"contact.name": "Zilola"}


@pytest.fixture
def new() -> RootKey:
    return RootKey(os.urandom(32))


def paths(home: Path, copies: int = 1) -> list[Path]:
    return [home / "keys" / "slots", *(home / f"copy-{n}" / "slots" for n in range(1, copies))]


def opened(home: Path, root: RootKey, copies: int = 1, **more: Any) -> Vault:
    return Vault.open(home, root, other_copies=paths(home, copies)[1:], **more)


def made(home: Path, root: RootKey, copies: int = 1) -> Vault:
    return opened(home, root, copies, create=True)


def code(action: Callable[[], object]) -> str:
    with pytest.raises(OmonatError) as caught:
        action()
    return caught.value.code


def test_R3_after_a_rotation_everybody_is_readable_and_the_old_root_opens_nothing(
    home: Path, root: RootKey, new: RootKey
) -> None:
    vault = made(home, root, 2)
    numbers = vault.reserve_slots(9_000)
    before = {n: vault._slots.secret(n) for n in numbers}
    doomed = numbers[100:200] + numbers[5_000:5_003]
    vault.destroy_slots(doomed)
    person, record = numbers[0], numbers[1]
    sealed = vault.seal_section(**SECTION, person_slot=person, record_slot=record, items=ITEMS)
    told = (vault.lookup_digest("phone", "+998901234567"), vault.pseudonym("staff", "1"))
    key = vault.signing_key("receipts").public_key().public_bytes_raw()
    old_files = {path: path.read_bytes() for path in paths(home, 2)}

    other = opened(home, root, 2, root_of={new.mark: new}.get)

    done = rotate(home, root, new, other_copies=paths(home, 2)[1:])
    assert (done.phase, done.epoch, done.damaged) == (Phase.DONE, 2, 0)
    assert other.living_of([*doomed, person]) == [person], "a process that was open goes over to the new root"
    assert done.slots >= 9_000
    now = opened(home, new, 2)
    unreadable = [n for n in numbers if n not in doomed and now._slots.secret(n) != before[n]]
    assert unreadable == []
    assert all(now.is_destroyed(n) for n in doomed)
    assert now.open_section(**SECTION, person_slot=person, record_slot=record, sealed=sealed) == ITEMS
    assert (now.lookup_digest("phone", "+998901234567"), now.pseudonym("staff", "1")) == told
    assert now.signing_key("receipts").public_key().public_bytes_raw() == key
    assert not set(numbers) & set(now.reserve_slots(100))
    one, two = (path.read_bytes()[FIRST_SLOT:] for path in paths(home, 2))
    assert one == two

    # Whoever has the old root and every byte that lies here now: no slot, no header, no ring opens for him.
    installation = now.installation
    everything = [file for file in home.rglob("*") if file.is_file() and file.parent.name != "openings"]
    assert sorted(file.name for file in everything) == [
        *("keyring", "keyring", "lock", "rotating", "rotation", "slots", "slots")
    ]
    for epoch in (1, 2):
        attacker = SlotCipher(root, installation, epoch)
        for file in everything:
            data = file.read_bytes()
            assert root.mark not in data
            for at in range(0, len(data) - SLOT + 1, SLOT):
                number = (at - FIRST_SLOT) // SLOT
                if number > 0 and number % 7 == 0:
                    assert not attacker.is_sealed(number, data[at : at + SLOT])
    for path in old_files:
        with path.open("rb") as file, pytest.raises(Refused):
            header.read_header(file.fileno(), root, "")
    assert code(lambda: opened(home, root, 2)) == "root-replaced"
    forget(home)
    assert code(lambda: opened(home, root, 2)) == "root-wrong"
    assert opened(home, new, 2)._slots.secret(person) == before[person]

    # And the other way round: a copy of the old files from somewhere opens nothing for the new root.
    for path, data in old_files.items():
        path.write_bytes(data)
    assert code(lambda: SlotFile.open(paths(home, 2), new, installation)) == "root-wrong"


def test_S6_uses_changes_and_destructions_go_on_while_the_root_is_rotated(
    home: Path, root: RootKey, new: RootKey
) -> None:
    """Another process's vault, as a worker has it: it reads, gives out, destroys and makes keys all the while."""
    made(home, root).reserve_slots(20_000)
    known = {root.mark: root, new.mark: new}
    worker = opened(home, root, root_of=known.get)
    numbers = worker.reserve_slots(3_000)
    secrets = {n: worker._slots.secret(n) for n in numbers}
    destroyed: set[int] = set()
    failures: list[BaseException] = []
    over = threading.Event()

    def work() -> None:
        try:
            for n in itertools.cycle(numbers[:1_000]):
                if over.is_set():
                    return
                assert n in destroyed or worker._slots.secret(n) == secrets[n]
                if n % 5 == 0 and n not in destroyed:
                    worker.destroy_slots([n])
                    destroyed.add(n)
                    fresh = worker.reserve_slots(1)[0]
                    secrets[fresh] = worker._slots.secret(fresh)
                assert all(worker.is_destroyed(n) for n in list(destroyed)[-3:])
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    worker.signing_key("before")
    done = rotate(home, root, new, step=256)
    epoch = worker.begin_lookup_epoch(after=worker.lookup_epoch)
    worker.signing_key("after")
    over.set()
    thread.join(20)
    assert failures == []
    assert destroyed
    assert done.damaged == 0
    now = opened(home, new)
    assert now.lookup_epoch == epoch
    assert now.signing_key("after").public_key() == worker.signing_key("after").public_key()
    assert all(now.is_destroyed(n) for n in destroyed)
    assert [n for n, secret in secrets.items() if n not in destroyed and now._slots.secret(n) != secret] == []


def test_S6_a_process_that_may_not_have_the_new_root_is_told_and_gives_nothing(
    home: Path, root: RootKey, new: RootKey
) -> None:
    made(home, root)
    stranger = opened(home, root)
    number, other = stranger.reserve_slots(2)
    rotate(home, root, new)
    for attempt in (
        lambda: stranger._slots.secret(number),
        lambda: stranger.destroy_slots([other]),
        lambda: stranger.reserve_slots(10_000),
        lambda: stranger.signing_key("another"),
    ):
        assert code(attempt) in ("root-replaced", "root-wrong")
    assert not opened(home, new).is_destroyed(other)


def test_S6_a_slot_that_was_damaged_before_stays_damaged_and_is_counted(
    home: Path, root: RootKey, new: RootKey
) -> None:
    vault = made(home, root, 2)
    healed, lost, fine = vault.reserve_slots(3)
    secret = vault._slots.secret(healed)
    files = paths(home, 2)
    for path, spoiled in ((files[0], (healed, lost)), (files[1], (lost,))):
        with path.open("r+b") as file:
            for number in spoiled:
                file.seek(FIRST_SLOT + SLOT * number + 20)
                file.write(os.urandom(8))
    done = rotate(home, root, new, other_copies=files[1:])
    assert done.damaged == 1
    now = opened(home, new, 2)
    assert now._slots.secret(healed) == secret
    assert now._slots.secret(fine)
    assert not now.is_destroyed(lost)
    assert code(lambda: now._slots.secret(lost)) == "slot-changed"


def test_S6_a_rotation_is_refused_where_it_would_lose_something(home: Path, root: RootKey, new: RootKey) -> None:
    made(home, root)
    assert code(lambda: rotate(home, new, root)) == "root-wrong"
    assert code(lambda: rotate(home, root, root)) == "root-same"

    def nobody_listens() -> None:
        raise Unavailable("keeper-away")

    assert code(lambda: rotate(home, root, new, before_switch=nobody_listens)) == "keeper-away"
    vault = opened(home, root)
    assert code(lambda: opened(home, new)) == "root-not-yet"
    assert code(lambda: vault.register_copy(home / "copy-1" / "slots")) == "root-rotating"
    number = vault.reserve_slots(1)[0]
    secret = vault._slots.secret(number)
    third = RootKey(os.urandom(32))
    assert rotate(home, root, third).phase is Phase.DONE, "another target begins anew"
    assert opened(home, third)._slots.secret(number) == secret
    forget(home)
    assert state(home / "keys") is None
    assert rotate(home, third, new).epoch == 3, "and the next one follows"
    assert opened(home, new).reserve_slots(1)


def test_R3_of_two_rotations_at_once_the_second_waits_and_is_refused(home: Path, root: RootKey, new: RootKey) -> None:
    number = made(home, root).reserve_slots(5_000)[-1]
    refused: list[str] = []
    second = threading.Thread(target=lambda: refused.append(code(partial(rotate, home, root, RootKey(os.urandom(32))))))

    def start_the_second() -> None:
        second.start()
        until_somebody_waits_for(home / "keys" / "rotating")

    rotate(home, root, new, before_switch=start_the_second)
    second.join(10)
    assert refused == ["root-wrong"]
    assert opened(home, new)._slots.secret(number)


def until_somebody_waits_for(file: Path) -> None:
    waiter, end = re.compile(rf"-> FLOCK .*:{file.stat().st_ino} "), time.monotonic() + 10
    while not waiter.search(Path("/proc/locks").read_text()):
        assert time.monotonic() < end


# Killed at every step ---------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """The process is gone."""


class Disk:
    """Counts what changes files, and stops at the n-th: before it, halfway, or with all that was not flushed lost."""

    def __init__(self, stop_at: int, how: str) -> None:
        self.seen, self.dead = 0, False
        self._stop_at, self._how = stop_at, how
        self._unflushed: dict[tuple[int, int], list[tuple[str, int, bytes]]] = {}

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        before = os.pread(descriptor, len(data), offset)
        name = f"/proc/self/fd/{descriptor}"
        self._unflushed.setdefault(self._file(descriptor), []).append((str(Path(name).readlink()), offset, before))
        if self._dies():
            if self._how == "halfway":
                storage.write_all(descriptor, data[: len(data) // 2], offset)
            self._end()
        storage.write_all(descriptor, data, offset)

    def flush(self, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            self._step()
            self._unflushed.pop(self._file(descriptor), None)

    def step(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **more: Any) -> Any:
            self._step()
            return real(*arguments, **more)

        return stepped

    def _step(self) -> None:
        if self._dies():
            self._end()

    def _dies(self) -> bool:
        if self.dead:
            raise KilledError
        self.seen += 1
        return self.seen == self._stop_at

    def _end(self) -> None:
        self.dead = True
        if self._how == "power":
            for writes in self._unflushed.values():
                for name, offset, before in reversed(writes):
                    with suppress(FileNotFoundError), Path(name).open("r+b") as file:
                        file.seek(offset)
                        file.write(before)
        raise KilledError

    @staticmethod
    def _file(descriptor: int) -> tuple[int, int]:
        found = os.fstat(descriptor)
        return found.st_dev, found.st_ino


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, disk: Disk) -> Iterator[None]:
    """Everything a rotation does to files goes through `disk`; what a dead process would still do, it doesn't."""
    with monkeypatch.context() as patched:
        for module in (rotation, switch, header, slots):
            patched.setattr(module, "write_all", disk.write)
        for module in (rotation, switch, slots):
            patched.setattr(module, "make_durable", disk.flush)
        for module in (switch, keyring):
            patched.setattr(module, "write_new", disk.step(storage.write_new))
        for module, names in (
            (switch, ("put_in_place", "keep_also_as", "remove")),
            (rotation, ("create_empty", "remove")),
        ):
            for name in names:
                patched.setattr(module, name, disk.step(getattr(storage, name)))
        yield


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("how", ["before", "halfway", "power"])
def test_S6_killed_at_any_write_it_loses_nobody_and_carries_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, copies: int
) -> None:
    """At each of its writes, flushes and renames in turn. A worker that lives on destroys somebody in between; then the
    machine starts again with whichever root counts, and the rotation is carried on."""
    monkeypatch.setattr(slots, "CHUNK", 8)
    monkeypatch.setattr(rotation, "STEP", 8)
    monkeypatch.setattr(slots, "_SMALLEST_BLOCK", 4)
    monkeypatch.setattr(rotation, "_PAUSE", 0)
    tmp_path.chmod(0o700)
    phases = set()
    for stop_at in itertools.count(1):
        home, root, new = tmp_path / f"{stop_at}", RootKey(os.urandom(32)), RootKey(os.urandom(32))
        home.mkdir(mode=0o700)
        vault = made(home, root, copies)
        numbers = vault.reserve_slots(20)
        gone, later = numbers[3], numbers[7]
        vault.destroy_slots([gone])
        living = {n: vault._slots.secret(n) for n in numbers if n not in (gone, later)}
        ring = dict(vault._keyring.ring().keys)
        known = {root.mark: root, new.mark: new}
        worker = opened(home, root, copies, root_of=known.get)
        disk = Disk(stop_at, how)
        with failing(monkeypatch, disk), suppress(KilledError):
            rotate(home, root, new, other_copies=paths(home, copies)[1:], step=8)
        if not disk.dead:
            break
        found = state(home / "keys")
        phases.add(found.phase if found else None)
        if stop_at % 2:  # the workers live on: only the rotating process was killed
            worker.destroy_slots([later])
            fresh = worker.reserve_slots(1)[0]
            living[fresh] = worker._slots.secret(fresh)
        counts = found is not None and found.phase is not Phase.BUILDING
        present = opened(home, new if counts else root, copies)
        refused = code(partial(opened, home, root if counts else RootKey(os.urandom(32)), copies))
        assert refused in ("root-replaced", "root-wrong")
        assert {n: present._slots.secret(n) for n in living} == living
        assert present.is_destroyed(gone)
        present.destroy_slots([later])
        done = rotate(home, root, new, other_copies=paths(home, copies)[1:], step=8)
        assert (done.phase, done.epoch, done.damaged) == (Phase.DONE, 2, 0)
        final = opened(home, new, copies)
        assert {n: final._slots.secret(n) for n in living} == living
        assert final.is_destroyed(gone)
        assert final.is_destroyed(later)
        assert final._keyring.ring().keys == ring
        assert len({path.read_bytes()[FIRST_SLOT:] for path in paths(home, copies)}) == 1
        assert not [file for file in home.rglob("*") if file.suffix in (".next", ".old")]
        assert len({final._slots.secret(n) for n in living}) == len(living)
    assert {Phase.BUILDING, Phase.SWITCHING, Phase.SCRUBBING} <= phases
    assert stop_at > 15 * copies


@contextmanager
def dying_at(monkeypatch: pytest.MonkeyPatch, step: str) -> Iterator[None]:
    """The rotating process dies right before a step of its last moments."""

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(rotation, step, die)
        with pytest.raises(KilledError):
            yield


def test_R3_between_switch_and_scrubbing_no_process_reads_what_another_destroys(
    home: Path, root: RootKey, new: RootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(home, root)
    one, two = (opened(home, root, root_of={new.mark: new}.get) for _ in range(2))
    doomed, kept = one.reserve_slots(2)
    secret = two._slots.secret(kept)
    with dying_at(monkeypatch, "scrub"):
        rotate(home, root, new)
    assert old_of(home / "keys" / "slots").exists(), "the old file lies there still, and both had it open"
    one.destroy_slots([doomed])
    assert code(lambda: two._slots.secret(doomed)) == "key-destroyed"
    assert two._slots.secret(kept) == secret


def test_S6_a_key_made_between_decision_and_switch_is_not_lost(
    home: Path, root: RootKey, new: RootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(home, root)
    worker = opened(home, root, root_of={new.mark: new}.get)
    with dying_at(monkeypatch, "swap"):
        rotate(home, root, new)
    epoch = worker.begin_lookup_epoch(after=worker.lookup_epoch)
    public = worker.signing_key("late").public_key()
    now = opened(home, new)
    assert now.lookup_epoch == epoch
    assert now.signing_key("late").public_key() == public


def test_S6_whoever_waits_for_a_file_that_is_replaced_works_on_the_new_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    path, draft = tmp_path / "slots", tmp_path / "slots.next"
    for file in (path, draft):
        storage.write_new(file, b"", replace=False)
    locked_files: list[int] = []

    def wait() -> None:
        with storage.locked([path]) as (descriptor,):
            locked_files.append(os.fstat(descriptor).st_ino)

    thread = threading.Thread(target=wait)
    with storage.locked([path]):
        thread.start()
        until_somebody_waits_for(path)
        storage.put_in_place(draft, path)
    thread.join(10)
    assert locked_files == [path.stat().st_ino]


def test_S6_a_decided_switch_is_finished_by_whoever_comes_next_without_any_key(
    home: Path, root: RootKey, new: RootKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rotating process dies at the moment of decision; no worker has to wait for its return."""
    number = made(home, root).reserve_slots(1)[0]
    known = {new.mark: new}
    worker = opened(home, root, root_of=known.get)
    secret = worker._slots.secret(number)

    with dying_at(monkeypatch, "swap"):
        rotate(home, root, new)
    found = state(home / "keys")
    assert found is not None
    assert found.phase is Phase.SWITCHING
    assert worker.reserve_slots(100_000)[0] > number
    assert worker._slots.secret(number) == secret
    assert not next_of(home / "keys" / "slots").exists()
    assert not old_of(home / "keys" / "slots").exists()
    settle([home / "keys" / "slots"])
    assert msgspec.json.decode((home / "keys" / "rotation").read_bytes())["phase"] == "done"
