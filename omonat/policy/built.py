"""How far this program keeps each promise by itself, said by hand in promises.toml (A1).

The policy says how the company keeps a promise; this says how much of it the program does today. The public notice,
`omonat prove` and docs/promises.md read the same file, so that none of them can claim more than the others.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

BUILT: Final = "built"
PART: Final = "part"
NOT_BUILT: Final = "not built"


@cache
def built() -> Mapping[str, Mapping[str, str]]:
    """By promise id: `state`, where the code decides (`rule`), the `evidence`, and what is still `missing`."""
    return tomllib.loads(Path(__file__).with_name("promises.toml").read_text("utf-8"))


def state_of(promise: str) -> str:
    """`built`, `part` or `not built`; a promise this program has never heard of is not built."""
    return built()[promise]["state"] if promise in built() else NOT_BUILT
