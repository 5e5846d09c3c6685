"""The embedded PostgreSQL: made, started, watched and stopped by us, as a direct child of one parent process.

    home/                0700, or 0710 for the service account when started as root
      lock               held by the one process that owns the server
      postgres/          the data directory: SCRAM, checksums, builtin C.UTF-8
      postgres.pass      0600, the passwords; addresses name this file instead of carrying a secret
      postgres.log       0600
      run/               0700, the socket; nothing listens on the network

The parent's death stops the server cleanly (PDEATHSIG). A server that outlived its parent is verified (process,
start, working directory), stopped, and its data taken over by the next start; what was acknowledged is there.
"""

import fcntl
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from omonat.base.errors import Unavailable
from omonat.database import binaries, processes
from omonat.database.processes import Account

OWNER: Final = "postgres"
USER: Final = "omonat"
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 107 - 5  # bytes of a socket's address, less the suffix of its lock file
_LOG_LIMIT: Final = 4 * 1024 * 1024

SAFE_SETTINGS: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # Values travel as parameters only; these keep them out of the server's own log as well.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "log_error_verbosity": "terse",
}
_HOUSE_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "wal_level": "replica",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "pglz",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "track_activity_query_size": "1024",
    "track_io_timing": "off",
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


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
    if len(os.fsencode(socket / _SOCKET)) > _LONGEST_SOCKET:
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


class Server:
    """One embedded server and the right to own its home. Build it with `Server.start`."""

    def __init__(self, home: Path, programs: Path, account: Account | None, tell: Callable[[str], None]) -> None:
        self.home = home.resolve()
        self.data = self.home / "postgres"
        self.address = address(home)
        self._programs = programs
        self._account = account
        self._tell = tell
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls, home: Path, *, programs: Path | None = None, tell: Callable[[str], None] = lambda _line: None
    ) -> Self:
        """Make the data directory if there is none, deal with what an earlier run left, start, wait until ready.

        Call it from the main thread of the process that is to own the server. `programs` is a folder with
        `postgres` and `initdb`; `tell` hears what takes longer. Raises Unavailable `home-in-use`,
        `no-postgres`, `no-account`, `home-unusable`, `database-start-failed`.
        """
        account = binaries.service_account()
        server = cls(home, binaries.reachable(binaries.find(programs), account), account, tell)
        server._prepare_home()
        server._lock = claim(server.home)
        try:
            server._clear_orphans()
            if not server.data.exists():
                server._initialise()
            server.restart()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def dsn(self) -> str:
        """The address for the application: an ordinary role that owns one database."""
        return self.address.dsn()

    @property
    def pid(self) -> int:
        """The running server's process. Raises Unavailable when it does not run."""
        if self._child is None or self._child.poll() is not None:
            raise Unavailable("database-unavailable")
        return self._child.pid

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._child is not None and self._child.poll() is None

    def restart(self) -> None:
        """Start the server process again after it ended; nothing acknowledged is lost, recovery runs first."""
        self._clear_orphans()
        log = self.home / "postgres.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        flags = [flag for name, value in self._settings().items() for flag in ("-c", f"{name}={value}")]
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = processes.start_child(
                [str(self._programs / "postgres"), "-D", str(self.data), "-k", str(self.address.socket), *flags],
                dies_by=signal.SIGINT,
                account=self._account,
                output=descriptor,
                environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
        finally:
            os.close(descriptor)
        self._wait_until_ready(self._child)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server (fast, then at once) and give the home free. Never raises; may be called twice.

        With `at_once` it skips the last checkpoint: quick to stop, and the next start has to recover.
        """
        if self._child is not None:
            orderly = () if at_once else ((signal.SIGINT, 8.0),)
            processes.stop_child(self._child, *orderly, (signal.SIGQUIT, 3.0))
            self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """Kill the server process at once, as a power cut would; for tests of recovery."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def _settings(self) -> dict[str, str]:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
        shared = 512 if memory >= 8192 else 256 if memory >= 1536 else 64
        sizes = {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{max(memory // 2, shared)}MB"}
        return {**_HOUSE_SETTINGS, **sizes, **SAFE_SETTINGS}

    def _prepare_home(self) -> None:
        try:
            if self._account is not None:
                binaries.make_passable(self.home.parent)
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own_folder(self.home, None)
            if self._account is not None:  # root keeps the home; the server's account may pass through it
                os.chown(self.home, 0, self._account.gid)
                self.home.chmod(0o710)
                if not _can_pass(self.home.parent):
                    raise Unavailable("home-unusable", home=str(self.home))
            self.address.socket.mkdir(mode=0o700, exist_ok=True)
            self._own_folder(self.address.socket, self._account)
        except OSError as error:
            raise Unavailable("home-unusable", home=str(self.home)) from error

    def _own_folder(self, folder: Path, account: Account | None) -> None:
        """Refuse a folder somebody else put there (a link, another owner), then close it to all others."""
        facts = folder.lstat()
        allowed = {os.geteuid()} | ({account.uid} if account else set())
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in allowed:
            raise Unavailable("home-unusable", home=str(folder))
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)

    def _clear_orphans(self) -> None:
        """Stop what still works in the data directory, then drop lock files that name no living server.

        We hold the home's lock, so any server here has lost its parent. PostgreSQL itself takes a zombie or a reused
        number for a running server and would refuse to start.
        """
        for sign, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            orphans = processes.working_in(self.data, "postgres")
            if not orphans:
                break
            self._tell("stopping a database server that an earlier run left behind")
            for orphan in self._heads(orphans) if sign != signal.SIGKILL else orphans:
                if orphan.still_runs():
                    os.kill(orphan.pid, sign)
            _wait_for(lambda: not processes.working_in(self.data, "postgres"), seconds)
        if processes.working_in(self.data, "postgres"):
            raise Unavailable("database-start-failed", log=str(self.home / "postgres.log"))
        for left in (
            self.data / "postmaster.pid",
            self.address.socket / _SOCKET,
            self.address.socket / f"{_SOCKET}.lock",
        ):
            left.unlink(missing_ok=True)

    def _heads(self, orphans: tuple[processes.Seen, ...]) -> tuple[processes.Seen, ...]:
        """The server itself among its processes; all of them when it is gone and only its helpers remain."""
        try:
            written = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return orphans
        return tuple(seen for seen in orphans if seen.pid == written) or orphans

    def _initialise(self) -> None:
        """Make the data directory under another name, with role and database in it, then rename: all or nothing."""
        self._tell("making the database (a second or two, once)")
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        words = {OWNER: secrets.token_urlsafe(32), USER: secrets.token_urlsafe(32)}
        with tempfile.TemporaryDirectory(dir=self.address.socket, prefix="init-") as folder:
            password = Path(folder) / "owner"
            password.write_text(words[OWNER])
            password.chmod(0o600)
            if self._account is not None:
                for path in (Path(folder), password, fresh):
                    os.chown(path, self._account.uid, self._account.gid)
            self._run(
                *("initdb", "--pgdata", str(fresh), "--username", OWNER, "--pwfile", str(password)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums", "--no-instructions"),
                *self._locale(),
            )
        self._run(
            *("postgres", "--single", "-D", str(fresh), "-c", "log_min_error_statement=panic", OWNER),
            feed=(
                f"create role {USER} login password '{words[USER]}'\n"
                f"alter role {USER} set search_path = omonat\n"
                f"create database {USER} owner {USER}\n"
                f"revoke all on database {USER} from public\n"
            ),
        )
        lines = "".join(f"*:*:*:{user}:{word}\n" for user, word in words.items())
        _write_durably(self.address.passwords, lines)
        fresh.rename(self.data)
        _sync_folder(self.home)

    def _locale(self) -> tuple[str, ...]:
        command = [str(self._programs / "postgres"), "--version"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 — our own program
        major = int(done.stdout.split()[2].split(".")[0])
        # The builtin provider (17 and later) sorts and folds the same on every machine; before it, the system's own.
        return ("--locale-provider=builtin", "--locale=C.UTF-8") if major >= 17 else ("--locale=C.UTF-8",)

    def _run(self, program: str, *arguments: str, feed: str = "") -> None:
        with tempfile.TemporaryFile() as stdin:
            stdin.write(feed.encode())
            stdin.seek(0)
            child = processes.start_child(
                [str(self._programs / program), *arguments],
                dies_by=signal.SIGKILL,
                account=self._account,
                stdin=stdin,
                output=subprocess.PIPE,
                environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
            output, _ = child.communicate()
        if child.returncode != 0:
            log = self.home / "postgres.log"
            with log.open("ab") as file:
                file.write(output)
            raise Unavailable("database-start-failed", log=str(log))

    def _wait_until_ready(self, child: "subprocess.Popen[bytes]") -> None:
        def ready() -> bool:
            try:
                lines = (self.data / "postmaster.pid").read_text().splitlines()
            except OSError:
                return child.poll() is not None
            return child.poll() is not None or (lines[:1] == [str(child.pid)] and lines[7:8] == ["ready   "])

        if not _wait_for(ready, 2):
            self._tell("the database is recovering; nothing is lost")
            _wait_for(ready, 300)
        if child.poll() is not None or not ready():
            raise Unavailable("database-start-failed", log=str(self.home / "postgres.log"))


def _wait_for(reached: Callable[[], bool], seconds: float) -> bool:
    """Look until `reached` or until the seconds are over; elapsed time, not wall clock."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _can_pass(folder: Path) -> bool:
    return all(way.stat().st_mode & 0o001 for way in (folder, *folder.parents))


def _write_durably(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
