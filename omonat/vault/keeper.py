"""Asking the keeper: the one process of a running installation that holds the root key (S2, S6).

It answers on `control` in the home, a socket only the service's own account may open, one line of JSON each way:

    status                  whether it is sealed, and what is still needed          anybody who may open the socket
    unseal share|passphrase one proof of somebody who may open the house            the same; refusals are counted
    configured              read the root again from where the settings say         the same
    seal                    forget the root: the keeper and all workers end         the same
    next, rotated           the root that will follow, handed over; it has followed the same
    root, wait              the root itself; a sign when there is one               workers of the same parent only
"""

import asyncio
import json
import os
import socket
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from omonat.base.errors import BadInput, Fault, OmonatError, Refused, Unavailable
from omonat.vault.root import RootKey

SOCKET: Final = "control"
SEALED_ON_DEMAND: Final = 31
"""Exit status of a keeper that was told to forget."""
TO_BE_OPENED: Final = 32
"""Exit status of a sealed worker that wants to be started again, now that there is a root."""
LONGEST: Final = 1 << 16
_KINDS: Final = {kind.__name__: kind for kind in (BadInput, Refused, Unavailable, Fault)}


class Unsealing(msgspec.Struct, frozen=True, omit_defaults=False):
    """How far unsealing has come. `threshold` and `needed` are None while nobody has said how many shares there are."""

    sealed: bool
    threshold: int | None = None
    given: int = 0
    needed: int | None = None
    passphrase: bool = False


def refuse_while_running(home: Path) -> None:
    """For changes of key files that an open process would not see. Raises Refused keys-in-use."""
    try:
        Keeper(home).ask_now("status")
    except Unavailable:
        return
    raise Refused("keys-in-use")


class Keeper:
    """The keeper of one home, as another process speaks with it. Raises Unavailable `keeper-away` when there is none,
    and what the keeper refuses."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def ask(self, what: str, **about: str) -> dict[str, Any]:
        """One question; the answer as it came."""
        return await asyncio.to_thread(lambda: self.ask_now(what, **about))

    def ask_now(self, what: str, patience: float | None = 60.0, /, **about: str) -> dict[str, Any]:
        """As `ask`, blocking; for ever with a `patience` of None."""
        try:
            with self._connected(patience) as connection:
                connection.sendall(json.dumps({"ask": what, **about}).encode() + b"\n")
                line = connection.makefile("rb").readline(LONGEST)
            answer: dict[str, Any] = json.loads(line)
        except (OSError, ValueError):
            raise Unavailable("keeper-away") from None
        if "code" in answer:
            kind: type[OmonatError] = _KINDS.get(answer["kind"], Fault)
            raise kind(answer["code"], **answer["about"])
        return answer

    async def status(self) -> Unsealing:
        """Whether it is sealed, and what is still needed."""
        return msgspec.convert(await self.ask("status"), Unsealing)

    async def unseal(self, *, here: bool, share: str | None = None, passphrase: str | None = None) -> Unsealing:
        """Hand over one share, or the passphrase. `here` says that it was given on this machine."""
        given = {"share": share} if share is not None else {"passphrase": passphrase or ""}
        return msgspec.convert(await self.ask("unseal", here="yes" if here else "", **given), Unsealing)

    def root(self, *, patience: float = 60.0) -> RootKey | None:
        """The root, for a worker that starts; None while sealed. Waits for a keeper that is starting itself."""
        end = time.monotonic() + patience
        while True:
            try:
                secret = self.ask_now("root")["root"]
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return None if secret is None else RootKey(bytes.fromhex(secret))

    def root_of(self, mark: bytes) -> RootKey | None:
        """The root of this mark, for a worker that meets keys under a newer one; None when nobody knows it."""
        try:
            secret = self.ask_now("root", 5.0, mark=mark.hex())["root"]
        except OmonatError:
            return None
        return None if secret is None else RootKey(bytes.fromhex(secret))

    def wait_until_open(self) -> None:
        """Return when there is a root. A keeper that is replaced meanwhile is asked again."""
        while True:
            try:
                self.ask_now("wait", None)
            except Unavailable:
                time.sleep(0.1)
            else:
                return

    def _connected(self, patience: float | None) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(patience)
            folder = os.open(self._home, os.O_PATH | os.O_DIRECTORY)
            try:
                connection.connect(reach(folder))
            finally:
                os.close(folder)
        except BaseException:
            connection.close()
            raise
        return connection


def reach(folder: int) -> str:
    """The socket's address by its open folder: an address may have 107 bytes, a home's path more."""
    return f"/proc/self/fd/{folder}/{SOCKET}"
