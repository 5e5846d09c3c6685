"""The marker: while it lies in a home, nothing is served from it. It is there before the first byte is brought back and
goes when the proof is durable, so a restore that was cut off anywhere can be seen, and run again."""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from omonat.backup.frames import Place
from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.database.home import sync_folder, write_durably

NAME: Final = "restoring.json"


class Marker(Struct, frozen=True, kw_only=True):
    """A restore under way: of which backup, since when, from which head of the journal the replay begins. Once it was
    replayed: `open` names what stands in the way of the proof, `gap` the entries of the log that the journal lacks,
    `touched` the people on whom the gap was acted."""

    backup: str
    began: Instant
    frames: int = 0
    digest: bytes = bytes(32)
    replayed: bool = False
    open: tuple[str, ...] = ()
    gap: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()

    @property
    def start(self) -> Place:
        """Where the replay begins."""
        return Place(self.frames, self.digest)


def read(home: Path) -> Marker | None:
    """The marker, or None where nothing is being restored. One that can't be read still stands in the way."""
    try:
        raw = (home / NAME).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(raw, type=Marker)
    except msgspec.MsgspecError:
        return Marker(backup="?", began=Instant(0))


def write(home: Path, marker: Marker) -> None:
    """Put the marker there; durable on return."""
    write_durably(home / NAME, msgspec.json.format(msgspec.json.encode(marker)).decode() + "\n")


def remove(home: Path) -> None:
    """The proof is durable: the home may serve."""
    (home / NAME).unlink(missing_ok=True)
    sync_folder(home)


def refuse(home: Path) -> None:
    """Raise Refused `restore-unproved` while the marker is there."""
    if os.path.lexists(home / NAME):  # also one that can't be read
        raise Refused("restore-unproved", home=str(home))
