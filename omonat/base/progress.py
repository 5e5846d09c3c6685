"""What takes longer, told to whoever waits. The line is an English sentence, the catalogue's key; the door says it."""

from typing import Protocol


class Tell(Protocol):
    """Hears one line; `about` fills its `%(name)s`."""

    def __call__(self, line: str, /, **about: object) -> None:
        """Say it now."""


def untold(_line: str, /, **_about: object) -> None:
    """Where nobody waits."""
