"""The ground is looked at before anything stands on it: unsafe settings are refused, each with its reason.

Enforced at every start, for the embedded server as for one in production (S1, S2; facts: security, 5 and 10).
All reasons are gathered before refusing, so that an operator mends them in one go.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from omonat.base.errors import BadInput
from omonat.database.embedded import SAFE_SETTINGS
from omonat.database.pool import Database

_WHY: Final = {
    "fsync": "an acknowledged change could be lost with the power",
    "full_page_writes": "a page torn by a power cut could not be mended",
    "synchronous_commit": "evidence would be answered for before it is durable",
    "log_statement": "statements would be written to the server's log",
    "log_min_error_statement": "a failing statement would be written to the server's log",
    "log_parameter_max_length_on_error": "the values of a failing statement would be written to the server's log",
    "log_min_duration_statement": "slow statements would be written to the server's log with their values",
    "log_error_verbosity": "a violated constraint would write its values to the server's log",
}
_ALSO_FINE: Final = {"synchronous_commit": ("remote_apply",)}


class Unsafe(BadInput):
    """Refused to start; `reasons` holds every finding, each with a code of its own."""

    def __init__(self, reasons: Sequence[BadInput]) -> None:
        super().__init__("unsafe-start")
        self.reasons = tuple(reasons)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"- {reason}" for reason in self.reasons)])


def refuse(findings: Sequence[BadInput]) -> None:
    """Raise Unsafe when there is any finding."""
    if findings:
        raise Unsafe(findings)


async def server_findings(database: Database) -> list[BadInput]:
    """What is unsafe about the server as this very role sees it (a role or a database may override a setting).

    A setting that cannot be read counts as unsafe.
    """
    names = [*SAFE_SETTINGS, "data_checksums"]
    async with database.connection() as connection:
        rows = await connection.fetch("select name, setting from pg_settings where name = any($1)", names)
        superuser = await connection.fetchval("select rolsuper from pg_roles where rolname = current_user")
    found = {row["name"]: row["setting"] for row in rows}
    findings = [
        BadInput("unsafe-database-setting", setting=name, found=found.get(name, "?"), wanted=wanted, why=_WHY[name])
        for name, wanted in SAFE_SETTINGS.items()
        if found.get(name) not in (wanted, *_ALSO_FINE.get(name, ()))
    ]
    if found.get("data_checksums") != "on":
        findings.append(BadInput("unsafe-checksums"))
    if superuser is not False:
        findings.append(BadInput("unsafe-superuser"))
    return findings


def address_findings(dsn: str) -> list[BadInput]:
    """What is unsafe about the way to the server, from its address alone: nothing is sent before this is clean.

    A unix socket and the loopback need no encryption; any other host needs `sslmode=verify-full`.
    """
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    named = parts.netloc.rpartition("@")[2].split(",") if parts.netloc.rpartition("@")[2] else []
    hosts = [_host(one) for one in named] + [one for value in query.get("host", []) for one in value.split(",")]
    if not hosts:
        hosts = [os.environ.get("PGHOST", "/run/postgresql")]
    if all(_stays_here(unquote(host)) for host in hosts) or query.get("sslmode") == ["verify-full"]:
        return []
    return [BadInput("unsafe-transport")]


def _host(location: str) -> str:
    if location.startswith("["):
        return location[1:].partition("]")[0]
    return location.partition(":")[0]


def _stays_here(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def folder_findings(home: Path, *secrets: Path) -> list[BadInput]:
    """What is unsafe about the files: the home, its keys and `secrets` are closed to everybody else.

    As root the home may let one group through (0710): the account the embedded server runs as. The server checks
    its own folder itself. `secrets` are files and folders the settings name; they may belong to us or to root, and
    one that does not exist is said by whoever needs it.
    """
    own = _open_findings(home, _ours(home), {os.geteuid()})
    return own + _open_findings(home, (path for path in secrets if path.exists()), {os.geteuid(), 0})


def _open_findings(home: Path, paths: Iterable[Path], owners: Collection[int]) -> list[BadInput]:
    findings = []
    for path in paths:
        facts = path.lstat()
        mode = stat.S_IMODE(facts.st_mode)
        folder = stat.S_ISDIR(facts.st_mode)
        if stat.S_ISLNK(facts.st_mode) or facts.st_uid not in owners:
            findings.append(BadInput("unsafe-owner", path=str(path), wanted=str(os.geteuid())))
        allowed = 0o710 if path == home and os.geteuid() == 0 else 0o700 if folder else 0o600
        if mode & ~allowed:
            wanted, found = f"{0o700 if folder else 0o600:o}", f"{mode:o}"
            findings.append(BadInput("unsafe-permissions", path=str(path), found=found, wanted=wanted))
    return findings


def _ours(home: Path) -> Iterator[Path]:
    if home.exists():
        yield home
    for top in (home / "keys", home / "settings.toml", home / "postgres.pass"):
        if top.exists() or top.is_symlink():
            yield top
        if top.is_dir():
            yield from sorted(top.rglob("*"))


def process_findings() -> list[BadInput]:
    """What is unsafe about this process: files it makes would be open to others."""
    current = os.umask(0o077)
    os.umask(current)
    return [] if current & 0o077 == 0o077 else [BadInput("unsafe-umask", found=f"{current:03o}")]


async def check(database: Database, home: Path, *secrets: Path) -> None:
    """Everything that can be told once the database answers. Raises Unsafe with all reasons."""
    findings = [*process_findings(), *folder_findings(home, *secrets), *address_findings(database.dsn)]
    refuse([*findings, *await server_findings(database)])
