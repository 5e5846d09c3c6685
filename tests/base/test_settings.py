"""Settings: where they come from, and that every mistake is said with its remedy and without its value."""

from pathlib import Path

import pytest

from omonat.base.errors import BadInput
from omonat.base.settings import RootSource, Settings, load


def failing(environment: dict[str, str]) -> BadInput:
    with pytest.raises(BadInput) as refused:
        load(environment)
    return refused.value


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('port = 1111\nworkers = 3\nlog-level = "debug"\n')
    chosen = load({"OMONAT_HOME": str(tmp_path), "OMONAT_WORKERS": "4", "OTHER": "x"}, log_level="error")
    assert (chosen.port, chosen.workers, chosen.log_level, chosen.smtp_port) == (1111, 4, "error", 587)
    assert chosen.address == "http://localhost:1111"


def test_children_read_exactly_what_the_parent_decided(tmp_path: Path) -> None:
    settings = load(
        {
            "OMONAT_HOME": str(tmp_path),
            "OMONAT_ROOT_KEY": "credential:omonat-root",
            "CREDENTIALS_DIRECTORY": "/run/credentials/omonat",
            "OMONAT_KEY_COPIES": "/mnt/a, /mnt/b",
            "OMONAT_DEMO": "yes",
        }
    )
    assert settings.root_key == RootSource("credential", Path("/run/credentials/omonat/omonat-root"))
    assert settings.key_copies == (Path("/mnt/a"), Path("/mnt/b"))
    assert load(settings.environment()) == settings


def test_S6_whether_a_credential_is_closed_is_not_told_by_its_mode(tmp_path: Path) -> None:
    """Where a unit has `User=`, systemd hands it over as 0440 with an access list."""
    copies = {"OMONAT_HOME": str(tmp_path), "OMONAT_KEY_COPIES": "/mnt/a"}
    handed = load({**copies, "OMONAT_ROOT_KEY": "credential:root", "CREDENTIALS_DIRECTORY": "/run/credentials/omonat"})
    ours = load({**copies, "OMONAT_ROOT_KEY": "key-file:/run/credentials/omonat/root"})
    assert handed.secrets == handed.key_copies == (Path("/mnt/a"),)
    assert handed.slot_copies == (Path("/mnt/a/slots"),)
    assert ours.secrets == (Path("/run/credentials/omonat/root"), Path("/mnt/a"))


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    error = failing({"OMONAT_HOME": str(tmp_path), "OMONAT_WORKER": "2"})
    assert (error.code, error.about["name"], error.about["nearest"]) == (
        "setting-unknown",
        "OMONAT_WORKER",
        "OMONAT_WORKERS",
    )
    (tmp_path / "settings.toml").write_text("smpt-host = 'x'\n")
    assert failing({"OMONAT_HOME": str(tmp_path)}).about["nearest"] == "smtp-host"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty-six-hundred"),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("DEMO", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("ROOT_KEY", "hunter2-hunter2"),
        ("ROOT_KEY", "credential:x"),
        ("ORIGIN", "http://privacy.beshqozon.uz"),
        ("ORIGIN", "https://privacy.beshqozon.uz/"),
        ("DATABASE", "mysql://root:hunter2@db/x"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write_and_never_repeated(tmp_path: Path, name: str, value: str) -> None:
    error = failing({"OMONAT_HOME": str(tmp_path), f"OMONAT_{name}": value})
    assert error.code == "setting-invalid"
    assert error.about["name"].lower().endswith(name.lower())
    assert error.about["expected"]
    assert value not in f"{error} {dict(error.about)}"


def test_settings_that_need_each_other_are_asked_for_together(tmp_path: Path) -> None:
    error = failing({"OMONAT_HOME": str(tmp_path), "OMONAT_SMTP_HOST": "mail.example.uz"})
    assert (error.code, error.about["second"]) == ("settings-clash", "smtp-from")


def test_a_settings_file_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("port = \n")
    error = failing({"OMONAT_HOME": str(tmp_path)})
    assert (error.code, "line 1" in error.about["problem"]) == ("settings-file-invalid", True)
    missing = failing({"OMONAT_SETTINGS": str(tmp_path / "none.toml")})
    assert missing.code == "settings-file-invalid"


def test_every_setting_has_a_default_but_the_home() -> None:
    assert Settings(home=Path("/h")).keys == Path("/h/keys")


def test_every_setting_is_in_the_operators_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
    for field in Settings.__struct_fields__:
        assert f"`{field.replace('_', '-')}`" in guide, field
