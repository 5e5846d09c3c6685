"""A part that was tampered with, exchanged, cut off or is of somebody else is refused, each with a code of its own."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

from omonat.backup.parts import identities_of, recipients_of
from omonat.base.errors import BadInput, OmonatError
from omonat.base.instants import SECOND
from omonat.evidence.entry import decode
from tests.backup.conftest import Ruin, Town, subscriber

MakeRuin = Callable[[], Awaitable[Ruin]]
PARTS = ("data.tar", "log.tar", "journal.tar")


async def refusal(new: Ruin, backup: Path, **more: object) -> str:
    try:
        await new.restore(backup, **more)  # type: ignore[arg-type]
    except OmonatError as error:
        return error.code
    return ""


def flipped(path: Path, at: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


async def test_S6_an_altered_truncated_or_missing_part_is_refused(town: Town, ruin: MakeRuin) -> None:
    await subscriber(town)
    backup, new = await town.backup(), await ruin()
    keys = town.keys_of(backup)
    for part in PARTS:
        file = backup / part
        raw = file.read_bytes()
        flipped(file, len(raw) // 2)
        assert await refusal(new, backup, keys=keys) == "backup-part-altered", part
        file.write_bytes(raw[:-700])
        assert await refusal(new, backup, keys=keys) == "backup-part-altered", part
        file.unlink()
        assert await refusal(new, backup, keys=keys) == "backup-part-missing", part
        file.write_bytes(raw)
    flipped(keys / "keys.tar", 9000)
    assert await refusal(await ruin(), backup, keys=keys) == "backup-part-altered"
    flipped(keys / "keys.tar", 9000)
    assert await refusal(new, backup, keys=keys) == ""


async def test_S6_a_manifest_that_was_changed_is_nobodys(town: Town, ruin: MakeRuin) -> None:
    """The digest of an exchanged part put into the manifest as well: the signature doesn't hold any more."""
    await subscriber(town)
    backup, new = await town.backup(), await ruin()
    file = backup / "manifest.json"
    whole = json.loads(file.read_text())
    whole["manifest"]["frames"] += 1
    file.write_text(json.dumps(whole))
    assert await refusal(new, backup, keys=town.keys_of(backup)) == "backup-foreign"
    file.write_text("{}")
    assert await refusal(new, backup, keys=town.keys_of(backup)) == "backup-manifest-altered"
    file.unlink()
    assert await refusal(new, backup, keys=town.keys_of(backup)) == "backup-incomplete"


async def test_S6_parts_of_two_backups_are_not_mixed(town: Town, ruin: MakeRuin) -> None:
    await subscriber(town)
    first = await town.backup()
    await town.order(mobile="+998907770009")
    second, new = await town.backup(), await ruin()
    (second / "data.tar").write_bytes((first / "data.tar").read_bytes())
    assert await refusal(new, second, keys=town.keys_of(second)) == "backup-part-altered"


async def test_S6_a_log_that_is_older_than_the_journal_is_refused_unless_it_is_said_to_be_lost(
    town: Town, ruin: MakeRuin
) -> None:
    person = await subscriber(town)
    backup, old = await town.backup(), town.newest_of_home()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await town.settle()
    town.clock.forward(60 * SECOND)
    await town.choose(person, "objection", "given", "improve-services")
    await town.settle()
    mixed = town.place / "mixed"
    mixed.mkdir()
    (old / "log").rename(mixed / "log")
    (town.newest_of_home() / "journal").rename(mixed / "journal")
    new = await ruin()
    assert await refusal(new, backup, keys=town.keys_of(backup), copies=(mixed,)) == "restore-log-older"
    report = await new.restore(backup, log_lost=True)
    assert report.proved
    assert report.log_behind == 1
    said = await facts_of(new, "restore:installation:proved")
    assert said["log-lost"] == 1
    assert await facts_of(new, "choice:consent:withdrawn")  # carried by the journal; it will be placed anew


async def facts_of(new: Ruin, act: str) -> dict[str, Any]:
    async with new.opened() as house:
        return dict(
            decode(await house.grounds.database.pool.fetchval("select body from entries where act = $1", act)).facts
        )


async def test_S2_parts_sealed_to_a_recipient_open_with_the_identity_alone(
    town: Town, ruin: MakeRuin, tmp_path: Path
) -> None:
    data, keys, other = (pyrage.x25519.Identity.generate() for _ in range(3))
    await subscriber(town)
    backup = await town.backup(
        recipients=recipients_of(str(data.to_public())), keys_recipients=recipients_of(str(keys.to_public()))
    )
    assert {path.name for path in backup.iterdir()} == {*(f"{part}.age" for part in PARTS), "manifest.json"}
    for path in backup.glob("*.age"):
        assert path.read_bytes().startswith(b"age-encryption.org/v1")
    held, both = tmp_path / "held.txt", tmp_path / "both.txt"
    held.write_text(f"# somebody else's\n{other}\n{keys}\n")
    both.write_text(f"{data}\n{keys}\n")
    new = await ruin()
    assert await refusal(new, backup, keys=town.keys_of(backup)) == "backup-sealed"
    assert await refusal(new, backup, keys=town.keys_of(backup), identities=identities_of(held)) == "backup-sealed"
    report = await new.restore(backup, keys=town.keys_of(backup), identities=identities_of(both))
    assert report.proved


async def test_S6_keys_never_lie_beside_the_data(town: Town) -> None:
    await town.settle()
    for keys in (town.place / "b", town.place / "b" / "keys", town.place):
        with pytest.raises(BadInput) as error:
            await town.backup_into(town.place / "b", keys=keys)
        assert error.value.code == "backup-keys-beside"
    backup = await town.backup()
    slots = (town.home / "keys" / "slots").read_bytes()[8192 + 64 : 8192 + 128]
    for part in PARTS:
        assert slots not in (backup / part).read_bytes()
    assert slots in (town.keys_of(backup) / "keys.tar").read_bytes()


async def test_S2_a_backup_holds_no_plaintext(town: Town) -> None:
    await subscriber(town)
    backup = await town.backup()
    for path in [*backup.iterdir(), *town.keys_of(backup).iterdir()]:
        raw = path.read_bytes()
        for secret in ("Dilnoza", "+998901234567", "dilnoza@example.uz", "Chilonzor"):
            assert secret.encode() not in raw, path.name


def test_S2_recipients_and_identities_are_read_in_one_form(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="recipient"):
        recipients_of("age1nonsense")
    nothing = tmp_path / "none"
    with pytest.raises(BadInput):
        identities_of(nothing)
    assert recipients_of(None) == []
