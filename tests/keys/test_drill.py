"""Making shares and drilling with them, as an operator and the holders do it (S6)."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from omonat.base.codes import EXITS, registry
from omonat.base.errors import OmonatError
from omonat.database.pool import Database
from omonat.vault.header import FIRST_SLOT
from omonat.vault.root import RootKey
from omonat.vault.shares import Share
from omonat.vault.vault import Vault
from tests.keys.conftest import KEY, Omonat, written

ROOT = Path(__file__).parents[2]


def papers(folder: Path) -> list[str]:
    return [str(folder / f"share-{n}.txt") for n in range(1, len(list(folder.iterdir())) + 1)]


async def entries(database: Database) -> list[dict[str, object]]:
    async with database.connection() as connection:
        rows = await connection.fetch("select act, body from entries where act like 'root:%' order by at")
    return [{"act": row["act"], **msgspec.json.decode(row["body"])["facts"]} for row in rows]


def code(error: BaseException | None) -> str:
    assert isinstance(error, OmonatError), error
    return error.code


@pytest.fixture
def divided(omonat: Omonat, home: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An installation with a key file, whose root five people hold."""
    monkeypatch.setenv("OMONAT_ROOT_KEY", f"key-file:{key_file}")
    made = omonat("root", "shares", "--out", str(home.parent / "papers"))
    assert made.exit_code == 0, made.output
    return papers(home.parent / "papers")


async def test_S6_a_drill_proves_the_shares_and_is_kept_as_evidence(
    omonat: Omonat, divided: list[str], database: Database, home: Path
) -> None:
    before = {file.name: file.read_bytes() for file in (home / "keys").iterdir()}
    held = omonat("root", "drill", divided[0], divided[3], divided[4])
    assert held.exit_code == 0, held.output
    assert before == {file.name: file.read_bytes() for file in (home / "keys").iterdir()}, "a drill changes nothing"
    made, drilled = await entries(database)
    assert made == {"act": "root:shares:made", "set": drilled["set"], "threshold": 3, "holders": 5, "ended": None}
    assert drilled == {
        "act": "root:shares:drilled",
        "set": made["set"],
        "threshold": 3,
        "given": [1, 4, 5],
        "result": "rebuilt",
    }
    for paper in divided:
        assert Path(paper).stat().st_mode & 0o777 == 0o600
        assert Share.parse(Path(paper).read_text()).text() not in held.output


async def test_S6_each_outcome_of_a_drill_is_told_apart_and_kept(
    omonat: Omonat, divided: list[str], database: Database, home: Path, tmp_path: Path
) -> None:
    again = omonat("root", "shares", "--out", str(tmp_path / "newer"))
    assert again.exit_code == 0, again.output
    new = papers(tmp_path / "newer")
    share = Share.parse(Path(new[1]).read_text())
    typo = share.text()[:-1] + ("q" if share.text()[-1] != "q" else "p")
    forged = Share(share.place, share.set_id, share.threshold, share.number, os.urandom(32))
    foreign = Share(b"none", share.set_id, share.threshold, share.number, share.value)
    cases = {
        "share-malformed": [new[0], str(written(tmp_path / "typo", typo.encode()))],
        "share-foreign": [new[0], str(written(tmp_path / "foreign", foreign.text().encode()))],
        "share-repeated": [new[0], new[2], new[0]],
        "share-old": [new[0], divided[1]],
        "share-false": [new[0], str(written(tmp_path / "forged", forged.text().encode()))],
        "shares-too-few": [new[0], new[1]],
    }
    (tmp_path / "list").write_bytes((home / "keys" / "shares").read_bytes())
    for expected, given in cases.items():
        held = omonat("root", "drill", *given)
        assert code(held.exception) == expected
        assert "evidence ev_" in held.output
    (home / "keys" / "shares").unlink()
    assert code(omonat("root", "drill", new[0], new[2], str(tmp_path / "forged")).exception) == "shares-wrong"
    results = [entry["result"] for entry in await entries(database) if entry["act"] == "root:shares:drilled"]
    assert results == [*cases, "shares-wrong"]
    exits = [registry()[result].exit for result in results]
    assert len(set(exits)) == len(exits), "each its own exit code"
    assert set(exits) <= set(EXITS)


async def test_S6_a_drill_that_cannot_be_recorded_does_not_count(
    omonat: Omonat, divided: list[str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMONAT_DATABASE", "postgresql://nobody@127.0.0.1:1/nowhere")
    held = omonat("root", "drill", *divided[:3])
    assert code(held.exception) == "database-unavailable"
    assert [entry["act"] for entry in await entries(database)] == ["root:shares:made"]


def test_S6_a_root_may_exist_in_the_shares_alone(omonat: Omonat, home: Path, tmp_path: Path) -> None:
    """No file, no passphrase: the root is made, divided and forgotten; three holders open, two do not."""
    made = omonat("root", "shares", "--holders", "5", "--threshold", "3", "--out", str(tmp_path / "papers"))
    assert made.exit_code == 0, made.output
    five = papers(tmp_path / "papers")
    assert code(omonat("root", "drill", *five[:2]).exception) == "shares-too-few"
    assert omonat("root", "drill", *five[2:]).exit_code == 0
    more = omonat("root", "shares", *five[1:4], "--holders", "3", "--threshold", "2", "--out", str(tmp_path / "three"))
    assert more.exit_code == 0, more.output
    assert omonat("root", "drill", *papers(tmp_path / "three")[1:]).exit_code == 0
    assert code(omonat("root", "drill", *five[2:]).exception) == "share-old"
    assert sorted(file.name for file in (home / "keys").iterdir()) == ["keyring", "lock", "shares", "slots"]


def test_S6_shares_are_typed_unseen_and_a_pipe_ends_with_the_first_mistake(omonat: Omonat, divided: list[str]) -> None:
    texts = [Share.parse(Path(paper).read_text()).text() for paper in divided]
    held = omonat("root", "drill", typed="\n".join(texts[:3]) + "\n")
    assert held.exit_code == 0, held.output
    assert not [text for text in texts if text in held.output]
    assert code(omonat("root", "drill", typed=texts[0] + "\n\n").exception) == "shares-too-few"
    assert code(omonat("root", "drill", typed=texts[0][:-1] + "\n" + texts[1]).exception) == "share-malformed"


def test_S6_shares_never_go_where_nobody_sees_them(omonat: Omonat, divided: list[str], tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "something").touch()
    for arguments in ([], ["--out", str(tmp_path / "used")]):
        assert omonat("root", "shares", *arguments).exit_code == 2


def test_S6_a_drill_proves_the_root_of_every_copy(
    omonat: Omonat, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "other" / "slots"
    monkeypatch.setenv("OMONAT_ROOT_KEY", f"key-file:{written(tmp_path / 'k', KEY)}")
    monkeypatch.setenv("OMONAT_KEY_COPIES", str(copy.parent))
    assert omonat("root", "shares", "--out", str(tmp_path / "papers")).exit_code == 0
    five = papers(tmp_path / "papers")
    assert omonat("root", "drill", *five[:3]).exit_code == 0
    Vault.open(tmp_path / "stranger", RootKey(os.urandom(32)), create=True)
    stranger = (tmp_path / "stranger" / "keys" / "slots").read_bytes()
    copy.write_bytes(stranger[:FIRST_SLOT] + copy.read_bytes()[FIRST_SLOT:])
    assert code(omonat("root", "drill", *five[:3]).exception) == "root-wrong"


def test_S6_the_exit_code_of_a_drill_is_the_outcome(home: Path, dsn: str) -> None:
    Vault.open(home, RootKey(KEY), create=True)
    told = subprocess.run(
        [sys.executable, "-m", "omonat", "root", "drill"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(home), "OMONAT_HOME": str(home)}
        | {"OMONAT_DATABASE": dsn},
        input="omonat1qqqq\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode == 21
    assert "qqqq" not in told.stdout + told.stderr
