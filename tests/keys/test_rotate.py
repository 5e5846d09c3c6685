"""Rotating the root from the command line: to each kind of root, carried on when cut off, as evidence (R3, S6)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from omonat.database.pool import Database
from omonat.vault import rotation
from omonat.vault.root import RootKey
from omonat.vault.sources import STRETCHING
from omonat.vault.vault import Vault
from tests.keys.conftest import KEY, Omonat, written
from tests.keys.test_drill import code, entries, papers

WORDS = "tandir non qozon osh choy"
Configure = Callable[[str], None]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Write another root into the settings."""
    return lambda source: monkeypatch.setenv("OMONAT_ROOT_KEY", source)


@pytest.fixture
def number(home: Path, key_file: Path, configured: Configure) -> int:
    """A slot of an installation with a key file."""
    configured(f"key-file:{key_file}")
    home.mkdir(mode=0o700)
    return Vault.open(home, RootKey(KEY), create=True).reserve_slots(1)[0]


async def test_S6_the_root_goes_from_a_key_file_to_a_passphrase_to_shares_and_back(
    omonat: Omonat, home: Path, number: int, configured: Configure, database: Database
) -> None:
    tmp_path = home.parent
    secret = Vault.open(home, RootKey(KEY))._slots.secret(number)
    words = written(tmp_path / "words", WORDS.encode())
    RootKey.from_passphrase(WORDS, tmp_path / "words.scrypt", n=2**10)
    told = omonat("root", "rotate", "--to", f"passphrase-file:{words}")
    assert told.exit_code == 0, told.output
    assert (home / "keys" / STRETCHING).exists()
    assert code(omonat("root", "rotate", "--to", "shares", "--out", str(tmp_path / "none")).exception) == "root-wrong"

    configured(f"passphrase-file:{words}")
    told = omonat("root", "rotate", "--to", "shares", "--out", str(tmp_path / "five"))
    assert told.exit_code == 0, told.output
    five = papers(tmp_path / "five")
    assert not (home / "keys" / STRETCHING).exists()
    assert omonat("root", "drill", *five[:3]).exit_code == 0

    configured("shares")
    assert (
        code(omonat("root", "rotate", *five[:2], "--to", f"key-file:{tmp_path / 'k2'}").exception) == "shares-too-few"
    )
    told = omonat("root", "rotate", *five[2:], "--to", f"key-file:{tmp_path / 'k2'}")
    assert told.exit_code == 0, told.output
    assert code(omonat("root", "drill", *five[:3]).exception) == "share-old"

    now = Vault.open(home, RootKey.from_file(tmp_path / "k2"))
    assert now._slots.secret(number) == secret
    kept = [entry for entry in await entries(database) if entry["act"] == "root:rotated"]
    assert [(entry["epoch"], entry["damaged"]) for entry in kept] == [(2, 0), (3, 0), (4, 0)]
    assert not (home / "keys" / "rotation").exists()


async def test_S6_cut_off_before_or_after_the_decision_the_same_command_carries_on(
    omonat: Omonat, home: Path, number: int, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    tmp_path = home.parent
    secret = Vault.open(home, RootKey(KEY))._slots.secret(number)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for step in ("scrub", "swap"):
        with monkeypatch.context() as dying:
            dying.setattr(rotation, step, die)
            assert omonat("root", "rotate", "--to", f"key-file:{tmp_path / step}").exit_code != 0
        assert [entry["act"] for entry in await entries(database)].count("root:rotated") == ("scrub", "swap").index(
            step
        )
        told = omonat("root", "rotate", "--to", f"key-file:{tmp_path / step}")
        assert told.exit_code == 0, told.output
        assert "finished" in told.output
        assert Vault.open(home, RootKey.from_file(tmp_path / step))._slots.secret(number) == secret
        monkeypatch.setenv("OMONAT_ROOT_KEY", f"key-file:{tmp_path / step}")
    monkeypatch.setattr(rotation, "_PAUSE", 0)
    with monkeypatch.context() as dying:
        dying.setattr(rotation._Builder, "switch", die)
        assert omonat("root", "rotate", "--to", f"key-file:{tmp_path / 'third'}").exit_code != 0
    told = omonat("root", "rotate", "--to", f"key-file:{tmp_path / 'third'}")
    assert told.exit_code == 0, told.output
    assert Vault.open(home, RootKey.from_file(tmp_path / "third"))._slots.secret(number) == secret
    assert [entry["act"] for entry in await entries(database)].count("root:rotated") == 3


@pytest.mark.parametrize("to", ["key-file:relative", "credential:x", "nonsense", ""])
def test_S6_a_target_that_cannot_be_is_a_wrong_use(omonat: Omonat, number: int, to: str) -> None:
    assert omonat("root", "rotate", "--to", to).exit_code == 2
