"""Registered copies of the keys, as their operator changes them: one begun anew, one let go (R3, S6).

Only while nothing else has the keys open: a process reads through a map of the file it found. What the slots say is
brought level by whoever opens them next; here is decided which files there are.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from omonat.base.errors import BadInput, Fault, OmonatError, Refused, Unavailable
from omonat.vault.beside import level_beside
from omonat.vault.cipher import SlotCipher
from omonat.vault.header import Header, empty_file, read_header, write_header
from omonat.vault.keyring import RingFile
from omonat.vault.reconcile import reconcile
from omonat.vault.root import RootKey
from omonat.vault.slots import in_their_places, level
from omonat.vault.sources import BESIDE_KEYS
from omonat.vault.storage import closed_folder, create_empty, locked, make_durable, open_closed, remove, write_new
from omonat.vault.switch import erase, next_of, old_of, state


def proved(path: Path, root: RootKey) -> Header:
    """What a copy says of itself, proved by the root. Opens no key, changes nothing.

    Raises Refused root-wrong, Fault keys-changed, Unavailable keys-missing.
    """
    descriptor = open_closed(path, os.O_RDONLY)
    try:
        return read_header(descriptor, root, str(path))[0]
    finally:
        os.close(descriptor)


def mend(paths: Sequence[Path], root: RootKey, *, before: Callable[[], None] = lambda: None) -> list[Path]:
    """Begin every copy anew that is gone, from those that are there. Gives which; opening them brings them level.

    `paths` are all slot files in their order, the home's first. `before` is called when all was checked and something
    is gone; when it raises, nothing has happened. Doing it again is harmless. Raises Unavailable keys-missing (none is
    there), key-copies-missing (those that are there have other places in the order); Refused root-wrong,
    root-rotating; Fault keys-changed.
    """
    there = [path for path in paths if path.exists()]
    gone = [path for path in paths if path not in there]
    if not there:
        raise Unavailable("keys-missing", file=str(paths[0]))
    _not_rotating(paths)
    with _disk_trouble(), locked(there) as descriptors:
        heads = _heads(there, descriptors, root)
        if any(head.copies != len(paths) or paths[head.copy] != path for head, path in zip(heads, there, strict=True)):
            raise Unavailable("key-copies-missing", expected=str(heads[0].copies), found=str(len(there)))
        if gone:
            before()
        for path in gone:
            closed_folder(path.parent, create=True)
            write_new(path, empty_file(replace(heads[0], copy=paths.index(path)), root), replace=False)
    with _disk_trouble():
        create_empty(paths[0].with_name("lock"))
        RingFile(paths[0].with_name("keyring"), root, other_copies=paths[1:]).level(heads[0].installation)
        level_beside(paths)
    return gone


def drop(
    paths: Sequence[Path], gone: Path, root: RootKey, *, lost: bool, before: Callable[[], None] = lambda: None
) -> None:
    """Let a copy go: from now on a key counts as destroyed without it. What it held is overwritten, if it is there.

    Only `lost` lets one go that can't be overwritten: who finds it, and the root, can read what is destroyed from now
    on. `before` is as for `mend`. Cut off at any moment, the same call carries on. Raises BadInput key-copy-unknown,
    and what `mend` raises.
    """
    if gone not in paths[1:]:
        raise BadInput("key-copy-unknown", folder=str(gone.parent))
    left = [path for path in paths if path != gone]
    here = _may_be_read(gone, root) if lost else gone.exists()
    _not_rotating(left if lost else paths)
    with _disk_trouble(), locked(paths if here else left) as descriptors:
        staying = [descriptor for at, descriptor in enumerate(descriptors) if not here or paths[at] != gone]
        heads = _heads(left, staying, root)
        if not all((head.copies, head.copy) == (len(left), at) for at, head in enumerate(heads)):
            _may_stay(paths, left, heads)
            if here and all(head.copies == len(paths) for head in heads):
                level(paths, descriptors, root)  # what the copy that goes has destroyed is destroyed on those that stay
            elif not (here or lost):
                raise Unavailable("keys-missing", file=str(gone))
            before()
            _count_anew(left, staying, root)
    try:
        _overwrite_all(gone)
    except (OSError, OmonatError):
        if not lost:
            raise


def _may_be_read(path: Path, root: RootKey) -> bool:
    """Whether a copy that was said to be lost is there all the same, and ours."""
    try:
        proved(path, root)
    except (OSError, OmonatError):
        return False
    return True


def _may_stay(paths: Sequence[Path], left: Sequence[Path], heads: Sequence[Header]) -> None:
    """Those that are left are what they should be, and at least one has keys."""
    for at, (path, head) in enumerate(zip(left, heads, strict=True)):
        places = ((len(paths), paths.index(path)), (len(paths), at), (len(left), at))
        if (head.copies, head.copy) not in places:
            raise Unavailable("key-copies-missing", expected=str(head.copies), found=str(len(paths)))
    if all(head.made == 1 for head in heads):  # begun anew, and not brought level yet
        raise Unavailable("keys-missing", file=str(left[0]))


def _count_anew(left: Sequence[Path], descriptors: Sequence[int], root: RootKey) -> None:
    """Say at the head of every copy that is left which one it is now, and of how many; bring them level before."""
    found = [read_header(descriptor, root, str(path)) for path, descriptor in zip(left, descriptors, strict=True)]
    if not all(intact and replace(head, copy=0) == replace(found[0][0], copy=0) for head, intact in found):
        first = found[0][0]
        reconcile(descriptors, found, root, SlotCipher(root, first.installation, first.root_epoch))
    for at, (descriptor, head) in enumerate(zip(descriptors, _heads(left, descriptors, root), strict=True)):
        for step in (1, 2):  # both records, so that the older one says nothing else
            mine = replace(head, sequence=head.sequence + step, copies=len(left), copy=at)
            write_header(descriptor, mine, root)
            make_durable([descriptor])


def _overwrite_all(gone: Path) -> None:
    if gone.parent.exists():
        for path in (gone, next_of(gone), old_of(gone)):
            erase(path)
        for name in ("keyring", *BESIDE_KEYS):
            remove(gone.with_name(name))


@contextmanager
def _disk_trouble() -> Iterator[None]:
    """What the system says of a disk, as the house says it."""
    try:
        yield
    except OSError as error:
        raise Unavailable("keys-not-written", errno=str(error.errno)) from error


def installation_of(paths: Sequence[Path], root: RootKey) -> str:
    """Whose these slot files are, after all were proved to belong together, in their places. Changes nothing.

    Raises as `in_their_places`.
    """
    with locked(paths) as descriptors:
        return in_their_places(paths, descriptors, root)[0][0].installation


def _heads(paths: Sequence[Path], descriptors: Sequence[int], root: RootKey) -> list[Header]:
    heads = [read_header(descriptor, root, str(path))[0] for path, descriptor in zip(paths, descriptors, strict=True)]
    if len({head.installation for head in heads}) != 1:
        raise Fault("keys-changed", file=str(paths[0]))
    return heads


def _not_rotating(paths: Sequence[Path]) -> None:
    """A switch of roots that is under way decides which files count. Where its own file is lost, its traces say so."""
    if state(paths[0].parent) is not None or any(os.path.lexists(old_of(path)) for path in paths):
        raise Refused("root-rotating")
