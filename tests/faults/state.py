"""What lies on the disk, judged without the service: indices against tables, keys against erasures."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from omonat.evidence.entry import decode
from omonat.vault.vault import Vault

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


async def unfinished(owner: asyncpg.Connection, acknowledged: Sequence[str]) -> list[str]:
    """R3, I5: erasures that were acknowledged, or begun, and are not done; what they left behind. Names no person."""
    rows = await owner.fetch(
        "select count(*) filter (where destroyed_at is null) as keyed, count(*) filter (where swept_at is null) as"
        " unswept, count(*) filter (where id = any($1)) as known from erasures", acknowledged
    )  # fmt: skip
    left = await owner.fetchval(
        "select count(*) from persons p where p.erased_at is not null and not p.remains and ("
        " exists (select from sections where person = p.id) or exists (select from lookups where person = p.id))"
    )
    counts = {
        "acknowledged erasures are gone": len(acknowledged) - rows[0]["known"],
        "erasures have their keys": rows[0]["keyed"],
        "erasures are not swept": rows[0]["unswept"],
        "erased people have rows": left,
    }
    return [f"{count} {what}" for what, count in counts.items() if count]


_HELD = (
    "select slot, 'person' as what from persons where erased_at is null or remains"
    " union all select evidence_slot, 'evidence' from persons union all select slot, 'record' from records"
)
_DESTROYED = "select array_agg(slot) from (select unnest(slots) as slot from erasures where destroyed_at is not null) x"


_ENDS = "select body from entries where act ~ '^(erasure|retention):'"


async def wrong_keys(owner: asyncpg.Connection, vault: Vault) -> list[str]:
    """I6, I8: who is held has all keys; what was said to be destroyed is. Names no person.

    Something may be due meanwhile, and is swept: its row goes or gets another slot first, then its key. So the keys are
    looked at before the rows that speak against them.
    """
    doomed = await owner.fetchval(_DESTROYED)
    gone = {row["slot"] for row in await owner.fetch(_HELD) if _gone(vault, row["slot"])}
    found = [f"{row['what']} {row['slot']} has no key" for row in await owner.fetch(_HELD) if row["slot"] in gone]
    return found + [f"slot {slot} was said to be destroyed" for slot in doomed or () if not _gone(vault, slot)]


async def unnamed_ends(owner: asyncpg.Connection, vault: Vault) -> list[str]:
    """I8: keys that were destroyed, and no entry of the log had named them for it before."""
    named: set[int] = set()
    for row in await owner.fetch(_ENDS):
        named.update(decode(row["body"]).facts.get("slots", ()))
    ended = {number for number, _ in vault.destroyed_since(0)}
    return [f"slot {slot} was destroyed, and no entry names it" for slot in sorted(ended - named)]


def _gone(vault: Any, number: int) -> bool:
    return not vault._slots._cipher.is_sealed(number, vault._slots.slot(number))
