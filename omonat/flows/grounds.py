"""What every flow stands on, put together once per process by `omonat.app`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.evidence.journal import Journal
from omonat.flows.law import Law
from omonat.vault.vault import Vault

Done = TypeVar("Done")
Also = Callable[[Any, Done], Awaitable[None]]
"""What a change writes besides, on its own connection and in its own transaction, once it knows what it has done: the
answer that is kept under a key."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """Database, vault, journal, law, and the one clock: no flow reads the time anywhere else."""

    database: Database
    vault: Vault
    journal: Journal
    law: Law
    clock: Callable[[], Instant]
