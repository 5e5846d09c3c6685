"""Room kept back on the disk (S6; bar c6)."""

import os
from pathlib import Path

import pytest

from omonat.base.errors import Unavailable
from omonat.database.reserve import Reserve, is_given
from omonat.evidence.room import Room

MEBIBYTE = 2**20


def free(home: Path) -> int:
    there = os.statvfs(home)
    return there.f_bavail * there.f_frsize


def test_S6_what_is_kept_back_is_really_taken_and_really_given_back(tmp_path: Path) -> None:
    kept = tmp_path / "reserve"
    Reserve(tmp_path, 8 * MEBIBYTE).look()
    assert kept.stat().st_blocks * 512 >= 8 * MEBIBYTE
    assert not is_given(tmp_path)
    Reserve(tmp_path, free(tmp_path) * 4).look()  # as if the disk had that little left
    assert not kept.exists()
    assert is_given(tmp_path)
    assert (tmp_path / "reserve-given").stat().st_blocks == 0
    Reserve(tmp_path, 8 * MEBIBYTE).look()
    assert kept.exists()
    assert not is_given(tmp_path)


def test_S6_a_disk_too_small_from_the_start_is_full_from_the_start(tmp_path: Path) -> None:
    Reserve(tmp_path, free(tmp_path) * 4).look()
    assert is_given(tmp_path)
    Reserve(tmp_path, 0).look()  # an operator who keeps nothing back
    assert not is_given(tmp_path)


def test_S6_rights_pass_where_business_waits(tmp_path: Path) -> None:
    seconds = [0.0]
    room = Room(tmp_path, monotonic=lambda: seconds[0])
    room.require("collect:record:accepted")
    (tmp_path / "reserve-given").touch()
    seconds[0] += 1
    for act in ("collect:record:accepted", "use:person:authorised", "message:person:asked"):
        with pytest.raises(Unavailable) as refused:
            room.require(act)
        assert refused.value.code == "disk-full"
    for act in ("choice:consent:withdrawn", "erasure:person:hidden", "access:person:viewed", "request:person:received"):
        room.require(act)
