"""Taking a backup while the service runs: one snapshot of the data, then log, journal and keys, which only get newer.

    FOLDER/<time>/   data.tar, log.tar, journal.tar, and last the signed manifest
    KEYS/<time>/     keys.tar and its manifest, where a folder for keys is named: never in or around FOLDER

The order matters: log, journal and keys are copied after the snapshot, so each knows at least what the data does.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import omonat
from omonat.backup import manifest as manifests
from omonat.backup.log_copy import size_of
from omonat.backup.manifest import KeysManifest, Manifest
from omonat.backup.parts import Part, PartWriter, part_writer
from omonat.backup.standing import Stores
from omonat.backup.tables import Snapshot, write_tables
from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import Instant, to_datetime
from omonat.evidence.entry import Entry
from omonat.evidence.export import all_names
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.vault.history import KeyState
from omonat.vault.sources import BESIDE_KEYS

_KEY_FILES: Final = ("slots", "keyring")
_PARTIAL: Final = ".partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Where a backup goes and for whom it is sealed. `keys` None: the keys are kept by other means (`key-copies`)."""

    folder: Path
    keys: Path | None = None
    recipients: list[Any]
    keys_recipients: list[Any]


async def take(
    stores: Stores,
    key_folder: Path,
    taking: Taking,
    journal: Journal,
    *,
    clock: Callable[[], Instant],
    reached: Callable[[str], None] = lambda _step: None,
) -> tuple[Path, Manifest]:
    """Take one backup; the folder it lies in and its manifest, once an entry says so.

    Raises BadInput `backup-keys-beside`, Unavailable `backup-unwritable`, Fault when something of the house is broken.
    """
    _apart(taking)
    taken = clock()
    name = to_datetime(taken).strftime("%Y-%m-%dT%H%M%S.%fZ")
    target, draft = taking.folder / name, taking.folder / f".{name}{_PARTIAL}"
    try:
        draft.mkdir(mode=0o700, parents=True)
        for left in taking.folder.glob(f".*{_PARTIAL}"):  # of a run that was cut off: no manifest, so no backup
            if left != draft:
                shutil.rmtree(left, ignore_errors=True)
        done: list[Part] = []
        with part_writer(draft, "data.tar", taking.recipients, done) as part:
            snapshot = await _data(stores, part)
        reached("data")
        with part_writer(draft, "log.tar", taking.recipients, done) as part:
            checkpoint = await asyncio.to_thread(_log, stores.log, part)
        reached("log")
        with part_writer(draft, "journal.tar", taking.recipients, done) as part:
            await asyncio.to_thread(_journal, stores, part)
        reached("journal")
        made = _manifest(snapshot, taken=taken, ended=clock(), checkpoint=checkpoint, parts=done)
        manifests.write(draft, made, stores.vault)
        reached("manifest")
        if taking.keys is not None:
            await asyncio.to_thread(_keys, stores, key_folder, taking, taking.keys / name, made)
        reached("keys")
        draft.rename(target)
    except OSError as error:
        raise Unavailable("backup-unwritable", folder=str(taking.folder)) from error
    reached("whole")
    await _say(stores, journal, made, keys=taking.keys is not None, now=clock())
    return target, made


def _apart(taking: Taking) -> None:
    if taking.keys is None:
        return
    folder, keys = taking.folder.resolve(), taking.keys.resolve()
    if folder == keys or folder in keys.parents or keys in folder.parents:
        raise BadInput("backup-keys-beside")


async def _data(stores: Stores, part: PartWriter) -> Snapshot:
    async with (
        stores.database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await write_tables(connection, part)


def _log(log: LogFolder, part: PartWriter) -> str:
    signed = log.read_checkpoint()
    if signed is None:
        return ""
    size = size_of(log)
    part.add("keys", "".join(f"{vkey}\n" for vkey in log.read_keys()).encode())
    part.add("checkpoint", signed)
    for tile in all_names(size):
        raw = log.read(tile)
        if raw is None:
            raise Fault("evidence-altered", what=f"file {tile.path}", index="0")
        part.add(tile.path, raw)
    return signed.decode()


def _journal(stores: Stores, part: PartWriter) -> None:
    for segment, size in stores.journal.extent(stores.journal.tail()):
        part.add(segment.name, segment.read_bytes()[:size])


def _keys(stores: Stores, key_folder: Path, taking: Taking, target: Path, made: Manifest) -> None:
    """Slots and keyring as they stand now; a destruction under way is either in them or in the journal later."""
    target.mkdir(mode=0o700, parents=True)
    done: list[Part] = []
    with part_writer(target, "keys.tar", taking.keys_recipients, done) as part:
        state = stores.vault.key_state()
        for name in (*_KEY_FILES, *(name for name in BESIDE_KEYS if (key_folder / name).exists())):
            part.add_file(name, key_folder / name)
    about = KeysManifest(
        version=1, backup=made.id, installation=made.installation, taken=made.taken, keys=state, parts=tuple(done)
    )
    manifests.write(target, about, stores.vault)


def _manifest(snapshot: Snapshot, *, taken: Instant, ended: Instant, checkpoint: str, parts: list[Part]) -> Manifest:
    state = snapshot.state
    return Manifest(
        version=1,
        id=new_id("bak"),
        installation=state["id"],
        origin=state["origin"],
        program=omonat.__version__,
        taken=taken,
        ended=ended,
        schema=snapshot.schema,
        policy=state["active_ordinal"],
        placed=state["placed"],
        frames=state["frames"],
        digest=state["digest"],
        keys=KeyState(state["high_water"], state["generation"]),
        checkpoint=checkpoint,
        tables=snapshot.tables,
        parts=tuple(parts),
    )


async def _say(stores: Stores, journal: Journal, made: Manifest, *, keys: bool, now: Instant) -> None:
    facts = {
        "backup": made.id,
        "taken": made.taken,
        "log": made.placed,
        "journal": made.frames,
        "parts": {part.file: part.sha256 for part in made.parts},
        "keys": keys,
    }
    async with stores.database.transaction() as connection:
        await journal.append(connection, [Entry(new_id("ev"), now, "backup:copy:taken", facts)], now=now)
