"""A vault on a real disk, with a root of its own and cheap password hashing (the price is tested on its own)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from omonat.vault.verify_only import HashCost

CHEAP = HashCost(passes=1, memory=64, lanes=1)


@pytest.fixture
def root() -> RootKey:
    return RootKey(os.urandom(32))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def vault(home: Path, root: RootKey) -> Vault:
    return Vault.open(home, root, create=True, hash_cost=CHEAP)


@pytest.fixture
def again(home: Path, root: RootKey) -> Callable[[], Vault]:
    """The same vault as another process would open it."""
    return lambda: Vault.open(home, root, hash_cost=CHEAP)
