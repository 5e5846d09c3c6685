"""The command line: every outcome its own exit code, every error its next step, in the language asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from omonat.base.codes import EXITS, LANGUAGES, advice, registry, sentence

ROOT = Path(__file__).parents[2]


def omonat(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "omonat", *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": "/nowhere", **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_help_lists_the_commands_and_is_no_error() -> None:
    told = omonat("--help")
    assert told.returncode == 0
    assert {"serve", "demo"} <= set(told.stdout.split())


def test_a_wrong_use_is_exit_2() -> None:
    assert omonat("serv").returncode == 2
    assert omonat("serve", "--port", "many").returncode == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_is_said_with_its_remedy_in_three_languages_and_no_traceback(tmp_path: Path, language: str) -> None:
    refused = omonat("serve", OMONAT_HOME=str(tmp_path), OMONAT_PROT="1", OMONAT_LANGUAGE=language)
    about = {"name": "OMONAT_PROT", "where": "environment", "nearest": "OMONAT_PORT"}
    assert refused.returncode == registry()["setting-unknown"].exit == 8
    assert sentence("setting-unknown", language, about) in refused.stderr
    assert advice("setting-unknown", language, about) in refused.stderr
    assert "Traceback" not in refused.stderr
    assert EXITS[8]


def test_all_unsafe_reasons_are_listed_before_anything_is_sent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    home.chmod(0o755)
    (home / "keys").chmod(0o755)
    database = "postgresql://omonat:hunter2@db.example.uz/omonat"
    refused = omonat("serve", OMONAT_HOME=str(home), OMONAT_DATABASE=database)
    assert refused.returncode == 8
    assert "sslmode=verify-full" in refused.stderr
    assert f"chmod 700 {home / 'keys'}" in refused.stderr
    assert "hunter2" not in refused.stderr
