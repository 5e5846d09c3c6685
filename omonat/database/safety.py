"""The ground is looked at before anything stands on it: unsafe settings are refused, each with its reason.

Enforced at every start, for the embedded server as for one in production (S1, S2; facts: security, 5 and 10): before
the first migration, for data come with it, and after the last. While the service runs it is looked at again
(`omonat.flows.watching`).
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
from omonat.database.inventory import columns_without_statistics
from omonat.database.pool import SCHEMA, Database
from omonat.database.safety_settings import ALSO_FINE, QUIET_SETTINGS, SAFE_SETTINGS, TALKATIVE, WHY


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


async def server_findings(database: Database, archive_days: int | None = None) -> list[BadInput]:
    """What is unsafe about the server as this very role sees it (a role or a database may override a setting), and
    about columns whose values it may copy into its statistics. See `setting_findings`.
    """
    found = await setting_findings(database, archive_days)
    async with database.connection() as connection:
        sampled = await connection.fetch(_SAMPLED, SCHEMA)
    wrong = sorted(columns_without_statistics() & {f"{row['table']}.{row['column']}" for row in sampled})
    return found + [BadInput("unsafe-statistics", column=column, table=column.partition(".")[0]) for column in wrong]


async def setting_findings(database: Database, archive_days: int | None = None) -> list[BadInput]:
    """What is unsafe about the server's settings and our role there, whatever its tables look like.

    `archive_days` is how long the operator states that archived write-ahead log is kept; None when nobody said. A
    setting of PostgreSQL's own that cannot be read counts as unsafe.
    """
    names = [*SAFE_SETTINGS, *QUIET_SETTINGS, "data_checksums", "log_min_messages", "archive_mode", "wal_level"]
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select name, current_setting(name, true) as now from unnest($1::text[]) name", names
        )
        superuser = await connection.fetchval("select rolsuper from pg_roles where rolname = current_user")
    found = {row["name"]: row["now"] for row in rows}
    findings = [
        _setting(name, found[name], wanted)
        for name, wanted in (SAFE_SETTINGS | QUIET_SETTINGS).items()
        if found[name] not in (wanted, *ALSO_FINE.get(name, ())) and not ("." in name and found[name] is None)
    ]
    if found["log_min_messages"] in (None, *TALKATIVE):
        findings.append(_setting("log_min_messages", found["log_min_messages"], "warning"))
    if found["data_checksums"] != "on":
        findings.append(BadInput("unsafe-checksums"))
    if superuser is not False:
        findings.append(BadInput("unsafe-superuser"))
    kept = found["archive_mode"] not in (None, "off") or found["wal_level"] == "logical"
    if kept and archive_days is None:
        findings.append(BadInput("unsafe-archive-unstated", found=str(found["wal_level"])))
    return findings


_SAMPLED: Final = """
select c.relname as table, a.attname as column
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
   and coalesce(a.attstattarget, -1) <> 0
"""
"""Columns whose values may be copied into the server's statistics."""


def _setting(name: str, found: str | None, wanted: str) -> BadInput:
    return BadInput("unsafe-database-setting", setting=name, found=found or "?", wanted=wanted, why=WHY[name])


def address_findings(dsn: str) -> list[BadInput]:
    """What is unsafe about the way to the server, from its address alone: nothing is sent before this is clean.

    A unix socket and the loopback need no encryption; any other host needs `sslmode=verify-full`.
    """
    encrypted = parse_qs(urlsplit(dsn).query).get("sslmode") == ["verify-full"]
    if encrypted or not server_hosts(dsn):
        return []
    return [BadInput("unsafe-transport")]


def server_hosts(dsn: str) -> list[str]:
    """The other machines an address leads to, by the names it uses; none where the server is on this one."""
    return [host for host in _hosts(dsn) if not _stays_here(host)]


def _hosts(dsn: str) -> list[str]:
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    named = parts.netloc.rpartition("@")[2].split(",") if parts.netloc.rpartition("@")[2] else []
    hosts = [_host(one) for one in named] + [one for value in query.get("host", []) for one in value.split(",")]
    return [unquote(host) for host in hosts or [os.environ.get("PGHOST", "/run/postgresql")]]


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


async def check(database: Database, home: Path, *secrets: Path, archive_days: int | None = None) -> None:
    """Everything that can be told once the database answers. Raises Unsafe with all reasons."""
    findings = [*process_findings(), *folder_findings(home, *secrets), *address_findings(database.dsn)]
    refuse([*findings, *await server_findings(database, archive_days)])
