"""The home of an installation: who may enter it, which one process owns it, where its database answers."""

import fcntl
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from omonat.base.errors import Unavailable
from omonat.database.binaries import make_passable
from omonat.database.processes import Account

OWNER: Final = "postgres"
USER: Final = "omonat"
SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 107 - 5  # bytes of a socket's address, less the suffix of its lock file


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach an embedded server: a socket folder and a password file, so no secret is in the text."""

    socket: Path
    passwords: Path

    def dsn(self, database: str = USER, *, user: str = USER) -> str:
        """The address of one database; `user` is `omonat` (owns the data) or `postgres` (makes databases)."""
        host, passwords = quote(str(self.socket)), quote(str(self.passwords))
        return f"postgresql://{user}@/{database}?host={host}&passfile={passwords}"


def address(home: Path) -> Address:
    """Where the embedded server of `home` answers, whether it runs or not; every process derives the same."""
    home = home.resolve()
    socket = home / "run"
    if len(os.fsencode(socket / SOCKET)) > _LONGEST_SOCKET:
        socket = Path(f"/tmp/omonat-{os.geteuid()}-{sha256(os.fsencode(home)).hexdigest()[:16]}")  # noqa: S108
    return Address(socket, home / "postgres.pass")


def claim(home: Path) -> int:
    """Be the only process that works on `home`, until the returned descriptor is closed or this process ends.

    Raises Unavailable `home-in-use`.
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise Unavailable("home-in-use", home=str(home), pid=holder or "?") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def prepare(home: Path, socket: Path, account: Account | None) -> None:
    """Make the home and its socket folder, closed to everybody but us and the account the server runs as.

    Raises Unavailable `home-unusable`.
    """
    try:
        if account is not None:
            make_passable(home.parent)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _own(home, None)
        if account is not None:  # root keeps the home; the server's account may pass through it
            os.chown(home, 0, account.gid)
            home.chmod(0o710)
            if not _can_pass(home.parent):
                raise Unavailable("home-unusable", home=str(home))
        socket.mkdir(mode=0o700, exist_ok=True)
        _own(socket, account)
    except OSError as error:
        raise Unavailable("home-unusable", home=str(home)) from error


def _own(folder: Path, account: Account | None) -> None:
    """Refuse a folder somebody else put there (a link, another owner), then close it to all others."""
    facts = folder.lstat()
    allowed = {os.geteuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in allowed:
        raise Unavailable("home-unusable", home=str(folder))
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _can_pass(folder: Path) -> bool:
    return all(way.stat().st_mode & 0o001 for way in (folder, *folder.parents))


def write_durably(path: Path, text: str) -> None:
    """Put a file there that only we may read, whole or not at all, and on the disk before returning."""
    partial = path.with_name(f"{path.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
