"""Copies of the keys as their operator has them: added, lost, begun anew, let go (R3, S6)."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from omonat.base.errors import OmonatError
from omonat.base.settings import load
from omonat.cli._keeper import Keeper, keep, listen
from omonat.database.pool import Database
from omonat.vault import copies
from omonat.vault.header import FIRST_SLOT
from omonat.vault.keeper import Keeper as Asking
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from tests.keys.conftest import KEY, Omonat, written
from tests.keys.test_drill import code, entries, papers


@dataclass
class Place:
    """An installation with its keys in two places; one of them is going to be destroyed."""

    home: Path
    other: Path
    doomed: int
    omonat: Omonat
    name_copies: Callable[..., None]

    def keys(self, *arguments: object) -> Result:
        return self.omonat("keys", *map(str, arguments))

    def opened(self, *folders: Path) -> Vault:
        """As a start does it, which also makes keys where there are none."""
        return Vault.open(self.home, RootKey(KEY), create=True, other_copies=[folder / "slots" for folder in folders])

    def refused(self, *folders: Path) -> str:
        with pytest.raises(OmonatError) as caught:
            self.opened(*folders)
        return caught.value.code


@pytest.fixture
def place(home: Path, key_file: Path, omonat: Omonat, monkeypatch: pytest.MonkeyPatch) -> Place:
    def name_copies(*folders: Path) -> None:
        monkeypatch.setenv("OMONAT_KEY_COPIES", ",".join(map(str, folders)))

    monkeypatch.setenv("OMONAT_ROOT_KEY", f"key-file:{key_file}")
    home.mkdir(mode=0o700)
    doomed = Vault.open(home, RootKey(KEY), create=True).reserve_slots(1)[0]
    other = home.parent / "other-disk"
    told = omonat("keys", "add", str(other))
    assert told.exit_code == 0, told.output
    assert f"OMONAT_KEY_COPIES={other}" in told.output
    name_copies(other)
    return Place(home, other, doomed, omonat, name_copies)


async def changes(database: Database) -> list[tuple[object, object]]:
    kept = [entry for entry in await entries(database) if entry["act"] == "root:copies:changed"]
    return [(entry["what"], entry["copies"]) for entry in kept]


async def test_R3_a_key_is_destroyed_on_a_copy_that_was_added_and_no_start_leaves_it_out(
    place: Place, database: Database
) -> None:
    vault = place.opened(place.other)
    slot = vault._slots.slot(place.doomed)
    assert slot in (place.other / "slots").read_bytes()
    vault.destroy_slots([place.doomed])
    assert slot not in (place.other / "slots").read_bytes()
    told = place.keys("list")
    assert (told.exit_code, told.stdout.count("of 2")) == (0, 2), told.output
    place.name_copies()
    assert code(place.keys("list").exception) == "key-copies-missing"
    assert place.refused() == "key-copies-missing"
    assert await changes(database) == [("add", 2)]


@pytest.mark.parametrize("lost", ["home", "copy"])
async def test_S6_whichever_copy_is_lost_is_begun_anew_from_the_other(
    place: Place, lost: str, database: Database
) -> None:
    vault = place.opened(place.other)
    number = vault.reserve_slots(1)[0]
    before = known_by(vault, number)
    vault.destroy_slots([place.doomed])
    shutil.rmtree(place.home / "keys" if lost == "home" else place.other)
    assert place.refused(place.other) == "keys-missing"
    told = place.keys("mend")
    assert told.exit_code == 0, told.output
    again = place.opened(place.other)
    assert known_by(again, number) == before
    assert again.is_destroyed(place.doomed)
    assert again.reserve_slots(1)[0] > number
    one, two = ((folder / "slots").read_bytes() for folder in (place.home / "keys", place.other))
    assert one[FIRST_SLOT:] == two[FIRST_SLOT:]
    assert place.keys("mend").exit_code == 0, "where nothing is lost nothing happens"
    assert await changes(database) == [("add", 2), ("mend", 2)]


def known_by(vault: Vault, number: int) -> tuple[bytes, bytes, bytes]:
    """A person's secret, the signing key of receipts, and how a telephone number is looked up."""
    signs = vault.signing_key("receipts").public_key().public_bytes_raw()
    return vault._slots.secret(number), signs, vault.lookup_digest("phone", "+998900000000")


def test_S6_a_home_without_keys_is_never_begun_anew_over_a_copy(place: Place) -> None:
    shutil.rmtree(place.home / "keys")
    assert place.refused(place.other) == "keys-missing"
    assert not (place.home / "keys" / "keyring").exists()
    shutil.rmtree(place.other)
    assert code(place.keys("mend").exception) == "keys-missing"


def test_S6_shares_that_were_ended_do_not_open_again_after_a_mend(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [place.home.parent / name for name in ("old", "new")]
    for folder in folders:
        assert place.omonat("root", "shares", "--out", str(folder)).exit_code == 0
    monkeypatch.setenv("OMONAT_ROOT_KEY", "shares")
    shutil.rmtree(place.home / "keys")
    old, new = ([f"--share={paper}" for paper in papers(folder)[:3]] for folder in folders)
    assert code(place.keys("mend", *old).exception) == "share-old"
    assert place.keys("mend", *new).exit_code == 0
    assert code(place.omonat("root", "drill", *papers(folders[0])[:3]).exception) == "share-old"
    assert place.omonat("root", "drill", *papers(folders[1])[:3]).exit_code == 0


def test_R3_a_copy_that_is_let_go_holds_nothing_any_more(place: Place) -> None:
    third = place.home.parent / "third-disk"
    assert place.keys("add", third).exit_code == 0
    place.name_copies(place.other, third)
    slot = place.opened(place.other, third)._slots.slot(place.doomed)
    assert code(place.keys("drop", place.home).exception) == "key-copy-unknown"
    with (place.other / "slots").open("rb") as held:  # somebody who still has the file open
        told = place.keys("drop", place.other)
        assert told.exit_code == 0, told.output
        assert slot not in held.read()
    assert "2 places" in told.output
    assert list(place.other.iterdir()) == []
    place.name_copies(third)
    vault = place.opened(third)
    assert vault._slots.slot(place.doomed) == slot
    vault.destroy_slots([place.doomed])
    assert slot not in (third / "slots").read_bytes()


async def test_R3_a_lost_copy_is_let_go_only_by_who_says_so_and_it_is_kept(place: Place, database: Database) -> None:
    shutil.rmtree(place.other)
    assert code(place.keys("drop", place.other).exception) == "keys-missing"
    told = place.keys("drop", place.other, "--lost")
    assert told.exit_code == 0, told.output
    assert "rotate" in told.output
    place.name_copies()
    place.opened().destroy_slots([place.doomed])
    assert await changes(database) == [("add", 2), ("drop-lost", 1)]


async def test_R3_nothing_changes_under_a_process_that_has_the_keys_open(place: Place) -> None:
    before = (place.other / "slots").read_bytes()
    running = asyncio.create_task(keep(Keeper(load(os.environ), RootKey(KEY)), listen(place.home)))
    for command in (["add", place.other], ["mend"], ["drop", place.other]):
        told = await asyncio.to_thread(place.keys, *command)
        assert code(told.exception) == "keys-in-use"
    assert (place.other / "slots").read_bytes() == before
    assert await Asking(place.home).ask("seal") == {}
    await running
    assert (await asyncio.to_thread(place.keys, "mend")).exit_code == 0


def test_S6_copies_of_strangers_are_never_taken(place: Place, tmp_path: Path) -> None:
    Vault.open(tmp_path / "stranger", RootKey(os.urandom(32)), create=True)
    place.name_copies(tmp_path / "stranger" / "keys")
    assert code(place.keys("mend").exception) == "root-wrong"
    place.name_copies(place.other, tmp_path / "third-disk")
    assert code(place.keys("mend").exception) == "key-copies-missing", "it was never registered"
    assert not (tmp_path / "third-disk").exists()


@pytest.mark.parametrize("root", [KEY, bytes(32)])
def test_S6_naming_the_keys_of_another_installation_harms_neither(place: Place, tmp_path: Path, root: bytes) -> None:
    """Not even one under the same root, whose ring opens."""
    stranger = Vault.open(tmp_path / "stranger", RootKey(root), create=True)
    stranger.signing_key("another")  # its ring knows more
    folders = (tmp_path / "stranger" / "keys", place.home / "keys", place.other)
    (tmp_path / "stranger" / "keys" / "passphrase.scrypt").write_bytes(b"theirs")
    before = {file: file.read_bytes() for folder in folders for file in folder.iterdir()}
    assert code(place.keys("add", folders[0]).exception) in ("root-wrong", "keys-changed", "key-copies-missing")
    place.name_copies(folders[0])
    assert code(place.keys("mend").exception) in ("root-wrong", "keys-changed", "key-copies-missing")
    assert place.refused(folders[0]) in ("root-wrong", "keys-changed", "key-copies-missing")
    assert {file: file.read_bytes() for folder in folders for file in folder.iterdir()} == before
    assert place.opened(place.other).installation != stranger.installation


def test_R3_what_a_copy_had_destroyed_stays_destroyed_though_it_was_said_to_be_lost(place: Place) -> None:
    before = (place.home / "keys" / "slots").read_bytes()
    place.opened(place.other).destroy_slots([place.doomed])
    (place.home / "keys" / "slots").write_bytes(before)
    assert place.keys("drop", place.other, "--lost").exit_code == 0
    place.name_copies()
    assert place.opened().is_destroyed(place.doomed)
    assert list(place.other.iterdir()) == []


def test_S6_the_only_copy_with_keys_is_never_let_go(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home's keys were begun anew, and a crash came before they were brought level."""
    secret = place.opened(place.other)._slots.secret(place.doomed)
    shutil.rmtree(place.home / "keys")
    copies.mend([place.home / "keys" / "slots", place.other / "slots"], RootKey(KEY))
    assert code(place.keys("drop", place.other, "--lost").exception) == "keys-missing"
    assert place.opened(place.other)._slots.secret(place.doomed) == secret


def test_S6_a_passphrase_opens_a_copy_when_the_home_lost_how_it_is_stretched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = written(place.home.parent / "words", b"tandir non qozon osh choy")
    RootKey.from_passphrase("tandir non qozon osh choy", words.with_suffix(".scrypt"), n=2**10)
    assert place.omonat("root", "rotate", "--to", f"passphrase-file:{words}").exit_code == 0
    monkeypatch.setenv("OMONAT_ROOT_KEY", f"passphrase-file:{words}")
    shutil.rmtree(place.home / "keys")
    words.with_suffix(".scrypt").unlink()
    assert place.keys("mend").exit_code == 0
    assert place.keys("list").exit_code == 0
