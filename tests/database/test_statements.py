"""Every statement is read: it fits the schema, and none reads a whole table that grows (design: Growth)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
import pytest
import pytest_asyncio

from omonat.database import statements
from omonat.database.pool import Database

ROWS = 100_000
FEW = {
    "installation", "policies", "leases", "notice_rounds", "evidence_log", "retention_state",
    "control_journal", "control_changes", "drills", "campaigns", "cookie_choices", "site_sightings", "sealing_keys",
    "announcements", "media_publications", "service_rounds", "client_procedures", "business_clients",
    "business_contacts", "demographics", "corrections_to_tell", "places", "safeguard_reviews",
}  # fmt: skip
"""Tables that stay small: one row; one for each version, campaign, kind of work, key, drill, review, place,
announcement or business client; a few for each day or week; three hundred names at most; what is gone in seconds."""

WHOLE = {
    "told_openings": "an audit: `omonat evidence reconcile`",
    "rows_without_entry": "an audit, once a day: it compares everything",
    "entries_without_row": "an audit, once a day: it compares everything",
    "gone_without_entry": "an audit, once a day: it compares everything",
    "choices_that_differ": "an audit, once a day: it compares everything",
    "ledger_without_entry": "an audit, once a day: it compares everything",
    "ledger_of_nobody": "an audit, once a day: it compares everything",
    "rows_without_ledger": "an audit, once a day: it compares everything",
    "unplaced": "once, after a restore on another server: it compares everything",
    "open_requests": "the inbox: the index of the open requests is all it reads",
    "reaching_a_step": "deadlines: the index of the open requests is all it reads",
    "gone_up": "what went up: the index of the open requests is where it begins",
    "lapsed": "requests nobody confirmed: the index of the open ones is all it reads",
    "open_counts": "counts what is on its way: the index of the messages under way is all it reads",
    "uses_since": "what a version would do, for two people about to publish it: one pass over the uses of a month",
    "uses_without_consent": "as above",
    "count_people": "whom a campaign would reach, once when it is planned: it asks the rule of everybody",
    "count_concerned": "counts everybody a version concerns: for two people about to publish it",
    "round_counts": "counts the notices of one version, for the operator: the index of their states is all it reads",
    "anybody_has_secrets": "ends at the first staff member who has them",
    "counts_of": "counts the notices of one round, for the operator",
    "claim_failed": "what failed and takes the next way: the index of the failed ones is all it reads",
    "take_next_way": "as above",
    "consents_by": "once after each version of the policy: the index of the consents that stand is all it reads",
    "last_reviews": "the index of the entries about safeguards is all it reads: one for each review, some in a year",
    "personal_tables": "once, when the control journal is opened: it reads the catalogue",
    "issue_client": "once for a name, and then only where two operators issue the same one at once",
}
"""Statements that may read a whole table or index, and why that is no harm."""

COPIES = ("backup/replay.", "backup/tables.")
"""Statements of a backup or a restore: they read and write everything, and nobody waits beside them."""

FILL = f"""
set synchronous_commit = off;
select control_notes(false);
insert into clients select 'omk_' || n, 'client ' || n, 'site', '{{system}}', sha256(n::text::bytea), 'infinity', now()
    from generate_series(1, 2000) n;
insert into staff (id, ref, role, trained_until, login, profile, created_at)
    select 'stf_' || n, n::text, 'courier', now(), sha256(n::text::bytea), 'x', now() from generate_series(1, 5000) n;
insert into persons (id, slot, evidence_slot, language, created_at)
    select 'per_' || n, n, {ROWS} + n, 'uz', now() from generate_series(1, {ROWS}) n;
insert into lookups select 'per_' || n, 'contact.mobile', 1, sha256(n::text::bytea), now()
    from generate_series(1, {ROWS}) n;
insert into cases (id, kind, service, person, opened_by, opened_at, closed_at, assigned)
    select 'order:' || n, 'order', 'order', 'per_' || n, 'omk_1', now() - n * interval '1 minute',
           case when n > 2000 then now() end, array[(n % 5000)::text] from generate_series(1, {ROWS}) n;
insert into records (id, person, service, case_id, version, slot, source, collected_at, due_at)
    select 'rec_' || n, 'per_' || n, 'order', 'order:' || n, 1, 3 * {ROWS} + n, 'site', now(), now()
    from generate_series(1, {ROWS}) n;
insert into sections select 'rec_' || n, 'contact', 'per_' || n, now(), 'x' from generate_series(1, {ROWS}) n;
insert into choices select 'cho_' || n, 'per_' || n, 'consent', 'p', '', 'given', now(), 1, 'form', 'ev_' || n
    from generate_series(1, {ROWS}) n;
insert into tellings select 'per_' || n, 1, 'email', now(), 'ev_' || n from generate_series(1, {ROWS}) n;
insert into suppressions select sha256(n::text::bytea), 'left', now(), 'ev_' || n from generate_series(1, {ROWS}) n;
insert into letters_taken select sha256(n::text::bytea), now() from generate_series(1, {ROWS}) n;
insert into work_items select 'wrk_' || n, 'due', 'per_' || n, 'x', now(), case when n > 500 then now() end
    from generate_series(1, {ROWS}) n;
insert into idempotency select 'omk_' || (n % 2000 + 1), sha256(n::text::bytea), 'x', '{{}}', now()
    from generate_series(1, {ROWS}) n;
insert into web_sessions select sha256(n::text::bytea), 'me', 'per_' || n, now(), now(), 'x'
    from generate_series(1, {ROWS}) n;
insert into sign_in_codes select 'cod_' || n, 'me', 'contact.mobile', sha256(n::text::bytea), 'x', 0, now(), now()
    from generate_series(1, {ROWS}) n;
insert into staff_usage select (n % 5000)::text, 'use', now() - n * interval '1 hour', interval '1 hour', 1
    from generate_series(1, {ROWS}) n;
insert into rates select sha256(n::text::bytea), now(), 1 from generate_series(1, {ROWS}) n;
insert into outbox (person, id, template, class, purpose, channel, address_item, language, facts, created_at, state,
                    due_at, settled_at)
    select 'per_' || n, 'msg_' || n, 't', 'service', 'p', 'sms', 'contact.mobile', 'uz', '{{}}', now(),
           case when n > 500 then 'sent' else 'waiting' end, now(), case when n > 500 then now() end
    from generate_series(1, {ROWS}) n;
insert into notices select 'per_' || n, 2, 1, 'email', case when n > 500 then 'told' when n > 250 then 'failed'
           else 'handed-over' end, 'msg_' || n, now() from generate_series(1, {ROWS}) n;
insert into entries (txid, id, at, act, body, leaf)
    select n, 'ev_' || n, now(), 'a:b', 'x', sha256('x') from generate_series(1, {ROWS}) n;
insert into rows_gone select 'ev_' || n, 'record', n from generate_series(1, {ROWS}) n;
insert into proof_packets select 'prf_' || n, sha256(n::text::bytea), 'used', 9 * {ROWS} + n, 'x', now(),
    now() + n * interval '1 hour' from generate_series(1, {ROWS}) n;
insert into placements select n, 'ev_' || n, n from generate_series(1, {ROWS}) n;
insert into ledger (person, at, entry, txid) select 'per_' || n, now(), 'ev_' || n, n from generate_series(1, {ROWS}) n;
insert into erasures (id, scope, cause, person, record, asked_by, policy, slots, seal, hidden_at, swept_at, final_at,
                      entries)
    select 'ers_' || n, 'record', 'asked', 'per_' || n, 'rec_' || n, 'person', 1, '{{}}', 'x',
           now() - n * interval '1 minute', case when n > 50 then now() end, case when n > 50 then now() end, '{{}}'
    from generate_series(1, {ROWS}) n;
insert into holds (id, scope, target, authority, may_tell, review_at, placed_by, placed_at, released_at, entries)
    select 'hld_' || n, 'person', 'per_' || n, 'x', true, now(), 'a', now(), case when n > 50 then now() end,
           '{{}}'
    from generate_series(1, {ROWS}) n;
insert into system_notices (erasure, system, erases, about, state, due_at, created_at)
    select 'ers_' || n, 'till', 'webhook', '{{}}', case when n > 50 then 'acknowledged' else 'waiting' end, now(), now()
    from generate_series(1, {ROWS}) n;
insert into confirmations (person, due_at) select 'per_' || n, now() + n * interval '1 hour'
    from generate_series(1, {ROWS}) n;
insert into erasure_receipts select sha256(n::text::bytea), 'ers_' || n, now() + n * interval '1 minute'
    from generate_series(1, {ROWS}) n;
insert into requests (number, case_id, kind, state, door, needs_proof, received_at, due_at, closed_at, outcome)
    select 'req_' || n, 'order:' || n, 'question', case when n > 500 then 'closed' else 'received' end, 'site', false,
           now(), now() + n * interval '1 minute', case when n > 500 then now() end, case when n > 500 then 'done' end
    from generate_series(1, {ROWS}) n;
insert into escalations select 'req_' || n, now() + n * interval '1 minute', 'near', 'management', now(),
           case when n > 500 then 'sent' else 'waiting' end, now() from generate_series(1, {ROWS}) n;
insert into guardian_consents select 'gua_' || n, 'per_' || n, 'signed-form', 'x', now(), 'stf',
    case when n > 500 then now() end, '{{}}' from generate_series(1, {ROWS}) n;
insert into parent_asks (id, person, method, channel, address, language, asked_by, asked_at, over_at, entries)
    select 'pas_' || n, 'per_' || n, 'message-plus', 'contact.email', 'x', 'uz', 'stf', now(), now(), '{{}}'
    from generate_series(1, {ROWS}) n;
insert into parent_payments (id, ask, person, reported_at, entries)
    select 'pay_' || n, 'pas_' || n, 'per_' || n, now(), '{{}}' from generate_series(1, {ROWS}) n;
insert into service_rounds (id, kind, audience, said, written_by, written_at, entries)
    values ('rnd_1', 'system-error', 'everybody', '{{}}', 'stf_1', now(), '{{}}');
insert into service_notices select 'per_' || n, 'rnd_1', 'email', case when n > 500 then 'told'
           when n > 250 then 'failed' else 'handed-over' end, 'msg_' || n, now() from generate_series(1, {ROWS}) n;
insert into policies (ordinal, version, digest, document, typed, packs, effective, published_at, author, approver)
    values (1, '1', 'x', 'x', '{{}}', '{{}}', now(), now(), 'a', 'b');
insert into client_procedures (version, steps, written_by, written_at, entries)
    values (1, '[]', 'stf_1', now(), '{{}}');
insert into business_clients (id, name, registered_by, registered_at, entries)
    select 'bcl_' || n, 'client ' || n, 'stf_1', now(), '{{}}' from generate_series(1, 2000) n;
insert into client_notices
    select 'cno_' || n, 'bcl_' || (n % 2000 + 1), 'per_' || n, 1, 'new', 1, 'email', now(), 'stf_1', now(), 'ev_' || n,
           'x' from generate_series(1, {ROWS}) n;
insert into sealed_forms select 'sfm_' || n, 'omk_1', 'x', 'ev_' || n, now(), now() + n * interval '1 minute'
    from generate_series(1, {ROWS}) n;
insert into reckonings select 'rkn_' || n, 'case', 'order:' || n, '', now() from generate_series(1, {ROWS}) n;
insert into retention_state (seen) values (now());
insert into installation (id, origin, created_at) values ('ins_' || repeat('a', 26), 'o', now());
analyze;
"""


def named() -> Iterator[tuple[str, str, int]]:
    """Each statement: its name, its text, and how many parameters it takes."""
    for file in statements.every_file():
        queries: Any = aiosql.from_str(file.read_text("utf-8"), "asyncpg", mandatory_parameters=False)
        for name in queries.available_queries:
            if not name.endswith("_cursor"):
                yield f"{file.parent.name}/{file.stem}.{name}", getattr(queries, name).sql, len(_order(queries, name))


def _order(queries: Any, name: str) -> tuple[str, ...]:
    return tuple(queries.driver_adapter.var_sorted.get(name, ()))


STATEMENTS = [one for one in named() if not one[0].startswith(COPIES)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(module_database: Database) -> asyncpg.Connection:
    """A town's worth of rows in every table that grows."""
    async with module_database.connection() as connection:
        await connection.execute("set statement_timeout = '120s'")
        await connection.execute(FILL)
        yield connection


def test_every_file_is_read() -> None:
    root = Path(str(statements.files("omonat")))
    here = {file for file in root.rglob("*.sql") if "migrations" not in file.parts}
    assert set(statements.every_file()) == here
    assert len(STATEMENTS) > 90


FOREIGN = """
select c.conrelid::regclass || '.' || string_agg(a.attname, ',' order by a.attnum) as column
  from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
 where c.contype = 'f' and c.connamespace = 'omonat'::regnamespace
   and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
                                            and (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] = c.conkey)
 group by c.oid, c.conrelid
"""
NEVER_DELETED = {"cases.opened_by"}
"""What these refer to is ended, never deleted: nobody looks back from there."""


async def test_growth_whatever_refers_to_a_row_is_found_from_that_row_by_an_index(module_database: Database) -> None:
    async with module_database.connection() as connection:
        assert {row["column"] for row in await connection.fetch(FOREIGN)} == NEVER_DELETED


def scans(node: dict[str, Any]) -> Iterator[str]:
    """Tables that grow and that a plan reads from end to end."""
    whole = node["Node Type"] == "Seq Scan" or (
        node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
        and "Index Cond" not in node
        and "Order By" not in node
    )
    if whole and node.get("Relation Name", node.get("Index Name")) not in FEW and not _partial(node):
        yield f"{node['Node Type']} on {node.get('Relation Name', node.get('Index Name'))}"
    for inner in node.get("Plans", ()):
        yield from scans(inner)


def _partial(node: dict[str, Any]) -> bool:
    """An index of what waits holds what waits, and no more; the table behind it may be as large as it likes."""
    return node.get("Index Name") in {
        *("outbox_due", "outbox_handing_over", "work_items_waiting", "cases_open_by_kind"),
        *("erasures_under_way", "erasures_waiting", "holds_by_review", "reckonings_by_age"),
        *("system_notices_due", "notices_handed_over", "notices_failed", "escalations_letters"),
    }


@pytest.mark.parametrize(("name", "text", "parameters"), STATEMENTS, ids=[name for name, *_ in STATEMENTS])
async def test_growth_no_statement_reads_a_table_that_grows_from_end_to_end(
    town: asyncpg.Connection, name: str, text: str, parameters: int
) -> None:
    given = f"({', '.join(['null'] * parameters)})" if parameters else ""
    async with town.transaction():
        await town.execute("set local plan_cache_mode = force_generic_plan")
        await town.execute(f"prepare read_here as {text}")
        try:
            plan = await town.fetchval(f"explain (format json) execute read_here{given}")
        finally:
            await town.execute("deallocate read_here")
    (planned,) = json.loads(plan) if isinstance(plan, str) else plan
    found = list(scans(planned["Plan"]))
    assert not found or name.rpartition(".")[2] in WHOLE, found
