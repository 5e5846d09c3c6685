"""`make clean` removes what was made in one clone, the demo's data with it, and never under a running demo."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omonat.base.settings import demo_home
from omonat.database.home import claim

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clones(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two clones with a demo's data each."""
    made = tmp_path / "one", tmp_path / "other"
    for clone in made:
        (clone / "scripts").mkdir(parents=True)
        shutil.copy2(ROOT / "scripts" / "clean", clone / "scripts" / "clean")
        (clone / "build").mkdir()
        demo_home(clone).mkdir(parents=True)
        (demo_home(clone) / "lock").touch()
    yield made
    for clone in made:
        shutil.rmtree(demo_home(clone), ignore_errors=True)


def clean(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([clone / "scripts" / "clean"], capture_output=True, text=True, check=False)


def test_the_demo_of_this_clone_goes_and_no_other(clones: tuple[Path, Path]) -> None:
    one, other = clones
    assert clean(one).returncode == 0
    assert not demo_home(one).exists()
    assert not (one / "build").exists()
    assert (demo_home(other) / "lock").exists()


def test_a_running_demo_keeps_everything(clones: tuple[Path, Path]) -> None:
    one, _ = clones
    held = claim(demo_home(one))
    try:
        refused = clean(one)
    finally:
        os.close(held)
    assert refused.returncode == 1
    assert "is running" in refused.stderr
    assert (demo_home(one) / "lock").exists()
    assert (one / "build").exists()
    assert clean(one).returncode == 0
