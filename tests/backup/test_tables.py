"""Every table is decided about: under the control journal, or not, and why (bar a1)."""

from omonat.backup import tables
from omonat.database.pool import Database

UNDER = {
    "persons",
    "choices",
    "tellings",
    "clients",
    "staff",
    "policies",
    "installation",
    "records",
    "sections",
    "drills",
    "safeguard_reviews",
    "places",
    "erasures",
    "holds",
    "guardian_consents",
    "parent_asks",
    "parent_payments",
    "system_notices",
    "proof_packets",
    "suppressions",
    "announcements",
    "media_publications",
    "service_rounds",
    "client_procedures",
    "business_clients",
    "business_contacts",
    "client_notices",
}
NOT_UNDER = {
    "confirmations": "who was asked since the copy is asked again, or is due again from what is held",
    "corrections_to_tell": "live for seconds; the notices that come of them are under the journal",
    "cases": "a source system reports them, and reports them again",
    "requests": "how far a case of ours is; what came after the copy is lost with its case and its records",
    "escalations": "of a request in the copy: it goes up again, rather twice than never",
    "lookups": "come with a record; who is erased is buried by the keys",
    "entries": "the log has them",
    "placements": "the log has them",
    "evidence_log": "the log's own state is read from the log",
    "ledger": "grows with every use; the entries are in the log",
    "outbox": "what waited is not sent a second time",
    "web_sessions": "everybody signs in anew",
    "sign_in_codes": "die within minutes",
    "erasure_receipts": "addresses of some weeks; the erasures themselves are under the journal",
    "staff_usage": "counts of an hour and a day",
    "rates": "counts of an hour; not even kept in a backup",
    "cookie_choices": "counts without a person; those since the copy are missing from the statistics",
    "demographics": "counts without a person; those since the copy are missing from the statistics",
    "site_sightings": "found again by whoever visits the page",
    "work_items": "opened again by whatever could not be decided",
    "idempotency": "answers of a day; without them a repeated request is taken for a new one, whose case is closed",
    "sealed_forms": "come with the records they stand for; one whose record is lost may be handed in again",
    "sealing_keys": "the vault knows its own keys; one the table lost is noted again, as if begun now",
    "reckonings": "the read reckons for itself; a new policy or a restore begins the index anew",
    "retention_state": "the sweeper's own memory: it looks again",
    "letters_taken": "letters of ten days; one that is handed over again is done again, as it was the first time",
    "campaigns": "what came after the copy is planned anew; its letters were asked about as they left",
    "notice_rounds": "a round begins anew: who wasn't told is looked for again",
    "notices": "who was told is in tellings; who wasn't is told by the next way",
    "service_notices": "who was told since the copy is told again: rather twice than never",
    "reconciling": "one row, made by migrating",
    "rows_gone": "lives as long as the ledger, which is not brought back",
    "root_rotations": "the keys know their own root",
    "unsealings": "one that is forgotten is noted again at most once, by its own file",
    "leases": "of processes that are gone",
    "migrations": "made by migrating",
    "control_changes": "on their way into the journal",
    "control_journal": "the journal's own head",
}


async def test_S6_no_table_is_forgotten(database: Database) -> None:
    async with database.connection() as connection:
        every = {row["relname"] for row in await connection.fetch(
            "select relname from pg_class where relnamespace = 'omonat'::regnamespace and relkind in ('r', 'p')"
        )}  # fmt: skip
        noted = {row["name"] for row in await connection.fetch(
            "select distinct tgrelid::regclass::text as name from pg_trigger where tgfoid = 'control_note'::regproc"
        )}  # fmt: skip
        kept = {row["name"] async for row in tables._queries.kept_tables(connection)}
    assert noted == UNDER
    assert every == UNDER | set(NOT_UNDER)
    assert kept == every - {"rates", "migrations", "reconciling"}


async def test_S6_a_statement_that_changes_many_rows_notes_each_that_counts_as_it_is_then(database: Database) -> None:
    """The tables that are written all day are noted by the statement: all its rows at once, and no other."""
    async with database.connection() as connection:
        await connection.execute("""
            insert into persons (id, slot, evidence_slot, language, created_at)
                select 'per_' || n, n, n, 'uz', now() from generate_series(1, 3000) n;
            update persons set told = 1, language = 'ru' where slot <= 2000;
            update persons set told = 1;
            update persons set told = 5 where slot > 3000;
            insert into choices
                select 'cho_' || n, 'per_' || n, case when n % 2 = 0 then 'consent' else 'acceptance' end, '', '',
                    'given', now(), 1, 'form', 'ev_1' from generate_series(1, 100) n;
            with left_by as (update persons set standing = '{"consents": {}}' where slot <= 2 returning id)
                insert into choices
                    select 'left_' || id, id, 'consent', 'p', '', 'withdrawn', now(), 2, 'mail', 'ev_2' from left_by;
            update persons set id = 'per_new' where id = 'per_3000';
        """)
        notes = await connection.fetch("select source, op, row from control_changes order by n")
    told, consents, last = notes[:3000], notes[3000:3050], notes[3050:]
    assert {note["row"]["id"] for note in told} == {f"per_{number}" for number in range(1, 3001)}
    assert {(note["source"], note["op"], note["row"]["told"]) for note in told} == {("persons", "put", 1)}
    assert {note["row"]["id"] for note in consents} == {f"cho_{number}" for number in range(2, 101, 2)}
    assert sorted((note["source"], note["op"], note["row"]["id"]) for note in last[:4]) == [
        ("choices", "put", "left_per_1"), ("choices", "put", "left_per_2"),
        ("persons", "put", "per_1"), ("persons", "put", "per_2"),
    ]  # fmt: skip
    assert all(note["row"]["standing"] == {"consents": {}} for note in last[:4] if note["source"] == "persons")
    assert [(note["op"], note["row"]["id"]) for note in last[4:]] == [("gone", "per_3000"), ("put", "per_new")]
    assert last[4]["row"] == {"id": "per_3000"}


async def test_S6_every_act_on_a_table_under_the_journal_has_its_notes(database: Database) -> None:
    """By any flow, also one that is written tomorrow: the statement itself notes it."""
    async with database.connection() as connection:
        await connection.execute("""
            insert into persons (id, slot, evidence_slot, language, created_at) values ('per_1', 1, 2, 'uz', now());
            update persons set language = 'ru';
            update persons set told = 1;
            insert into choices values ('cho_1', 'per_1', 'consent', 'p', '', 'given', now(), 1, 'form', 'ev_1');
            insert into choices values ('cho_2', 'per_1', 'acceptance', '', '', 'given', now(), 1, 'form', 'ev_1');
            insert into tellings values ('per_1', 1, 'email', now(), 'ev_2');
            insert into staff (id, ref, role, trained_until, profile, created_at)
                values ('stf_1', '1', 'courier', now(), 'x', now());
            update staff set failures = 1;
            update staff set role_until = now();
            delete from tellings;
        """)
        notes = await connection.fetch("select source, op from control_changes order by n")
    assert [(row["source"], row["op"]) for row in notes] == [
        ("persons", "put"), ("choices", "put"), ("tellings", "put"), ("staff", "put"), ("staff", "put"),
        ("tellings", "gone"),
    ]  # fmt: skip
