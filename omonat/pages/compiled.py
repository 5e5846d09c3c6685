"""Templates as code, compiled once and kept as Python keeps its modules: compiling all of them takes five seconds.

The code must be the same whatever the language. What a filter answers is not, so none may be worked out while a
template is compiled, as Jinja does where it is given a constant: see `never_foreseen`.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import FileSystemBytecodeCache, pass_context
from jinja2.bccache import Bucket


class Compiled(FileSystemBytecodeCache):
    """The code of a door's templates, the same for all its languages.

    It is kept in this process, and in `folder` as well where Python would write its own. `alike` is whatever else the
    code depends on: code made with other settings, in another release, is never taken.
    """

    def __init__(self, folder: Path, *, alike: bytes) -> None:
        super().__init__(str(folder), f"template-{sha256(alike).hexdigest()[:8]}-%s.jinja")
        self._folder = folder
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """The code for a template's present text, if it is known; a file that can't be read is none."""
        bucket.code = self._known.get((bucket.key, bucket.checksum))
        if bucket.code is None:
            try:
                super().load_bytecode(bucket)
            except Exception:  # cut short, or somebody else's: whatever a pickle may raise
                bucket.reset()
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was just compiled. A disk that is full or closed to us costs the next start its time, no more."""
        self._keep(bucket)
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self._folder.mkdir(exist_ok=True)
                super().dump_bytecode(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


def never_foreseen(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The same filters, which Jinja asks only when a page is made, even for constants."""
    return {name: _asked_late(answer) for name, answer in filters.items()}


def _asked_late(answer: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def asked(_context: Any, *values: Any, **named: Any) -> Any:
        return answer(*values, **named)

    return asked
