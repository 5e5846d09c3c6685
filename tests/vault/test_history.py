"""An older key file is brought up to what happened since, and can be told from a newer one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from omonat.base import failpoints
from omonat.base.errors import Refused
from omonat.vault.history import KeyState
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from tests.faults.breaking import Failpoints
from tests.vault.conftest import CHEAP

SECTION = {"person": "per_1", "record": "rec_1", "category": "contact", "version": 1}


def older(home: Path, root: RootKey) -> Callable[[], Vault]:
    """The vault as it is now, to be opened later as an old copy."""
    copy = home.with_name("older")
    shutil.copytree(home, copy)
    return lambda: Vault.open(copy, root, hash_cost=CHEAP)


def test_R3_an_older_file_destroys_again_what_was_destroyed_since(vault: Vault, home: Path, root: RootKey) -> None:
    one, two, three = vault.reserve_slots(3)
    open_older = older(home, root)
    vault.destroy_slots([one, three])
    told = vault.destroyed_since(0)
    assert [number for number, _ in told] == [one, three]
    old = open_older()
    assert old.key_state() < vault.key_state()
    assert old.catch_up(vault.key_state(), [number for number, _ in told]) == 0
    assert [old.is_destroyed(number) for number in (one, two, three)] == [True, False, True]
    assert old.key_state().generation >= vault.key_state().generation
    again = old.key_state()
    assert old.catch_up(vault.key_state(), [number for number, _ in told]) == 0
    assert old.key_state() == again


@pytest.mark.parametrize("moment", ["slots.to-bury", "slots.buried"])
def test_R3_a_restore_that_dies_between_two_copies_destroys_on_both_when_it_is_done_again(
    vault: Vault, home: Path, root: RootKey, tmp_path: Path, moment: str
) -> None:
    second = tmp_path / "other-disk" / "slots"
    vault.register_copy(second)
    both = Vault.open(home, root, hash_cost=CHEAP, other_copies=[second])
    one, two = both.reserve_slots(2)
    shutil.copytree(home, tmp_path / "older")
    shutil.copy(second, tmp_path / "older-second")
    both.destroy_slots([one])
    state, destroyed = both.key_state(), [number for number, _ in both.destroyed_since(0)]

    def reopened() -> Vault:
        copies = [tmp_path / "older-second"]
        return Vault.open(tmp_path / "older", root, hash_cost=CHEAP, other_copies=copies)

    old = reopened()
    living = old._slots.slot(one)
    assert old.living_of([one, two]) == [one, two]
    control = Failpoints(tmp_path / "faults")
    (tmp_path / "older" / failpoints.MARK).touch()
    failpoints.arm(control.control, tmp_path / "older")
    try:
        token = control.arm(moment, "raise")
        with pytest.raises(failpoints.Tripped):
            old.catch_up(state, destroyed)
        assert control.happened(token)
    finally:
        failpoints.arm(None, tmp_path)
    again = reopened()
    again.catch_up(state, destroyed)
    assert again.living_of([one, two]) == [two]
    for file in (tmp_path / "older" / "keys" / "slots", tmp_path / "older-second"):
        assert living not in file.read_bytes()


def test_R3_numbers_an_older_file_never_saw_are_lost_and_never_given_out_again(
    vault: Vault, home: Path, root: RootKey
) -> None:
    vault.reserve_slots(3)
    open_older = older(home, root)
    high = vault.reserve_slots(9_000)[-1]
    old = open_older()
    lost = old.catch_up(vault.key_state(), [])
    assert lost > 0
    assert old.is_destroyed(high)
    fresh = old.reserve_slots(1)[0]
    assert fresh > vault.key_state().high_water
    assert not old.is_destroyed(fresh)


def test_R3_only_what_was_destroyed_later_is_told(vault: Vault) -> None:
    one, two = vault.reserve_slots(2)
    vault.destroy_slots([one])
    since = vault.key_state().generation
    vault.destroy_slots([two])
    assert [number for number, _ in vault.destroyed_since(since)] == [two]


def test_R3_a_newer_file_is_left_as_it_is(vault: Vault) -> None:
    vault.destroy_slots(vault.reserve_slots(1))
    state = vault.key_state()
    assert vault.catch_up(KeyState(1, 0), []) == 0
    assert vault.key_state() == state


def test_S6_whether_a_section_opens_is_told_without_opening_it_to_anybody(vault: Vault) -> None:
    person, record = vault.reserve_slots(2)
    sealed = vault.seal_section(**SECTION, person_slot=person, record_slot=record, items={"name": "Ism"})  # type: ignore[arg-type]
    about = {**SECTION, "person_slot": person, "record_slot": record}
    assert vault.section_opens(**about, sealed=sealed) is True  # type: ignore[arg-type]
    assert vault.section_opens(**about, sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])) is False  # type: ignore[arg-type]
    vault.destroy_slots([record])
    assert vault.section_opens(**about, sealed=sealed) is False  # type: ignore[arg-type]
    with pytest.raises(Refused):
        vault.open_section(**about, sealed=sealed)  # type: ignore[arg-type]


def test_S6_a_copy_of_the_keys_is_compared_slot_by_slot(vault: Vault, home: Path) -> None:
    one, _ = vault.reserve_slots(2)
    raw = (home / "keys" / "slots").read_bytes()
    same, destroyed, other = vault.compare_copy(raw)
    assert (destroyed, other) == (0, 0)
    vault.destroy_slots([one])
    assert vault.compare_copy(raw) == (same - 1, 1, 0)
