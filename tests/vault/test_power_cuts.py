"""A power cut at every moment: what the disk may then hold, all of it, opens and keeps its word (S6, R3).

The writes and flushes of a few operations are recorded. A disk without power holds everything flushed, and of the
writes after the last flush any selection, the last of them torn at any sector.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from omonat.base.ids import new_id
from omonat.vault import header, reconcile, slots, storage
from omonat.vault.root import RootKey
from omonat.vault.slots import SlotFile

SECTOR = 512
INSTALLATION = new_id("ins")


@dataclass
class Tape:
    """What reached the disk, in order: a write (file, offset, bytes), a flush, or a word given to a caller."""

    events: list[tuple[str, object]] = field(default_factory=list)
    names: dict[tuple[int, int], str] = field(default_factory=dict)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        self.events.append(("write", (self._name(descriptor), offset, bytes(data))))
        storage.write_all(descriptor, data, offset)

    def flush(self, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            self.events.append(("flush", self._name(descriptor)))

    def say(self, word: str, numbers: list[int]) -> None:
        self.events.append((word, numbers))

    def _name(self, descriptor: int) -> str:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name


@dataclass
class Moment:
    """A moment without power: the files as they may be, and what callers had been told."""

    images: dict[str, bytearray]
    given: set[int]
    destroyed: set[int]
    begun: set[int]


def moments(tape: Tape, start: dict[str, bytes]) -> Iterator[Moment]:
    images = {name: bytearray(data) for name, data in start.items()}
    pending: list[tuple[str, int, bytes]] = []
    given: set[int] = set()
    destroyed: set[int] = set()
    begun: set[int] = set()
    for kind, what in tape.events:
        if kind == "write":
            pending.append(what)  # type: ignore[arg-type]
        elif kind == "flush":
            for write in [w for w in pending if w[0] == what]:
                apply(images, write)
            pending = [w for w in pending if w[0] != what]
        else:
            {"given": given, "destroyed": destroyed, "begun": begun}[kind].update(what)  # type: ignore[call-overload]
        for survivors in itertools.product((True, False), repeat=len(pending)):
            chosen = [write for write, stays in zip(pending, survivors, strict=True) if stays]
            for torn in torn_forms(chosen[-1]) if chosen else [None]:
                now = {name: bytearray(data) for name, data in images.items()}
                for write in [*chosen[:-1], *([torn] if torn else [])]:
                    apply(now, write)
                yield Moment(now, set(given), set(destroyed), set(begun))


def apply(images: dict[str, bytearray], write: tuple[str, int, bytes]) -> None:
    name, offset, data = write
    image = images[name]
    image.extend(bytes(max(0, offset + len(data) - len(image))))
    image[offset : offset + len(data)] = data


def torn_forms(write: tuple[str, int, bytes]) -> list[tuple[str, int, bytes]]:
    """The write whole, and cut at a few places: sector bounds, and (rotten disks exist) in the middle of a record."""
    name, offset, data = write
    bounds = list(range(SECTOR - offset % SECTOR, len(data), SECTOR))
    cuts = {*bounds[:1], *bounds[-1:], len(data) // 2, len(data)}
    return [(name, offset, data[:cut]) for cut in sorted(cuts) if cut]


def made_slots(path: Path, root: RootKey) -> bytes:
    """All slots of a copy that its header speaks of."""
    with path.open("rb") as file:
        made = header.read_header(file.fileno(), root, path.name)[0].made
        return file.read()[header.FIRST_SLOT + header.SLOT : header.FIRST_SLOT + header.SLOT * made]


@pytest.mark.parametrize("dense", [1, 32], ids=["as stretches", "one by one"])
@pytest.mark.parametrize("count", [1, 2])
def test_S6_every_power_cut_leaves_a_vault_that_keeps_its_word(
    tmp_path: Path, root: RootKey, monkeypatch: pytest.MonkeyPatch, count: int, dense: int
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(slots, "CHUNK", 16)
    monkeypatch.setattr(slots, "_DENSE", dense)
    monkeypatch.setattr(slots, "_SMALLEST_BLOCK", 4)
    monkeypatch.setattr(slots, "_LARGEST_BLOCK", 4)
    paths = [tmp_path / f"slots-{n}" for n in range(count)]
    live = SlotFile.create(paths, root, INSTALLATION)
    start = {path.name: path.read_bytes() for path in paths}
    tape = Tape()
    with monkeypatch.context() as recorded:
        for module in (slots, header, reconcile):
            recorded.setattr(module, "write_all", tape.write)
        for module in (slots, reconcile):
            recorded.setattr(module, "make_durable", tape.flush)
        for size, doomed in ((3, (0,)), (4, (2, 1)), (20, (5, 9, 6))):
            tape.say("given", live.reserve(size))
            numbers = sorted({n for kind, what in tape.events if kind == "given" for n in what})  # type: ignore[attr-defined]
            tape.say("begun", [numbers[i] for i in doomed])
            live.destroy([numbers[i] for i in doomed])
            tape.say("destroyed", [numbers[i] for i in doomed])
    seen = 0
    for moment in moments(tape, start):
        for path in paths:
            path.write_bytes(moment.images[path.name])
        opened = SlotFile.open(paths, root, INSTALLATION)
        assert len({made_slots(path, root) for path in paths}) == 1, "a destruction on one copy is one on all"
        for number in moment.given:
            if number in moment.destroyed:
                assert opened.is_destroyed(number)
            elif number not in moment.begun:
                assert opened.secret(number) == live.secret(number) if not live.is_destroyed(number) else True
        fresh = opened.reserve(1)[0]
        assert fresh not in moment.given
        assert opened.secret(fresh)
        if moment.begun:
            opened.destroy(moment.begun)
            assert all(SlotFile.open(paths, root, INSTALLATION).is_destroyed(n) for n in moment.begun)
        seen += 1
    assert seen > 60 * count
