"""What lies on the disk, judged without the service: indices against tables, keys against entries."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from tests.whole.serving import Installation

_INDICES = """
select c.relname as index, t.relname as table, pg_get_expr(i.indpred, i.indrelid) as holds_for,
       (select string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' order by n)
          from generate_series(1, i.indnkeyatts) n) as keys, am.amname as kind
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
  join pg_namespace s on s.oid = t.relnamespace join pg_am am on am.oid = c.relam
 where s.nspname = 'omonat' and i.indisvalid
"""
"""Every index, the rows it holds, and its keys as one would write them."""


_TABLE = ("seqscan", "sort")
_INDEX = ("indexscan", "indexonlyscan")


async def index_differences(owner: asyncpg.Connection) -> list[str]:
    """Indices that don't lead to exactly the rows of their table: what amcheck asks, with what every server has."""
    found = []
    for row in await owner.fetch(_INDICES):
        if row["kind"] != "btree":
            continue
        where = f"where {row['holds_for']}" if row["holds_for"] else ""
        ordered = f"select {row['keys']} from omonat.{row['table']} {where} order by {row['keys']}"
        digest = f"select count(*), md5(coalesce(string_agg(x::text, chr(10)), '')) from ({ordered}) x"
        sums = []
        async with owner.transaction(isolation="repeatable_read", readonly=True):  # both look at the same instant
            for off, on in ((_TABLE, _INDEX), (_INDEX, _TABLE)):
                for setting in off:
                    await owner.execute(f"set local enable_{setting} = off")
                for setting in on:
                    await owner.execute(f"set local enable_{setting} = on")
                plan = f" /* without {off[0]} */"  # a statement of its own: the driver keeps the plan of an equal one
                sums.append(tuple(await owner.fetchrow(digest + plan)))
        if sums[0] != sums[1]:
            found.append(f"{row['index']}: {sums[0][0]} rows by index, {sums[1][0]} by table")
    return found


async def keys_without_entry(owner: asyncpg.Connection, of: Installation, acts: Mapping[str, int]) -> list[str]:
    """I8: a key that is gone has an entry that says so; what is kept has its keys. Names no person."""
    slots = [
        (row["slot"], row["what"])
        for row in await owner.fetch(
            "select slot, 'person' as what from persons union all select evidence_slot, 'evidence' from persons "
            "union all select slot, 'record' from records"
        )
    ]
    root = RootKey.from_file(of.root_key)
    vault = Vault.open(of.home, root, create=False)
    destroyed = [(number, what) for number, what in slots if _gone(vault, number)]
    said = sum(n for act, n in acts.items() if act.startswith(("erasure:", "retention:")))
    return [f"{what} {number} has no key and no entry" for number, what in destroyed] if not said else []


def _gone(vault: Any, number: int) -> bool:
    return not vault._slots._cipher.is_sealed(number, vault._slots.slot(number))
