"""The world outside the service: a mail relay and an SMS gateway that note when each message began."""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy


@dataclass(frozen=True)
class Letter:
    """One message as it arrived. `began` is when its first byte of content was announced (SMTP's DATA)."""

    began: float
    to: str
    id: str
    text: str


@dataclass
class Outside:
    """Everybody's letter box and telephone. What is handed over is taken, always."""

    letters: list[Letter] = field(default_factory=list)
    messages: list[Letter] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)

    async def open(self) -> dict[str, str]:
        """Begin to listen; the settings that lead here."""
        for serve in (self._relay, self._gateway):
            self._servers.append(await asyncio.start_server(serve, "127.0.0.1", 0))
        smtp, sms = (server.sockets[0].getsockname()[1] for server in self._servers)
        relay = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp), "SMTP_SECURITY": "none"}
        return {**relay, "SMTP_FROM": "webmaster@beshqozon.uz", "SMS_GATEWAY": f"http://127.0.0.1:{sms}/send"}

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    def codes_of(self, mobile: str) -> list[str]:
        """The one-time codes a telephone got, oldest first."""
        return [
            found[0] for m in self.messages if m.to == mobile and (found := re.findall(r"(?<!\d)\d{6}(?!\d)", m.text))
        ]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As little SMTP (RFC 5321) as one client needs."""

        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 outside")
        to = ""
        try:
            while line := (await reader.readline()).decode():
                match line[:4].upper():
                    case "RCPT":
                        to = line.partition("<")[2].partition(">")[0]
                        say("250 ok")
                    case "DATA":
                        began = time.monotonic()
                        say("354 go on")
                        content = await reader.readuntil(b"\r\n.\r\n")
                        letter = message_from_bytes(content, policy=policy.default)
                        body = letter.get_body(("plain",))
                        text = body.get_content() if body is not None else ""
                        self.letters.append(Letter(began, to, str(letter["Message-ID"]), text))
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        return
                    case _:
                        say("250 ok")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _gateway(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                began = time.monotonic()
                length = re.search(rb"(?i)content-length: (\d+)", head)
                key = re.search(rb"(?i)idempotency-key: (\S+)", head)
                said = json.loads(await reader.readexactly(int(length[1]) if length else 0))
                self.messages.append(Letter(began, said["to"], key[1].decode() if key else "", said["text"]))
                writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
