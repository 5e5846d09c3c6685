"""What lies beside the keys and helps to open them, kept beside every registered copy as well (S6).

Without it the loss of the home's keys would be half mended by a copy: a typed passphrase would give another root, and
shares of a set that was ended would open again.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from omonat.vault.shares import SHARES, ShareSet
from omonat.vault.sources import BESIDE_KEYS
from omonat.vault.storage import open_closed, remove, write_new


def level_beside(paths: Sequence[Path]) -> None:
    """Let every copy have what the home has, or what a copy has kept where the home lost it.

    `paths` are the slot files, the home's first. Of two lists of shares the one that ended more sets counts. Raises
    Refused key-file-open.
    """
    folders = [path.parent for path in paths]
    for name in BESIDE_KEYS:
        found = [_read(folder / name) for folder in folders]
        kept = [data for data in found if data is not None]
        if not kept:
            continue
        right = max(kept, key=_ended) if name == SHARES else kept[0]
        for folder, data in zip(folders, found, strict=True):
            if data != right:
                write_new(folder / name, right, replace=True)


def forget_beside(paths: Sequence[Path], name: str) -> None:
    """Take this away everywhere: it opens nothing any more."""
    for path in paths:
        remove(path.with_name(name))


def _read(file: Path) -> bytes | None:
    if not file.exists():
        return None
    descriptor = open_closed(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)


def _ended(data: bytes) -> int:
    try:
        return len(msgspec.json.decode(data, type=ShareSet).ended)
    except ValueError:
        return -1
