"""The law in force, as one process knows it: compiled policies by ordinal, loaded from their published documents.

A compiled policy is immutable, so holding it is no cache of a permission: each read brings the ordinal in force at
that moment, and a flow that meets another ordinal than the one it compiled for asks here again (P1).
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from omonat.base.errors import BadInput, Unavailable
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.lint import Verdict, lint
from omonat.policy.packs import Pack, read_pack
from omonat.policy.reader import Document, read_policy

_queries = load("omonat.flows", "law.sql")


@lru_cache(maxsize=16)
def read_document(text: str) -> Document:
    """A document as typed, from YAML or from its JSON. Read once per process: a published one never changes."""
    return read_policy(text)


@lru_cache(maxsize=64)
def read_packs(texts: tuple[tuple[str, str], ...]) -> tuple[Pack, ...]:
    """The packs of a publication, by name and text, as typed; read once per process, as its document is."""
    return tuple(read_pack(text, name=name) for name, text in texts)


@lru_cache(maxsize=16)
def judged(document: str, packs: tuple[tuple[str, str], ...]) -> Verdict:
    """What the linter says of a document beside its packs; once per process, for it looks at nothing else."""
    return lint(read_document(document), read_packs(packs))


class Law:
    """Compiled policies of one installation, newest last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history: list[CompiledPolicy] = []
        self._active: CompiledPolicy | None = None
        self._loading = asyncio.Lock()
        self._made: tuple[str, Mapping[str, str], CompiledPolicy] | None = None

    async def current(self) -> CompiledPolicy:
        """The policy in force now, whichever process published it. Raises Unavailable (`no-policy`) when none is.

        While the database is away it is the one read last: notices stay readable, and what writes fails by itself.
        """
        try:
            async with self._database.connection() as connection:
                row = await _queries.newest(connection)
        except Unavailable:
            if self._active is None:
                raise
            return self._active
        known = self._history[-1].ordinal if self._history else 0
        if row is None or self._active is None or (row["active"], row["newest"]) != (self._active.ordinal, known):
            await self.reload()
        if self._active is None:
            raise Unavailable("no-policy")
        return self._active

    async def at_hand(self) -> CompiledPolicy:
        """The policy as read last: for flows whose own statement reads which one is in force, and that ask `of` then.

        Raises Unavailable (`no-policy`) when none is.
        """
        return self._active or await self.current()

    async def known(self) -> tuple[CompiledPolicy, ...]:
        """All published versions, whichever is in force, oldest first."""
        await self.reload()
        return self.history()

    async def newer_than(self, policy: CompiledPolicy) -> CompiledPolicy | None:
        """The policy in force, for a request that `policy` has no name for; None when it is that very one."""
        current = await self.current()
        return None if current.ordinal == policy.ordinal else current

    async def of(self, ordinal: int) -> CompiledPolicy:
        """The policy of the ordinal a statement has just read as active; reloads when it isn't the one at hand.

        Raises Unavailable: `no-policy` for ordinal 0, `policy-changing` when it can't be found.
        """
        if self._active is not None and self._active.ordinal == ordinal:
            return self._active
        if ordinal == 0:
            raise Unavailable("no-policy")
        await self.reload()
        if self._active is None or self._active.ordinal != ordinal:
            raise Unavailable("policy-changing")
        return self._active

    def history(self) -> tuple[CompiledPolicy, ...]:
        """All versions this process has compiled, oldest first."""
        return tuple(self._history)

    def version(self, version: str) -> CompiledPolicy | None:
        """The policy of that published version, or None."""
        return next((policy for policy in self._history if policy.version == version), None)

    def shown(self, policy: CompiledPolicy, version: str | None) -> CompiledPolicy:
        """The version whose words somebody was shown, `policy` where none is named. Raises BadInput for one that isn't
        published, or not in force yet under `policy`."""
        shown = policy if version is None else self.version(version)
        if shown is None or shown.ordinal > policy.ordinal:
            raise BadInput("version-unknown")
        return shown

    async def reload(self) -> None:
        """Compile what has been published since, and note which ordinal is in force."""
        # The connection first: who waits for the lock may hold one, and whoever has the lock must not wait for theirs.
        async with self._database.connection() as connection, self._loading:
            known = self._history[-1].ordinal if self._history else 0
            async for row in _queries.published_since(connection, ordinal=known):
                self._history.append(self._made_here(row) or self._compiled(row))
            active = await _queries.active_ordinal(connection)
            self._active = next((p for p in self._history if p.ordinal == active), None)

    def note_made(self, typed: str, packs: Mapping[str, str], compiled: CompiledPolicy) -> None:
        """What this process is about to publish needn't be read and compiled again by it; used only if it is what then
        stands in the database, under that ordinal and in that very form."""
        self._made = typed, packs, compiled

    def _made_here(self, row: Any) -> CompiledPolicy | None:
        made, self._made = self._made, None
        if made is None or (row["typed"], row["packs"], row["ordinal"]) != (made[0], made[1], made[2].ordinal):
            return None
        return made[2]

    def _compiled(self, row: Any) -> CompiledPolicy:
        packs = read_packs(tuple(row["packs"].items()))
        return compile_policy(read_document(row["typed"]), packs, tuple(self._history))
