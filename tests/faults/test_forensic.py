"""Every writable place gets a marker, through the doors; then every byte on the disk is searched (S2; bar a3).

A place is an item of the policy, or whatever else people and systems write: keys of requests, free words of a message,
names and passwords of staff, what is looked up, what is refused. The same is done with the encryption switched off, and
then the search finds it: a search that finds nothing is worth something only if it could have.
"""

import io
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

from omonat.base.logs import log
from omonat.database import embedded
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.flows.erase import ErasureRequest
from omonat.house import House, open_house, system_clock
from omonat.promises.requests.facts import TEXT
from omonat.vault.box import Box
from omonat.vault.vault import Vault
from omonat.vault.verify_only import SecretHasher
from tests.faults.planting import Planted, Planter, open_doors
from tests.faults.planting_company import Company
from tests.faults.planting_forms import Forms
from tests.faults.planting_people import People
from tests.faults.text_fields import PLANTED, stated
from tests.whole.conftest import furnish, new_key, settings_of
from tests.whole.search import digests, files_with
from tests.whole.serving import Installation


@pytest.fixture
def uncompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole pages lie in the write-ahead log as they are: nothing hides in a compressed one."""
    monkeypatch.setitem(embedded._HOUSE_SETTINGS, "wal_compression", "off")


@pytest.fixture
def without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is sealed, digested or hashed is what it was before."""
    monkeypatch.setattr(Box, "seal", lambda _, plaintext, context: b"open:" + plaintext)
    monkeypatch.setattr(Box, "open", lambda _, sealed, context: bytes(sealed)[5:])
    monkeypatch.setattr(Vault, "keyed_digest", lambda _, context, data: context.encode() + b":" + data)
    monkeypatch.setattr(SecretHasher, "hash", lambda _, secret: secret.encode())
    monkeypatch.setattr(Vault, "lookup_digest", lambda _, kind, value, epoch=None: sha256(value.encode()).digest())


async def everything(hand: Planter) -> Planted:
    """All places there are, one after the other."""
    await hand.employ()
    await hand.items()
    await Forms(hand).plant()
    await People(hand).plant()
    await Company(hand).plant()
    return hand.planted


async def planted_in(of: Installation, *, erased: bool = False) -> Planted:
    async with open_doors(of) as (house, http):
        planted = await everything(hand := Planter(house, http))
        if erased:
            await hand.close_cases()
            await erase_by_every_route(house, planted)
        return planted


async def erase_by_every_route(house: House, planted: Planted) -> None:
    """Each of those taken in goes by one of the routes there are, and what is due goes by itself."""
    routes = (
        lambda person, _record, _item: ErasureRequest(person=person),
        lambda person, record, _item: ErasureRequest(person=person, record=record),
        lambda person, record, item: ErasureRequest(person=person, record=record, items=(item,)),
        lambda person, _record, _item: ErasureRequest(person=person, cause="child"),
        lambda person, _record, item: ErasureRequest(person=person, items=(item,), cause="inaccurate"),
    )
    planted.records += await asked_without_account(house, {person for person, _, _ in planted.records})
    before = await keys_of(house)
    for number, found in enumerate(planted.records):
        await house.erase(routes[number % len(routes)](*found))
    for _ in range(50):
        if not (await house.sweeper.round()).more:
            break
    async with house.grounds.database.connection() as connection:
        left = await connection.fetchval("select count(*) from erasures where destroyed_at is null or swept_at is null")
    assert left == 0
    after, slot = await keys_of(house), house.grounds.vault._slots.slot
    for numbers in before.keys() - after.keys():
        gone = {key for number, key in zip(numbers, before[numbers], strict=True) if bytes(slot(number)) != key}
        assert gone, "both keys of a record that was erased lie there as they did"
        planted.destroyed |= gone
    planted.living = {key for keys in after.values() for key in keys}


async def asked_without_account(house: House, known: set[str]) -> list[tuple[str, str, str]]:
    """Whoever asked, complained or wrote a letter, and is somebody of their own by it."""
    async with house.grounds.database.connection() as connection:
        rows = await connection.fetch(
            "select r.person, r.id from records r join requests q on q.case_id = r.case_id where r.person <> all($1)",
            list(known),
        )
    return [(row["person"], row["id"], TEXT) for row in rows]


async def keys_of(house: House) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """The two key slots that open each record, its person's and its own: by their numbers, as they lie in their file.

    Erasing a person destroys the one, erasing of a record or an item the other; with either, nothing opens.
    """
    async with house.grounds.database.connection() as connection:
        rows = await connection.fetch("select p.slot as whose, r.slot from records r join persons p on p.id = r.person")
    slot = house.grounds.vault._slots.slot
    return {(row["whose"], row["slot"]): (bytes(slot(row["whose"])), bytes(slot(row["slot"]))) for row in rows}


def found_by(planted: Planted, places: list[Path]) -> set[str]:
    """The places whose marker lies on the disk; `digest` when one of a value does, made without key and salt."""
    values = planted.whole | set(planted.needles.values())
    hashed = files_with(places, [digest for value in values for digest in digests(value).values()])
    files = list(map(Path, files_with(places, planted.needles.values())))  # those alone are searched for each
    found = {place for place, needle in planted.needles.items() if files and files_with(files, [needle])}
    return found | ({"digest"} if hashed else set())


def all_said(to: Path, capfd: pytest.CaptureFixture[str], logged: io.StringIO) -> Path:
    """What was printed and logged, as a file."""
    log(__name__).warning("searched")  # the rest is silent; a log turned elsewhere would be, too
    to.write_text("".join(capfd.readouterr()) + logged.getvalue())
    assert "searched" in to.read_text()
    return to


@pytest.mark.usefixtures("uncompressed")
async def test_S2_of_everything_anybody_writes_only_what_is_meant_to_be_read_lies_readable_in_any_file(
    installation: Installation, capfd: pytest.CaptureFixture[str], logged: io.StringIO, tmp_path: Path
) -> None:
    planted = await planted_in(installation)
    said = all_said(tmp_path / "said", capfd, logged)
    assert len(planted.kept) >= 45, planted.kept
    assert {place for places in PLANTED.values() for place in places} - planted.needles.keys() == set()
    found = found_by(planted, [installation.home, said])
    assert {place for place in found if stated(place) is None} == set()
    assert found == {place for place in planted.needles if stated(place)}  # the inventory says so, and the search sees
    assert found_by(planted, [installation.home / "keys", installation.home / "openings", said]) == set()


@pytest.mark.usefixtures("uncompressed")
async def test_R3_what_was_erased_by_any_route_lies_in_no_file_of_data_keys_or_log(
    installation: Installation,
    capfd: pytest.CaptureFixture[str],
    logged: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)  # asked for anew
    planted = await planted_in(installation, erased=True)
    places = [installation.home, all_said(tmp_path / "said", capfd, logged), temporary]
    assert len({person for person, _, _ in planted.records}) >= 55
    assert {place for place in found_by(planted, places) if stated(place) is None} == set()
    assert len(planted.destroyed) >= 40
    assert files_with(places, planted.destroyed) == []  # with its key, what is sealed would still be somebody's
    assert all(files_with([installation.home / "keys"], [slot]) for slot in sorted(planted.living)[:10])


@pytest.mark.usefixtures("uncompressed", "without_encryption")
async def test_S2_with_the_encryption_off_the_same_search_finds_what_was_written(short_folder: Path) -> None:
    home, key = short_folder / "w-open", new_key(short_folder / "w-open.key")
    server = Server.start(home)
    try:
        await migrate(server.dsn)
        async with open_house(settings_of(home, key, server.dsn), clock=system_clock) as house:
            of = await furnish(house)
    finally:
        server.stop()
    try:
        planted = await planted_in(of, erased=True)  # a row that is removed stays in the file for a while
        found = found_by(planted, [of.home])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert "digest" in found
    assert len(planted.written) >= 120
    assert len(found & planted.written) >= 0.95 * len(planted.written), planted.written - found
