"""A change of the copies of the keys that is cut off at any write is carried on by the same command (R3, S6)."""

import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from omonat.vault import copies, storage
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from tests.keys.conftest import KEY

ROOT = RootKey(KEY)


class CutOffError(BaseException):
    """The process is gone."""


@dataclass
class Disks:
    """The home's keys and two copies, as they stand before the change."""

    folder: Path
    living: dict[int, bytes]
    gone: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def paths(self) -> list[Path]:
        return [self.home / "keys" / "slots", *(self.folder / name / "slots" for name in ("second", "third"))]

    def begun_anew(self, where: Path) -> "Disks":
        """The same once more."""
        shutil.rmtree(where, ignore_errors=True)
        shutil.copytree(self.folder, where)
        return Disks(where, self.living, self.gone)

    def check(self, paths: Sequence[Path]) -> None:
        """Nobody is lost, nobody comes back, and what is destroyed now is destroyed everywhere."""
        vault = Vault.open(self.home, ROOT, other_copies=paths[1:])
        assert {number: vault._slots.secret(number) for number in self.living} == self.living
        assert vault.is_destroyed(self.gone)
        doomed = min(self.living)
        slot = vault._slots.slot(doomed)
        vault.destroy_slots([doomed])
        assert not any(slot in path.read_bytes() for path in paths)
        assert min(vault.reserve_slots(3)) > max(self.living)


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disks:
    monkeypatch.setattr("omonat.vault.slots.CHUNK", 16)
    tmp_path.chmod(0o700)
    made = Disks(tmp_path / "before", {}, 0)
    made.home.mkdir(mode=0o700, parents=True)
    vault = Vault.open(made.home, ROOT, create=True, other_copies=made.paths[1:])
    *numbers, made.gone = vault.reserve_slots(20)
    vault.destroy_slots([made.gone])
    made.living = {number: vault._slots.secret(number) for number in numbers}
    return made


def stepped(real: Callable[..., None], reach: Callable[[str], None]) -> Callable[..., None]:
    """Before and after it is a step, too."""

    def call(*arguments: object) -> None:
        reach("before")
        real(*arguments)
        reach("after")

    return call


def cut_off(monkeypatch: pytest.MonkeyPatch, at: int, act: str, disks: Disks) -> bool:
    """Do it until its so-manieth write, in whichever file; whether it came so far."""
    steps = itertools.count(1)

    def reach(_: str) -> None:
        if next(steps) >= at:
            raise CutOffError

    with monkeypatch.context() as dying:
        dying.setattr(storage, "reach", reach)
        for name in ("erase", "remove"):
            dying.setattr(copies, name, stepped(getattr(copies, name), reach))
        try:
            do(act, disks)
        except CutOffError:
            return True
    return False


def do(act: str, disks: Disks) -> list[Path]:
    """The change; which files are registered afterwards."""
    paths = disks.paths
    match act:
        case "mend home" | "mend copy":
            copies.mend(paths, ROOT)
            return paths
        case "drop second":
            copies.drop(paths, paths[1], ROOT, lost=False)
        case _:
            copies.drop(paths, paths[1], ROOT, lost=True)
    return [paths[0], paths[2]]


@pytest.mark.parametrize("act", ["mend home", "mend copy", "drop second", "drop lost"])
def test_S6_cut_off_at_any_write_the_same_command_carries_on(
    disks: Disks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, act: str
) -> None:
    if act == "mend home":
        shutil.rmtree(disks.home / "keys")
    elif act != "drop second":
        shutil.rmtree(disks.folder / "second")
    for at in itertools.count(1):
        now = disks.begun_anew(tmp_path / "now")
        if not cut_off(monkeypatch, at, act, now):
            break
        now.check(do(act, now))
    assert at >= 5, "it was cut off nowhere"


def test_R3_a_destruction_that_only_the_copy_that_goes_had_seen_is_done_on_the_others(disks: Disks) -> None:
    vault = Vault.open(disks.home, ROOT, other_copies=disks.paths[1:])
    doomed = max(disks.living)
    before = [path.read_bytes() for path in disks.paths]
    vault.destroy_slots([doomed])
    for at in (0, 2):
        disks.paths[at].write_bytes(before[at])
    copies.drop(disks.paths, disks.paths[1], ROOT, lost=False)
    assert Vault.open(disks.home, ROOT, other_copies=disks.paths[2:]).is_destroyed(doomed)
