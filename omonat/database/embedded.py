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

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from omonat.base.errors import Unavailable
from omonat.base.progress import Tell, untold
from omonat.database import binaries, processes
from omonat.database.cluster import ENVIRONMENT, Cluster
from omonat.database.home import SOCKET, address, claim, prepare
from omonat.database.processes import Account
from omonat.database.safety_settings import SAFE_SETTINGS

_LOG_LIMIT: Final = 4 * 1024 * 1024

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

_GROUPS: Final = Path("/sys/fs/cgroup")


def memory(groups: Path = _GROUPS, ours: Path = Path("/proc/self/cgroup")) -> int:
    """MiB of memory this machine has; less where the container or unit we run in, or one around it, is given less."""
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in _limits(groups, ours):
        with suppress(OSError, ValueError):  # there is none, or it says `max`
            most = min(most, int(limit.read_text("ascii")))
    return most // 2**20


def _limits(groups: Path, ours: Path) -> Iterator[Path]:
    """Where a limit may stand: of the groups this process is in, and of all around them (cgroups 2, and 1)."""
    try:
        lines = ours.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    for line in (*lines, "0::/", "0:memory:/"):  # in a container the path can be the host's, and its own group the root
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        group = root / path.strip("/")
        yield from (each / name for each in (group, *group.parents) if each.is_relative_to(root))


def memory_settings(memory: int) -> dict[str, str]:
    """What the server may take of so many MiB. It takes an eighth for its own buffers, as the data grow and never more
    than 4 GiB: what a use reads of a million people is more than a GiB, and a block from outside costs it microseconds.
    """
    shared = min(max(memory // 8, 64), 4096)
    return {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{max(memory // 2, shared)}MB"}


class Server:
    """One embedded server and the right to own its home. Build it with `Server.start`."""

    def __init__(self, home: Path, programs: Path, account: Account | None, tell: Tell) -> None:
        self.home = home.resolve()
        self.address = address(home)
        self._cluster = Cluster(self.home, self.address, programs, account)
        self._tell = tell
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, home: Path, *, programs: Path | None = None, tell: Tell = untold) -> Self:
        """Make the data directory if there is none, deal with what an earlier run left, start, wait until ready.

        Call it from the main thread of the process that is to own the server. `programs` is a folder with
        `postgres` and `initdb`; `tell` hears what takes longer. Raises Unavailable `home-in-use`,
        `no-postgres`, `no-account`, `home-unusable`, `database-start-failed`.
        """
        account = binaries.service_account()
        server = cls(home, binaries.reachable(binaries.find(programs), account), account, tell)
        prepare(server.home, server.address.socket, account)
        server._lock = claim(server.home)
        try:
            if not server._cluster.data.exists():
                tell("making the database (a second or two, once)")
                server._cluster.make()
            server._cluster.check_version()
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
        cluster, log = self._cluster, self._cluster.log
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        flags = [flag for name, value in self._settings().items() for flag in ("-c", f"{name}={value}")]
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = processes.start_child(
                [str(cluster.programs / "postgres"), "-D", str(cluster.data), "-k", str(self.address.socket), *flags],
                dies_by=signal.SIGINT,
                account=cluster.account,
                output=descriptor,
                environment=ENVIRONMENT,
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
        return {**_HOUSE_SETTINGS, **memory_settings(memory()), **SAFE_SETTINGS}

    def _clear_orphans(self) -> None:
        """Stop what still works in the data directory, then drop lock files that name no living server.

        We hold the home's lock, so any server here has lost its parent. PostgreSQL itself takes a zombie or a reused
        number for a running server and would refuse to start.
        """
        for sign, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            orphans = processes.working_in(self._cluster.data, "postgres")
            if not orphans:
                break
            if sign == signal.SIGINT and self._head(orphans) is None:
                continue  # its helpers alone would only drop what they do, and leave in their own time
            self._tell("stopping a database server that an earlier run left behind")
            head = self._head(orphans)
            for orphan in orphans if sign == signal.SIGKILL or head is None else (head,):
                if orphan.still_runs():
                    os.kill(orphan.pid, sign)
            _wait_for(lambda: not processes.working_in(self._cluster.data, "postgres"), seconds)
        if processes.working_in(self._cluster.data, "postgres"):
            raise Unavailable("database-start-failed", log=str(self._cluster.log))
        for left in (
            self._cluster.data / "postmaster.pid",
            self.address.socket / SOCKET,
            self.address.socket / f"{SOCKET}.lock",
        ):
            left.unlink(missing_ok=True)

    def _head(self, orphans: tuple[processes.Seen, ...]) -> processes.Seen | None:
        """The server itself among its processes; None when it is gone and only its helpers remain."""
        try:
            written = int((self._cluster.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        return next((seen for seen in orphans if seen.pid == written), None)

    def _wait_until_ready(self, child: "subprocess.Popen[bytes]") -> None:
        def ready() -> bool:
            try:
                lines = (self._cluster.data / "postmaster.pid").read_text().splitlines()
            except OSError:
                return child.poll() is not None
            return child.poll() is not None or (lines[:1] == [str(child.pid)] and lines[7:8] == ["ready   "])

        if not _wait_for(ready, 2):
            self._tell("the database is recovering; nothing is lost")
            _wait_for(ready, 300)
        if child.poll() is not None or not ready():
            raise Unavailable("database-start-failed", log=str(self._cluster.log))


def _wait_for(reached: Callable[[], bool], seconds: float) -> bool:
    """Look until `reached` or until the seconds are over; elapsed time, not wall clock."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
