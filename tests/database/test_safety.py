"""S1, S2: Omonat does not start on unsafe ground, and says each reason and its remedy."""

import os
from pathlib import Path

import asyncpg
import pytest

from omonat.base.codes import advice, registry
from omonat.database import safety
from omonat.database.embedded import Server
from omonat.database.home import OWNER
from omonat.database.pool import Database
from omonat.database.safety_settings import QUIET_SETTINGS, SAFE_SETTINGS


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    (home / "keys").chmod(0o700)
    slots = home / "keys" / "slots"
    slots.touch(0o600)
    slots.chmod(0o600)
    return home


async def test_S1_the_embedded_server_is_safe(database: Database) -> None:
    assert await safety.server_findings(database) == []
    assert safety.address_findings(database.dsn) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("synchronous_commit", "local"),
        ("log_statement", "all"),
        ("log_min_error_statement", "error"),
        ("log_parameter_max_length_on_error", "-1"),
        ("log_min_duration_statement", "100ms"),
        ("log_error_verbosity", "default"),
    ],
)
async def test_S1_each_unsafe_setting_is_refused_with_its_reason(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setitem(SAFE_SETTINGS, setting, value)
    server = Server.start(short_folder / "unsafe")
    monkeypatch.undo()
    try:
        database = await Database.connect(server.dsn, size=1)
        (finding,) = await safety.server_findings(database)
        await database.close()
    finally:
        server.stop(at_once=True)
    assert finding.about["setting"] == setting
    assert finding.about["found"] == value
    assert finding.about["why"]
    assert setting in advice(finding.code, "en", finding.about)


async def test_S1_a_role_that_overrides_a_safe_server_is_noticed(dsn: str, owner: asyncpg.Connection) -> None:
    name = dsn.partition("@/")[2].partition("?")[0]
    await owner.execute(f"alter database {name} set synchronous_commit = off")
    database = await Database.connect(dsn, size=1)
    (finding,) = await safety.server_findings(database)
    await database.close()
    assert finding.about["setting"] == "synchronous_commit"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("log_min_duration_sample", "50ms"),
        ("log_transaction_sample_rate", "0.5"),
        ("log_min_messages", "debug1"),
        ("debug_print_parse", "on"),
        ("debug_print_rewritten", "on"),
        ("debug_print_plan", "on"),
        ("zero_damaged_pages", "on"),
        ("ignore_checksum_failure", "on"),
        ("password_encryption", "md5"),
        ("auto_explain.log_min_duration", "0"),
        ("pgaudit.log_parameter", "on"),
    ],
)
async def test_S2_a_setting_that_was_changed_from_its_quiet_default_is_refused_with_its_reason(
    dsn: str, owner: asyncpg.Connection, setting: str, value: str
) -> None:
    name = dsn.partition("@/")[2].partition("?")[0]
    await owner.execute(f"alter database {name} set {setting} = '{value}'")
    database = await Database.connect(dsn, size=1)
    (finding,) = await safety.server_findings(database)
    await database.close()
    assert (finding.about["setting"], finding.about["found"]) == (setting, value)
    assert finding.about["why"]
    assert finding.about["wanted"]
    assert QUIET_SETTINGS.get(setting, "warning") in advice(finding.code, "en", finding.about)


async def test_S2_a_column_whose_values_go_into_the_statistics_again_is_refused(
    dsn: str, owner: asyncpg.Connection
) -> None:
    database = await Database.connect(dsn, size=1)
    await database.pool.execute("alter table staff alter column profile set statistics 100")
    await database.pool.execute("alter table sections alter column sealed set statistics -1")
    findings = await safety.server_findings(database)
    await database.close()
    assert [(finding.code, finding.about["column"]) for finding in findings] == [
        ("unsafe-statistics", "sections.sealed"),
        ("unsafe-statistics", "staff.profile"),
    ]


async def test_R3_a_server_that_archives_starts_only_when_somebody_says_for_how_long(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAFE_SETTINGS, "archive_mode", "on")
    server = Server.start(short_folder / "archiving")
    monkeypatch.undo()
    try:
        database = await Database.connect(server.dsn, size=1)
        assert [finding.code for finding in await safety.server_findings(database)] == ["unsafe-archive-unstated"]
        assert await safety.server_findings(database, archive_days=35) == []
        await database.close()
    finally:
        server.stop(at_once=True)


async def test_S4_a_superuser_is_refused(server: Server) -> None:
    database = await Database.connect(server.address.dsn("postgres", user=OWNER), size=1)
    (finding,) = await safety.server_findings(database)
    await database.close()
    assert finding.code == "unsafe-superuser"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://omonat@db.example.uz/omonat",
        "postgresql://omonat@db.example.uz/omonat?sslmode=require",
        "postgresql://omonat@10.0.0.5:5432/omonat",
        "postgresql://omonat@[2001:db8::1]/omonat",
        "postgresql://omonat@localhost,db.example.uz/omonat",
        "postgresql://omonat@/omonat?host=db.example.uz",
        "postgresql://omonat@/omonat?host=/run/postgresql,db.example.uz&sslmode=prefer",
    ],
)
def test_S1_another_machine_without_a_checked_certificate_is_refused(dsn: str) -> None:
    (finding,) = safety.address_findings(dsn)
    assert finding.code == "unsafe-transport"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://omonat@/omonat",
        "postgresql://omonat@localhost/omonat",
        "postgresql://omonat@127.0.0.1:6543/omonat",
        "postgresql://omonat@[::1]:6543/omonat",
        "postgresql://omonat@/omonat?host=/run/postgresql",
        "postgresql://omonat@/omonat?host=%2Frun%2Fpostgresql",
        "postgresql://omonat@db.example.uz/omonat?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem",
    ],
)
def test_S1_this_machine_or_a_checked_certificate_is_fine(dsn: str) -> None:
    assert safety.address_findings(dsn) == []


def test_S1_closed_folders_are_fine_and_open_ones_are_named(closed: Path) -> None:
    assert safety.folder_findings(closed) == []
    (closed / "keys").chmod(0o750)
    (closed / "keys" / "slots").chmod(0o644)
    codes = [(finding.code, finding.about["path"]) for finding in safety.folder_findings(closed)]
    assert codes == [
        ("unsafe-permissions", str(closed / "keys")),
        ("unsafe-permissions", str(closed / "keys" / "slots")),
    ]
    closed.chmod(0o755)
    assert safety.folder_findings(closed)[0].about["path"] == str(closed)


def test_S1_a_link_in_place_of_a_key_file_is_refused(closed: Path, tmp_path: Path) -> None:
    (closed / "keys" / "copy").symlink_to(tmp_path)
    assert "unsafe-owner" in [finding.code for finding in safety.folder_findings(closed)]


def test_S1_secrets_that_settings_name_are_held_to_the_same_rule(closed: Path, tmp_path: Path) -> None:
    root = tmp_path / "root.key"
    root.write_bytes(bytes(32))
    root.chmod(0o640)
    (finding,) = safety.folder_findings(closed, root, tmp_path / "said-by-whoever-needs-it")
    assert (finding.code, finding.about["wanted"]) == ("unsafe-permissions", "600")
    root.chmod(0o400)
    assert safety.folder_findings(closed, root) == []


def test_S1_an_open_umask_is_refused() -> None:
    before = os.umask(0o022)
    try:
        assert [finding.code for finding in safety.process_findings()] == ["unsafe-umask"]
        os.umask(0o077)
        assert safety.process_findings() == []
    finally:
        os.umask(before)


async def test_S1_all_reasons_are_said_at_once_and_exit_with_the_code_for_unsafe(closed: Path, server: Server) -> None:
    closed.chmod(0o755)
    database = await Database.connect(server.address.dsn("postgres", user=OWNER), size=1)
    before = os.umask(0o077)
    try:
        with pytest.raises(safety.Unsafe) as refused:
            await safety.check(database, closed)
    finally:
        os.umask(before)
        await database.close()
    assert [reason.code for reason in refused.value.reasons] == ["unsafe-permissions", "unsafe-superuser"]
    assert registry()[refused.value.code].exit == 8
    assert str(closed) in str(refused.value)
