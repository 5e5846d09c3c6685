"""What the demo remembers between starts, in `demo/` of its home: credentials, sign-ins, how far the people have got.

Files of the demo alone, readable by their owner alone (0600). An installation has no such folder: there, credentials
lie with the systems they were issued to, and one-time code secrets with the staff.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from omonat.base.settings import Settings


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """One of the staff as the demo tells them: `ref` is the number source systems use, `totp` is base32."""

    ref: str
    name: str
    role: str
    login: str
    password: str
    totp: str


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """What set-up made, once. `began` is the instant everything is dated from; `clients` maps names to credentials."""

    began: int
    version: str
    clients: dict[str, str]
    staff: list[Staff]


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The folder. Every write replaces a whole file, so that a kill leaves the old one or the new one."""

    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> "DemoHome":
        folder = settings.home / "demo"
        folder.mkdir(mode=0o700, exist_ok=True)
        return cls(folder)

    @property
    def journal(self) -> Path:
        """Which steps of which made-up people are done; one line each, appended."""
        return self.folder / "people.jsonl"

    @property
    def shop(self) -> Path:
        """The shop's own small database."""
        return self.folder / "shop.sqlite"

    def set_up(self) -> SetUp | None:
        """What set-up made; None before it has finished."""
        try:
            return msgspec.json.decode((self.folder / "set-up.json").read_bytes(), type=SetUp)
        except FileNotFoundError:
            return None

    def keep(self, made: SetUp) -> None:
        """Set-up has finished."""
        write_private(self.folder / "set-up.json", msgspec.json.encode(made))

    def began(self, now: int) -> int:
        """The instant the demo first began: `now` when it has not."""
        path = self.folder / "began"
        if not path.exists():
            write_private(path, str(now).encode())
        return int(path.read_text())

    def credential(self, client: str) -> str | None:
        """A client's credential; None until set-up has issued it."""
        made = self.set_up()
        return None if made is None else made.clients[client]


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place as a whole, for its owner's eyes."""
    partial = path.with_suffix(f"{path.suffix}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def readable(value: Any) -> bytes:
    """JSON for people's eyes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
