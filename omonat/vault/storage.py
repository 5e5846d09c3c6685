"""The ground the keys stand on: closed folders, closed files, locks, writes that last (S5, S6, R3).

A key can only be destroyed where overwriting a file overwrites what the disk held. Filesystems that write a changed
block elsewhere (btrfs, zfs, bcachefs, f2fs, nilfs) and those of other machines are therefore refused. A container's
overlay and memory filesystems hide what lies beneath: they are let through with a warning the operator sees.
"""

import ctypes
import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.base.failpoints import reach

_REFUSED = {
    0x9123683E: "btrfs",
    0x2FC12FC1: "zfs",
    0xCA451A4E: "bcachefs",
    0xF2F52010: "f2fs",
    0x3434: "nilfs2",
    0x6969: "nfs",
    0xFF534D42: "cifs",
    0xFE534D42: "smb",
}
_WARNED = {0x794C7630: "overlayfs", 0x01021994: "tmpfs", 0x858458F6: "ramfs", 0x65735546: "fuse", 0x01021997: "9p"}


def filesystem_magic(path: Path) -> int | None:
    """The kernel's number for the filesystem under `path` (statfs(2)); None where the system does not tell."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(512)
        if libc.statfs(os.fsencode(path), buffer) != 0:
            return None
    except (OSError, AttributeError):
        return None
    return int.from_bytes(buffer.raw[:4], "little") if os.uname().machine != "s390x" else None


def check_storage(folder: Path, *, copying_ok: bool = False) -> tuple[str, ...]:
    """Warnings about where keys would lie: `name-of-filesystem` each. Raises Refused where destroying can't work.

    `copying_ok` turns the refusal into a warning; it is for made-up data only (the demo on a laptop with btrfs).
    """
    magic = filesystem_magic(folder)
    if magic is None:
        return ("unknown",)
    if magic in _REFUSED:
        if not copying_ok:
            raise Refused("key-storage-copies", folder=str(folder), filesystem=_REFUSED[magic])
        return (_REFUSED[magic],)
    return (_WARNED[magic],) if magic in _WARNED else ()


def closed_folder(folder: Path, *, create: bool) -> None:
    """Make sure that `folder` exists and is ours alone (0700). Raises Unavailable or Refused."""
    if create and not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)
    try:
        found = folder.stat()
    except OSError:
        raise Unavailable("keys-missing", file=str(folder)) from None
    _check_closed(folder, found)


def _check_closed(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (os.geteuid(), 0):
        raise Refused("key-file-open", file=str(path), mode=f"{stat.S_IMODE(found.st_mode):04o}")


def open_closed(path: Path, flags: int = os.O_RDWR) -> int:
    """A descriptor of an existing key file that nobody else may read. Raises Unavailable or Refused."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        raise Unavailable("keys-missing", file=str(path)) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Refused("key-file-open", file=str(path), mode="not a file")
        _check_closed(path, found)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(paths: Sequence[Path]) -> Iterator[list[int]]:
    """Descriptors of all `paths`, in the given order, each under an exclusive lock that dies with the process.

    Locks are taken in one order whatever the caller's, so that no two processes wait for each other. Every call opens
    its own descriptors: threads exclude each other too, and a forked child holds nothing of its parent's. A file that
    was replaced while we waited for it is let go, and the new one locked: nobody works on a file without a name.
    """
    with ExitStack() as stack:
        held = {path: _locked_in_place(path, stack) for path in sorted(set(paths))}
        yield [held[path] for path in paths]


def _locked_in_place(path: Path, stack: ExitStack) -> int:
    while True:
        descriptor = open_closed(path)
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        here, there = os.fstat(descriptor), path.stat()
        if (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev):
            return descriptor


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write the whole of `data` at `offset`; a short write is carried on. Raises Unavailable (a full disk)."""
    view = memoryview(data)
    try:
        while view:
            reach("keys.to-write")
            written = os.pwrite(descriptor, view, offset)
            view, offset = view[written:], offset + written
    except OSError as error:
        raise Unavailable("keys-not-written", errno=str(error.errno)) from error


def make_durable(descriptors: Iterable[int]) -> None:
    """Flush to the device. Raises Fault once and for all: after a failed flush the kernel may have dropped the pages,
    and a second, successful flush would prove nothing. The caller must stop using the file."""
    for descriptor in descriptors:
        _flush(os.fdatasync, descriptor)


def _flush(flush: Callable[[int], None], descriptor: int) -> None:
    try:
        flush(descriptor)
    except OSError as error:
        raise Fault("keys-not-durable", errno=str(error.errno)) from error


def _sync_folder(folder: Path) -> None:
    """Make names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _flush(os.fsync, descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes, *, replace: bool) -> None:
    """Put a whole file in place at once, 0600 and durable: after a power cut there is the old file or the new one.

    Without `replace`, raises FileExistsError when something stands there already.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(descriptor, data, 0)
            _flush(os.fsync, descriptor)
        finally:
            os.close(descriptor)
        reach("keys.drafted")
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    reach("keys.named")
    _sync_folder(path.parent)


def create_empty(path: Path) -> None:
    """Make an empty file, 0600, or leave the one that is there."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    _sync_folder(path.parent)


def put_in_place(draft: Path, path: Path) -> None:
    """Give `draft` the name of `path`, and make that durable."""
    draft.replace(path)
    _sync_folder(path.parent)


def keep_also_as(path: Path, name: Path) -> None:
    """Give the file a second name, durably, so that it can still be reached when its first is taken."""
    name.hardlink_to(path)
    _sync_folder(name.parent)


def remove(path: Path) -> None:
    """Take a name away, durably."""
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)
