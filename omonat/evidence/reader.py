"""Reading evidence: who looked at a person's data, one entry with its proof, the newest checkpoint and its age.

Nothing is believed because it lies in the database: bytes are hashed again, and a proof is checked before it is given.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.errors import BadInput, Fault
from omonat.base.ids import is_id
from omonat.base.instants import Instant
from omonat.database import statements
from omonat.database.codecs import FOREVER
from omonat.database.pool import Database
from omonat.evidence.entry import Entry, decode, leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import ED25519, Checkpoint, Note, Verifier
from omonat.evidence.proofs import TileCache, TlogProof, TreeView
from omonat.evidence.tree import check_inclusion

_queries = statements.load(__package__, "reader.sql")

START: Final = (FOREVER, "")
"""The cursor before the newest entry."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry and its place in the log; `index` is None for the few seconds in which it has none."""

    entry: Entry
    body: bytes
    index: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page; None at the end."""

    entries: tuple[Entry, ...]
    next: tuple[Instant, str] | None


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as issued, what it says, and when the log's clock signed it (None without a pinned clock)."""

    raw: bytes
    checkpoint: Checkpoint
    at: Instant | None

    def age(self, now: Instant) -> int | None:
        """Microseconds since it was signed; more than ten seconds means that the sequencer is silent."""
        return None if self.at is None else now - self.at


class Reader:
    """Reads one log. `pinned` are the public log and clock keys."""

    def __init__(self, database: Database, folder: LogFolder, *, origin: str, pinned: Sequence[Verifier]) -> None:
        self._database = database
        self.folder = folder
        self._origin = origin
        self._pinned = tuple(pinned)
        self._cache = TileCache(folder)
        self._view: TreeView | None = None

    def checkpoint(self) -> Signed:
        """The newest checkpoint, its signatures checked.

        Raises BadInput `evidence-proof-pending` before the first one, Fault `evidence-altered` for a false one.
        """
        raw = self.folder.read_checkpoint()
        if raw is None:
            raise BadInput("evidence-proof-pending")
        return self._signed(raw)

    def _signed(self, raw: bytes) -> Signed:
        try:
            note = Note.parse(raw)
            signed = note.check(self._pinned)
            checkpoint = Checkpoint.parse(note.text)
        except BadInput as error:
            raise Fault("evidence-altered", what="checkpoint", index="0") from error
        if checkpoint.origin != self._origin or not any(_is_log_key(key, self._origin) for key in signed):
            raise Fault("evidence-log-foreign", found=checkpoint.origin, expected=self._origin)
        times = [at for at in signed.values() if at is not None]
        return Signed(raw, checkpoint, max(times, default=None))

    def covering(self, index: int) -> Signed:
        """The best checkpoint over an index: the newest witnessed one when it reaches so far, else the newest.

        Raises as `checkpoint` does, and `evidence-proof-pending` when neither reaches so far.
        """
        witnessed = self.folder.read_witnessed()
        if witnessed is not None and (signed := self._signed(witnessed)).checkpoint.size > index:
            return signed
        signed = self.checkpoint()
        if index >= signed.checkpoint.size:
            raise BadInput("evidence-proof-pending")
        return signed

    async def entry(self, entry_id: str) -> Recorded:
        """One entry by its id. Raises BadInput `evidence-not-found`."""
        if not is_id("ev", entry_id):
            raise BadInput("evidence-not-found")
        async with self._database.connection() as connection:
            # Placed, waiting, placed: between the first two looks the sequencer may have been at work.
            row = await _queries.placed(connection, id=entry_id) or await _queries.waiting(connection, id=entry_id)
            row = row or await _queries.placed(connection, id=entry_id)
        if row is None:
            raise BadInput("evidence-not-found")
        return Recorded(_checked(row, entry_id, row["index"]), row["body"], row["index"])

    async def proof(self, entry_id: str) -> TlogProof:
        """The `.tlog-proof` of an entry, under the newest witnessed checkpoint if that one covers it.

        Raises BadInput `evidence-not-found` or `evidence-proof-pending`, Fault when the proof doesn't hold.
        """
        recorded = await self.entry(entry_id)
        if recorded.index is None:
            raise BadInput("evidence-proof-pending")
        return await asyncio.to_thread(self.prove, recorded.body, recorded.index, self.covering(recorded.index))

    def prove(self, body: bytes, index: int, signed: Signed) -> TlogProof:
        """The proof of these bytes at this index, checked. Raises Fault `evidence-altered`."""
        view = self._view
        if view is None or view.size != signed.checkpoint.size:
            view = self._view = TreeView(self._cache, signed.checkpoint.size)
        path = view.inclusion(index)
        try:
            check_inclusion(index, view.size, leaf_hash(body), path, signed.checkpoint.root)
        except BadInput as error:
            raise Fault("evidence-altered", what="entry or tile", index=str(index)) from error
        return TlogProof(body, index, tuple(path), signed.raw)

    def consistency(self, old: int) -> tuple[Signed, list[bytes]]:
        """The newest checkpoint and the proof that it extends the tree of `old`.

        Raises BadInput `evidence-proof-pending` for a size that isn't published yet.
        """
        signed = self.checkpoint()
        if old > signed.checkpoint.size:
            raise BadInput("evidence-proof-pending")
        return signed, TreeView(self._cache, signed.checkpoint.size).consistency(old)

    async def of_person(self, person: str, *, before: tuple[Instant, str] = START, most: int = 50) -> Page:
        """Who looked: a person's entries before the cursor, newest first."""
        async with self._database.connection() as connection:
            rows = [
                row
                async for row in _queries.of_person(
                    connection, person=person, before_at=before[0], before_entry=before[1], most=most + 1
                )
            ]
        entries = tuple(_checked(row, row["entry"], None) for row in rows[:most])
        last = rows[most - 1] if len(rows) > most else None
        return Page(entries, None if last is None else (last["at"], last["entry"]))


def _is_log_key(key: Verifier, origin: str) -> bool:
    return key.kind == ED25519 and key.name == origin


def _checked(row: Any, entry_id: str, index: int | None) -> Entry:
    body = row["body"]
    if body is None or leaf_hash(body) != row["leaf"]:
        raise Fault("evidence-altered", what=f"entry {entry_id}", index="?" if index is None else str(index))
    entry = decode(body)
    if entry.id != entry_id:
        raise Fault("evidence-altered", what=f"entry {entry_id}", index="?" if index is None else str(index))
    return entry
