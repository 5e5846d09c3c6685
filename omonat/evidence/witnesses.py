"""Our log's side of witnessing: others cosign our checkpoints, so that not even we can show two histories (S6).

Signing never waits for a witness: the newest checkpoint is taken round after it stands, their lines are put under it as
they come, and once enough have signed it is kept as `checkpoint.witnessed`, under which proofs are given from then on.

Each witness also remembers the newest checkpoint it got from us, with our own signature under it. We ask for it before
the first signature of a run and whenever one declines: when it isn't part of our log, we were rolled back or forked,
and not only a part of us: log, database and keys together. Then nothing more is signed (`evidence-witness-conflict`)
and the note is kept in `conflicts/`. A witness can't make that up; it would need our key.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from omonat.base.errors import BadInput, Fault, OmonatError, Unavailable
from omonat.base.logs import log
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import COSIGNATURE, Checkpoint, Note, Verifier, strict_number
from omonat.evidence.proofs import TileCache, TreeView
from omonat.evidence.tree import root_at

PATIENCE: Final = 3.0
"""Seconds one witness may take; the round waits for the slowest, the log for none."""
AGAIN: Final = 60.0
"""Seconds after which witnesses are asked again though nothing happened, or though they failed."""
_MOST_TRIES: Final = 3
_LONGEST: Final = 64 * 1024
_log = log(__name__)

_Line = tuple[str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns: the key to pin and the address to ask, without a slash at the end."""

    verifier: Verifier
    url: str

    @classmethod
    def parse(cls, written: str, number: int) -> Self:
        """`vkey address`. Raises BadInput `evidence-witness-malformed`."""
        vkey, _, url = written.partition(" ")
        try:
            verifier = Verifier.parse(vkey)
            at = urlsplit(url)
            local = at.hostname in ("localhost", "127.0.0.1", "::1")
        except (BadInput, ValueError) as error:
            raise BadInput("evidence-witness-malformed", number=str(number)) from error
        proper = at.scheme == "https" or (at.scheme == "http" and local)
        if verifier.kind != COSIGNATURE or not proper or not at.hostname or at.query or at.fragment or " " in url:
            raise BadInput("evidence-witness-malformed", number=str(number))
        return cls(verifier, url.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Panel:
    """The witnesses of an installation, and how many of them make a checkpoint a witnessed one."""

    members: tuple[Witness, ...]
    quorum: int

    @classmethod
    def of(cls, written: Sequence[str], quorum: int | None) -> Self:
        """From the settings; without a quorum all are needed. Raises BadInput."""
        members = tuple(Witness.parse(one, number) for number, one in enumerate(written, 1))
        if len({member.verifier.public for member in members}) != len(members):
            raise BadInput("evidence-witness-malformed", number=str(len(members)))
        if quorum is not None and not 0 < quorum <= len(members):
            raise BadInput("evidence-witness-quorum", wanted=str(quorum), known=str(len(members)))
        return cls(members, quorum or len(members))

    def is_met(self, note: Note) -> bool:
        """Whether enough members have signed this note."""
        return bool(self.members) and len(cosigned(note, self.members)) >= self.quorum


def cosigned(note: Note, members: Sequence[Witness]) -> list[Witness]:
    """Whose true cosignature stands under a note; a false line is nobody's."""
    found = []
    for member in members:
        with suppress(BadInput):
            note.check([member.verifier])
            found.append(member)
    return found


@dataclass(slots=True)
class Witnesses:
    """Takes the newest checkpoint round. One per sequencer; `run` beside it."""

    folder: LogFolder
    log_key: Verifier
    panel: Panel
    conflict: Fault | None = None
    """Why nothing may be signed any more."""
    unread: frozenset[str] | None = None
    """Witnesses that couldn't be asked what they saw last, and haven't cosigned since; None while nobody asked here."""
    _known: dict[str, int] = field(default_factory=dict)
    _fresh: asyncio.Event = field(default_factory=asyncio.Event)
    _http: httpx.AsyncClient | None = None
    _cache: TileCache | None = None

    def signed(self) -> None:
        """There is a new checkpoint."""
        self._fresh.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Go round with every new checkpoint until `stop`."""
        stopped = asyncio.ensure_future(stop.wait())
        last = ""
        try:
            while self.panel.members and not stop.is_set():
                fresh = asyncio.ensure_future(self._fresh.wait())
                done, _ = await asyncio.wait({stopped, fresh}, timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED)
                fresh.cancel()
                if stopped in done:
                    break
                self._fresh.clear()
                text = await self.go_round(unless=last if fresh in done else "")
                last = text or last
        finally:
            stopped.cancel()
            await self.close()

    async def close(self) -> None:
        """Give connections back."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def go_round(self, *, unless: str = "") -> str:
        """Ask every witness about the newest checkpoint; returns its text once enough have signed, else nothing.

        Never raises: what stops the signing is left in `conflict`. `unless`: the text that was done already.
        """
        try:
            raw = await asyncio.to_thread(self.folder.read_checkpoint)
            note = None if raw is None else Note.parse(raw)
        except (BadInput, OSError):  # the sequencer looks closer, and says so
            return ""
        if note is None:
            return ""
        if note.text == unless:
            return unless
        answers = await asyncio.gather(*(self._ask(member, note) for member in self.panel.members))
        lines = [line for line in answers if line is not None]
        if lines:
            with suppress(Unavailable, BadInput, OSError):
                await asyncio.to_thread(self._put_under, note, lines)
        if len(lines) < self.panel.quorum:
            _log.warning("witness-quorum-missing", count=len(lines), waiting=self.panel.quorum)
            return ""
        return note.text

    def _put_under(self, note: Note, lines: Sequence[_Line]) -> None:
        """Their lines under the newest checkpoint, if it still says the same; kept apart once enough have signed."""
        with self.folder.replacing_checkpoint():
            now = Note.parse(self.folder.read_checkpoint() or b"")
            theirs = {(name, number) for name, number, _ in lines}
            if now.text == note.text:
                kept = tuple(line for line in now.signatures if line[:2] not in theirs)
                note = Note(note.text, (*kept, *lines))
                self.folder.write_checkpoint(str(note).encode())
            else:
                note = Note(note.text, (*(line for line in note.signatures if line[:2] not in theirs), *lines))
            if self.panel.is_met(note):
                self.folder.write_witnessed(str(note).encode())

    async def _ask(self, member: Witness, note: Note) -> _Line | None:
        """One witness's line, or None: it is away, it declines. Sets `conflict` when it has cause to."""
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._submit(member, note)
                if line is not None or await self._look(member):
                    self.unread = None if self.unread is None else self.unread - {member.verifier.name}
                return line
        except (TimeoutError, httpx.HTTPError, BadInput, OSError):
            _log.warning("witness-away", place=_place(member))
        except Fault as fault:
            if fault.code == "evidence-witness-conflict":
                self.conflict = fault
            _log.error("witness-conflict", code=fault.code, place=_place(member))
        return None

    async def _submit(self, member: Witness, note: Note) -> _Line | None:
        """POST until the sizes meet; None when it declines."""
        size = Checkpoint.parse(note.text).size
        old = self._known.get(member.url, 0)
        for _ in range(_MOST_TRIES):
            proof = await asyncio.to_thread(self._consistency, old, size)
            body = "\n".join([f"old {old}", *proof, "", str(note)]).encode()
            answer = await self._client().post(f"{member.url}/add-checkpoint", content=body)
            if answer.status_code == 200:
                self._known[member.url] = size
                return _line_of(member, note, answer.text)
            if answer.status_code != 409:
                return None
            old = strict_number(answer.text.removesuffix("\n"))
            if old > size:  # newer than what we asked about, or than all we have: `_look` tells
                return None
        return None

    def _consistency(self, old: int, size: int) -> list[str]:
        if not 0 < old < size:
            return []
        return [b64encode(one).decode() for one in TreeView(self._tiles(), size).consistency(old)]

    async def compare(self) -> None:
        """Before the first signature of a run: is what the witnesses saw last part of this log?

        Raises Fault `evidence-witness-conflict`. A witness that is away is no reason not to sign, and is in `unread`.
        """

        async def one(member: Witness) -> str | None:
            with suppress(TimeoutError, httpx.HTTPError, BadInput, OSError):
                async with asyncio.timeout(PATIENCE):
                    if await self._look(member):
                        return None
            return member.verifier.name

        self.conflict = None
        try:
            asked = await asyncio.gather(*(one(member) for member in self.panel.members))
            self.unread = frozenset(name for name in asked if name is not None)
        except Fault as fault:
            self.conflict = fault
            raise

    async def _look(self, member: Witness) -> bool:
        """Whether it could say what it saw, nothing included. Raises Fault when the witness holds a checkpoint under
        our signature that isn't part of our log."""
        origin = self.log_key.name
        where = f"{member.url}/{sha256(origin.encode()).hexdigest()}/checkpoint"
        answer = await self._client().get(where)
        if answer.status_code != 200 or len(answer.content) > _LONGEST:
            return answer.status_code == 404
        note = Note.parse(answer.content)
        note.check([self.log_key])
        theirs = Checkpoint.parse(note.text)
        # Read after theirs came: ours was on the disk before it was sent anywhere.
        if theirs.origin == origin and not await asyncio.to_thread(self._is_ours, theirs):
            name = f"{member.verifier.id.hex()}-{theirs.size}"
            with suppress(OmonatError):
                await asyncio.to_thread(self.folder.write_conflict, name, answer.content)
            raise Fault("evidence-witness-conflict", witness=member.verifier.name, size=str(theirs.size))
        return True

    def _is_ours(self, theirs: Checkpoint) -> bool:
        raw = self.folder.read_checkpoint()
        ours = 0 if raw is None else Checkpoint.parse(Note.parse(raw).text).size
        if theirs.size > ours:
            return False
        return theirs.root == root_at(theirs.size, TreeView(self._tiles(), ours).node)

    def _tiles(self) -> TileCache:
        if self._cache is None:
            self._cache = TileCache(self.folder)
        return self._cache

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False)
        return self._http


def _line_of(member: Witness, note: Note, lines: str) -> _Line:
    """The member's own line among those it answered with, verified. Raises BadInput."""
    answered = Note.parse(f"{note.text}\n{lines}".encode())
    answered.check([member.verifier])
    return next(line for line in answered.signatures if line[:2] == (member.verifier.name, member.verifier.id))


def _place(member: Witness) -> str:
    """A witness's name as a log line may hold it: its key id."""
    return f"witness_{member.verifier.id.hex()}"
