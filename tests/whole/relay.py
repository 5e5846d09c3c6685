"""A mail relay that notes when each letter began and when it was taken, and can keep hand-overs open on purpose."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True, slots=True)
class Accepted:
    """A letter the relay took over. `began`: its DATA was announced; `at`: the relay had all of it and said so."""

    to: str
    began: float
    at: float


@dataclass
class Relay:
    """As little SMTP (RFC 5321) as one client needs. While `hold`s, every second hand-over stops before the letter's
    first byte, the others after its last: between them lies all that a client cut off then can't know."""

    accepted: list[Accepted] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """To whom the hand-overs go that stand still, or stood still when it was held last."""
    _standing: dict[str, asyncio.StreamReader] = field(default_factory=dict)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: "count[int]" = field(default_factory=count)
    _server: asyncio.Server | None = None

    async def listen(self) -> int:
        """Begin; the port."""
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """No more letters."""
        if self._server is not None:
            self._server.close()

    def hold(self) -> None:
        """From now on hand-overs stand still where they are."""
        self.held.clear()
        self._open.clear()

    def release(self) -> None:
        """They go on."""
        self._open.set()

    async def until_taken(self, many: int) -> None:
        """Return once so many letters were taken."""
        async with self.moved:
            await self.moved.wait_for(lambda: len(self.accepted) >= many)

    def broken_off(self) -> set[str]:
        """To whom those hand-overs go that stand still and whose client is gone."""
        return {to for to, client in self._standing.items() if client.at_eof() or client.exception()}

    async def until_held(self, many: int, seconds: float) -> None:
        """Return once so many hand-overs stand still, or after the seconds."""
        async with self.moved:
            try:
                async with asyncio.timeout(seconds):
                    await self.moved.wait_for(lambda: len(self.held) >= many)
            except TimeoutError:
                return

    async def _stand_still(self, to: str, client: asyncio.StreamReader) -> None:
        self.held.append(to)
        self._standing[to] = client
        await self._say_moved()
        try:
            await self._open.wait()
        finally:
            del self._standing[to]

    async def _say_moved(self) -> None:
        async with self.moved:
            self.moved.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # a client that is gone
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = ""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 relay")
        while line := (await reader.readuntil(b"\r\n")).decode():
            match line[:4].upper():
                case "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    await say("250 ok")
                case "DATA":
                    began, early = time.monotonic(), next(self._numbers) % 2 == 0
                    if early and not self._open.is_set():
                        await self._stand_still(to, reader)
                    await say("354 go on")
                    await reader.readuntil(b"\r\n.\r\n")
                    if not early and not self._open.is_set():
                        await self._stand_still(to, reader)
                    self.accepted.append(Accepted(to, began, time.monotonic()))
                    await self._say_moved()
                    await say("250 taken")
                case "QUIT":
                    await say("221 bye")
                    return
                case _:
                    await say("250 ok")
