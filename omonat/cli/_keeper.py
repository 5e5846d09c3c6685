"""The keeper: a process of its own that holds the root key, and little else (S2, S6; facts: security t15).

`python -m omonat.cli._keeper configured|sealed`. It reads the root from where the settings say, or gathers the shares
or the passphrase that people hand in, and gives the root to the workers of its own parent. Sealing ends it, and the
parent ends the workers: memory that no longer exists holds no key, whatever a language leaves lying about in it.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from omonat.base import logs
from omonat.base.errors import BadInput, OmonatError, Refused, Unavailable
from omonat.base.ids import new_id
from omonat.base.settings import Settings, load
from omonat.cli import fail
from omonat.database.processes import keep_memory_private
from omonat.vault.keeper import LONGEST, SEALED_ON_DEMAND, SOCKET, Unsealing, reach
from omonat.vault.root import RootKey
from omonat.vault.shares import Gathering
from omonat.vault.sources import STRETCHING, beside, gathering, keep_stretching, root_key, standing, typed_passphrase
from omonat.vault.unsealings import Unsealed
from omonat.vault.unsealings import keep as keep_for_evidence

_TRIES: Final = 10
"""Refusals in a row, from this machine or from elsewhere, before the next try has to wait."""
_WAIT: Final = 60.0
_FORGET: Final = 900.0
"""Seconds after which shares that led to nothing are dropped."""
_log = logs.log(__name__)

Question = dict[str, Any]


class Tries:
    """How often somebody may be wrong. Whoever is elsewhere can't use up the tries of those who stand here."""

    def __init__(self) -> None:
        self._wrong = {True: 0, False: 0}
        self._until = {True: 0.0, False: 0.0}

    def check(self, now: float, *, here: bool) -> None:
        """Raises Refused unseal-wait."""
        if now < self._until[here]:
            raise Refused("unseal-wait", seconds=str(int(self._until[here] - now) + 1))

    def was_wrong(self, now: float, *, here: bool) -> None:
        """Count a refusal."""
        self._wrong[here] += 1
        if self._wrong[here] >= _TRIES:
            self._wrong[here], self._until[here] = 0, now + _WAIT


class Keeper:
    """What one process knows of the root, and whom it tells."""

    def __init__(self, settings: Settings, root: RootKey | None) -> None:
        self._settings = settings
        self._home = settings.home
        self._root = root
        self._next: RootKey | None = None
        self._table: Gathering | None = None
        self._tries = Tries()
        self._one_at_a_time = asyncio.Lock()
        self._open = asyncio.Event()
        self._forgetting: asyncio.TimerHandle | None = None
        self.told_to_seal = asyncio.Event()
        if root is not None:
            self._open.set()

    async def answer(self, question: Question, *, sibling: bool) -> Question:
        """The answer to one question. Raises OmonatError."""
        match question.get("ask"):
            case "status":
                return _told(self._status())
            case "unseal":
                async with self._one_at_a_time:
                    return _told(await self._unseal(question))
            case "configured":
                await self._reopen()
                return _told(self._status())
            case "seal":
                self.told_to_seal.set()
                return {}
            case "next" if self._root is not None:
                self._next = RootKey(bytes.fromhex(str(question["root"])))
                return {}
            case "rotated":
                self._go_on_to_next()
                return {}
            case "root" if sibling:
                self._go_on_to_next()
                return {"root": self._given(str(question.get("mark", "")))}
            case "wait" if sibling:
                await self._open.wait()
                return {}
        raise Refused("keeper-refuses")

    def _given(self, mark: str) -> str | None:
        known = (root for root in (self._root, self._next) if root is not None)
        return next((root.divide(bytes.hex) for root in known if mark in ("", root.mark.hex())), None)

    def _go_on_to_next(self) -> None:
        """Once the keys are sealed under the next root, the one before it is worth nothing: forget it."""
        found = standing(self._home) if self._next is not None else None
        if found is not None and self._next is not None and found.mark == self._next.mark:
            self._root, self._next = self._next, None

    def _status(self) -> Unsealing:
        if self._root is not None:
            return Unsealing(sealed=False, needed=0)
        passphrase = (self._home / "keys" / STRETCHING).exists()
        with suppress(OmonatError):
            table = self._table or gathering(self._home)
            return Unsealing(True, table.threshold, len(table.numbers), table.needed, passphrase)
        return Unsealing(sealed=True, passphrase=passphrase)

    async def _unseal(self, question: Question) -> Unsealing:
        if self._root is not None:
            return self._status()
        here, now = bool(question.get("here")), asyncio.get_running_loop().time()
        self._tries.check(now, here=here)
        try:
            if "share" in question:
                self._take(str(question["share"]))
            else:
                root = await asyncio.to_thread(self._by_passphrase, str(question["passphrase"]))
                self._opened(root, Unsealed(new_id("ev"), "passphrase"))
        except (Refused, BadInput) as error:
            self._tries.was_wrong(now, here=here)
            _log.warning("unseal-refused", code=error.code)
            raise
        return self._status()

    def _take(self, text: str) -> None:
        if self._table is None:
            self._table = gathering(self._home)
        self._table.add(text)
        self._forget_later()
        if self._table.needed != 0:
            return
        by = Unsealed(new_id("ev"), "shares", self._table.set_id or "", tuple(self._table.numbers))
        try:
            root = self._table.root()
        finally:  # right or wrong: what was gathered has served
            self._forget()
        self._opened(root, by)

    def _by_passphrase(self, passphrase: str) -> RootKey:
        found = standing(self._home)
        if found is None:
            raise Unavailable("keys-missing", file=str(self._home / "keys"))
        root = typed_passphrase(self._home, passphrase)
        if root.mark != found.mark:
            raise Refused("passphrase-wrong")
        return root

    async def _reopen(self) -> None:
        if self._settings.root_key is None:
            raise Unavailable("sealed")
        if self._root is None:
            root = await asyncio.to_thread(configured_root, self._settings)
            self._opened(root, Unsealed(new_id("ev"), "settings"))

    def _opened(self, root: RootKey, how: Unsealed) -> None:
        """Give the root to whoever waits. Raises Unavailable where that can't be noted first."""
        keep_for_evidence(self._home, how)
        self._root = root
        self._open.set()
        _log.info("unsealed", kind=how.by)

    def _forget_later(self) -> None:
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(_FORGET, self._forget)

    def _forget(self) -> None:
        self._table = None


def configured_root(settings: Settings) -> RootKey:
    """The root from where the settings say; a passphrase's parameters are kept beside the keys, so it can be typed."""
    if settings.root_key is None:
        raise Unavailable("sealed")
    root = root_key(settings.root_key, settings.home)
    if settings.root_key.kind == "passphrase-file" and (settings.home / "keys").is_dir():
        keep_stretching(settings.home, beside(settings.root_key.path))
    return root


async def keep(keeper: Keeper, listening: socket.socket) -> int:
    """Answer on `listening` until told to seal; the exit status."""
    server = await asyncio.start_unix_server(_speaks(keeper.answer), sock=listening, limit=LONGEST)
    async with server:
        await keeper.told_to_seal.wait()
        await asyncio.sleep(0.05)  # the word to whoever asked is on its way
    return SEALED_ON_DEMAND


def _speaks(
    answer: Callable[..., Awaitable[Question]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("socket")
        try:
            async with asyncio.timeout(5):
                question = json.loads(await reader.readline())
            told = await answer(question, sibling=is_sibling(peer))
        except OmonatError as error:
            told = {"code": error.code, "kind": _kind(error), "about": dict(error.about)}
        except (ValueError, TypeError, TimeoutError, OSError):
            writer.close()
            return
        with suppress(OSError):
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
            writer.close()

    return speak


def _told(found: Unsealing) -> Question:
    return msgspec.structs.asdict(found)


def _kind(error: OmonatError) -> str:
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == OmonatError.__module__)


def is_sibling(peer: Any) -> bool:
    """Whether the other end is a child of our own parent: to nobody else is the root given, root user or not."""
    pid, _, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(fields[1]) == os.getppid()


def listen(home: Path) -> socket.socket:
    """The socket, closed to every other account; one left by an earlier keeper is replaced."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    (home / SOCKET).unlink(missing_ok=True)
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
    try:
        listening.bind(reach(folder))
        (home / SOCKET).chmod(0o600)
    finally:
        os.close(folder)
    return listening


def main(arguments: list[str]) -> int:
    """Hold the root until told otherwise."""
    os.umask(0o077)
    keep_memory_private()
    settings = load(os.environ)
    logs.configure(level=settings.log_level, form=settings.log_format)
    try:
        start_open = arguments == ["configured"] and settings.root_key is not None
        root = configured_root(settings) if start_open else None
    except OmonatError as error:
        fail(error)

    async def run() -> int:
        return await keep(Keeper(settings, root), listen(settings.home))

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
