"""Making the data directory of the embedded server: SCRAM, checksums, builtin C.UTF-8, one role, one database."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from omonat.base.errors import BadInput, Unavailable
from omonat.database import processes
from omonat.database.home import OWNER, USER, Address, sync_folder, write_durably
from omonat.database.processes import Account

ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_BUILTIN_LOCALE: Final = 17  # the major version from which PostgreSQL brings its own C.UTF-8


@dataclass(frozen=True, slots=True)
class Cluster:
    """One data directory below a home, and the programs and the account that work on it."""

    home: Path
    address: Address
    programs: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "postgres.log"

    def make(self) -> None:
        """Make the data directory under another name, with role and database in it, then rename: all or nothing.

        Raises Unavailable `database-start-failed`.
        """
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        words = {OWNER: secrets.token_urlsafe(32), USER: secrets.token_urlsafe(32)}
        self._initialise(fresh, words[OWNER])
        self._run(
            *("postgres", "--single", "-D", str(fresh)),
            *("-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", OWNER),
            feed=(
                f"create role {USER} login password '{words[USER]}'\n"
                f"alter role {USER} set search_path = omonat\n"
                f"create database {USER} owner {USER}\n"
                f"revoke all on database {USER} from public\n"
            ),
        )
        lines = "".join(f"*:*:*:{user}:{word}\n" for user, word in words.items())
        write_durably(self.address.passwords, lines)
        fresh.rename(self.data)
        sync_folder(self.home)

    def check_version(self) -> None:
        """Refuse data that another major version made. Raises BadInput `postgres-other-version`."""
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self._major()):
            about = {"made": made_by, "found": str(self._major()), "programs": str(self.programs)}
            raise BadInput("postgres-other-version", **about)

    def _initialise(self, fresh: Path, owner_word: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.address.socket, prefix="init-") as folder:
            password = Path(folder) / "owner"
            password.write_text(owner_word)
            password.chmod(0o600)
            if self.account is not None:
                for path in (Path(folder), password, fresh):
                    os.chown(path, self.account.uid, self.account.gid)
            # The builtin provider sorts and folds the same on every machine; before it, the system's own.
            builtin = ("--locale-provider=builtin",) if self._major() >= _BUILTIN_LOCALE else ()
            self._run(
                *("initdb", "--pgdata", str(fresh), "--username", OWNER, "--pwfile", str(password)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums", "--no-instructions"),
                *builtin,
                "--locale=C.UTF-8",
            )

    def _major(self) -> int:
        command = [str(self.programs / "postgres"), "--version"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 — our own program
        return int(done.stdout.split()[2].split(".")[0])

    def _run(self, program: str, *arguments: str, feed: str = "") -> None:
        with tempfile.TemporaryFile() as stdin:
            stdin.write(feed.encode())
            stdin.seek(0)
            child = processes.start_child(
                [str(self.programs / program), *arguments],
                dies_by=signal.SIGKILL,
                account=self.account,
                stdin=stdin,
                output=subprocess.PIPE,
                environment=ENVIRONMENT,
            )
            output, _ = child.communicate()
        if child.returncode != 0:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(output)
            raise Unavailable("database-start-failed", log=str(self.log))
