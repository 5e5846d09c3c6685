"""Room kept back on the disk: when it is full, people can still withdraw, object and be erased (S6, R3; bar c6).

A file of nothing lies beside the data. When the disk runs short the parent empties it, which leaves the database and
the log that much; from then on the evidence takes what people's rights need and refuses ordinary business
(`omonat.evidence.room`). Once there is room for it again, it is made anew and everything goes on.

The name of the file is the state, because on a full disk nothing new can be written.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from omonat.base.logs import log

_KEPT: Final = "reserve"
_GIVEN: Final = "reserve-given"
_log = log(__name__)


class Reserve:
    """The reserve of one home, of `size` bytes; looked after by the parent alone. A size of 0 keeps nothing back."""

    def __init__(self, home: Path, size: int) -> None:
        self._kept = home / _KEPT
        self._given = home / _GIVEN
        self._size = size

    def look(self) -> None:
        """Give the reserve back while the disk has less than half of it left, and take it again when there is room."""
        if self._size == 0:
            self._kept.unlink(missing_ok=True)
            self._given.unlink(missing_ok=True)
            return
        there = os.statvfs(self._kept.parent)
        free = there.f_bavail * there.f_frsize
        kept = self._kept.exists()
        if kept and free < self._size // 2:
            self._give_back()
        elif not kept and free >= self._size * 2:
            self._take()
        elif not kept and not self._given.exists():
            self._say_full()

    def _give_back(self) -> None:
        os.truncate(self._kept, 0)
        self._kept.rename(self._given)
        _log.error("disk-full")

    def _take(self) -> None:
        draft = self._kept.with_suffix(".new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError:  # somebody was quicker: no less room than before
            draft.unlink(missing_ok=True)
            self._say_full()
            return
        draft.rename(self._kept)
        if self._given.exists():
            self._given.unlink()
            _log.warning("disk-has-room")

    def _say_full(self) -> None:
        if not self._given.exists():
            _log.error("disk-full")
        with suppress(OSError):
            self._given.touch(0o600)


def is_given(home: Path) -> bool:
    """Whether the reserve was given back, because the disk is full."""
    return (home / _GIVEN).exists()
