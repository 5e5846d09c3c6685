"""Unsealings that wait for their evidence entry (S2, S6): the keeper opens the house, and has no database to say so in.

One small file each, beside the keys, written durably before the root is given to anybody: `unsealed-<entry>` with who
opened (`shares`, `passphrase`, `settings`), which set and which shares by their numbers. A file goes once its entry is
durable. It holds no key and nobody's name.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from omonat.base.errors import Unavailable
from omonat.vault.storage import remove, write_new

_PREFIX: Final = "unsealed-"


class Unsealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One unsealing. `entry` is the id its evidence entry will have; `given` are numbers of shares."""

    entry: str
    by: str
    set: str = ""
    given: tuple[int, ...] = ()


def keep(home: Path, done: Unsealed) -> None:
    """Note it, durable on return. Raises Unavailable `unseal-unnoted`: then nothing may be opened."""
    try:
        write_new(home / "keys" / f"{_PREFIX}{done.entry}", msgspec.json.encode(done), replace=False)
    except OSError as error:
        raise Unavailable("unseal-unnoted") from error


def waiting(home: Path) -> Sequence[Unsealed]:
    """Those whose entry isn't known to be durable yet."""
    found = sorted((home / "keys").glob(f"{_PREFIX}ev_*"))
    return [msgspec.json.decode(path.read_bytes(), type=Unsealed) for path in found]


def forget(home: Path, done: Unsealed) -> None:
    """Its entry is durable."""
    remove(home / "keys" / f"{_PREFIX}{done.entry}")
