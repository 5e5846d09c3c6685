"""A house broken on purpose, in one place at a time: the promise is told as broken, and kept again once it is mended.

A probe that can't fail proves nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from msgspec import structs

from omonat.base.instants import DAY
from omonat.base.verdict import Allow, Verdict
from omonat.evidence.journal import Journal
from omonat.flows import admitting, children, clear_child, correct, send, using
from omonat.flows.confirm import Confirm
from omonat.pages import http
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import Normalised
from omonat.policy.words import VerifiedBy
from omonat.vault.vault import Vault
from tests.proving.conftest import Town

CONSENT = """new.standing := coalesce(new.standing, '{}'::jsonb) || '{"consents": {"marketing-email": 1}}'"""
_COUNT = "(select count(*) from jsonb_object_keys(coalesce({}.standing -> 'consents', '{{}}'::jsonb)))"
NO_WITHDRAWAL = f"if {_COUNT.format('old')} > {_COUNT.format('new')} then new.standing := old.standing; end if"


async def said(town: Town, promise: str, *words: str) -> None:
    """The promise is broken now, and what was seen names why."""
    found = await town.one(promise)
    assert found.state == "broken", (found.state, found.why, found.seen)
    for word in words:
        assert any(word in line for line in found.seen), found.seen


async def mended(town: Town, promise: str) -> None:
    found = await town.one(promise)
    assert found.state == "kept", (found.why, found.seen)


@asynccontextmanager
async def trigger(town: Town, table: str, when: str, does: str, returns: str = "new") -> AsyncIterator[None]:
    """Somebody with the database's password puts a trigger on a table."""
    await town.run(
        f"create function stub() returns trigger language plpgsql as $$ begin {does}; return {returns}; end $$"
    )
    await town.run(f"create trigger aa_stub before {when} on {table} for each row execute function stub()")
    try:
        yield
    finally:
        await town.run(f"drop trigger aa_stub on {table}; drop function stub()")


@asynccontextmanager
async def changed(target: object, **fields: Any) -> AsyncIterator[None]:
    """Somebody with a debugger changes what this process compiled."""
    before = {name: getattr(target, name) for name in fields}
    for name, value in fields.items():
        object.__setattr__(target, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(target, name, value)


async def form(town: Town, service: str, **fields: Any) -> MappingProxyType[str, Any]:
    """The forms of the policy in force, one of them changed."""
    forms = (await town.house.grounds.law.current()).forms
    return MappingProxyType({**forms, service: replace(forms[service], **fields)})


# In the database -----------------------------------------------------------------------------------------------------


async def test_C1_a_consent_nobody_gave_is_found(town: Town) -> None:
    async with trigger(town, "persons", "insert or update", CONSENT):
        await said(town, "C1", "marketing-email marketing: given")
        await said(town, "U5", "marketing-email marketing: given")
        await said(town, "P4", "consents: ['marketing-email']")
    await mended(town, "C1")


async def test_C2_a_withdrawal_that_is_dropped_is_found(town: Town) -> None:
    async with trigger(town, "persons", "update", NO_WITHDRAWAL):
        await said(town, "C2", "marketing-email: given, given")
        await said(town, "C3", "marketing-email: given, 200, given")
    await mended(town, "C3")


async def test_S4_a_case_that_never_closes_is_found(town: Town) -> None:
    async with trigger(town, "cases", "update", "new.closed_at := null"):
        await said(town, "S4", "closed case: 4")
    await mended(town, "S4")


async def test_S4_a_role_that_never_ends_is_found(town: Town) -> None:
    async with trigger(town, "staff", "insert or update", "new.role_until := 'infinity'"):
        await said(town, "S4", "role ended: 4")


async def test_B2_training_that_never_lapses_is_found(town: Town) -> None:
    async with trigger(town, "staff", "insert or update", "new.trained_until := 'infinity'"):
        await said(town, "B2", "lapsed: given")


async def test_B3_an_access_kept_from_the_person_is_found(town: Town) -> None:
    async with trigger(town, "ledger", "insert", "null", "null"):
        await said(town, "B3", "given: missing")


async def test_A2_a_complaint_with_a_later_deadline_or_without_its_letter_is_found(town: Town) -> None:
    async with trigger(town, "requests", "insert", "new.due_at := new.due_at + interval '30 days'"):
        await said(town, "A2", "account: deadline", "no account: deadline")
    async with trigger(town, "outbox", "insert", "if new.template = 'request-received' then return null; end if"):
        await said(town, "A2", "account: letters 0", "no account: letters 0")
    await mended(town, "A2")


async def test_K3_a_law_that_lists_a_payment_first_is_tried_by_what_an_officer_may_verify(town: Town) -> None:
    law = await town.house.grounds.law.current()
    (pack, *others) = law.packs
    form = pack.parental_consent["signed-form"]
    paid = {"payment": replace(form, id="payment", by=VerifiedBy.PAYMENT), **pack.parental_consent}
    async with changed(law, packs=(replace(pack, parental_consent=paid), *others)):
        await mended(town, "K3")


async def test_K3_images_an_age_does_not_close_or_a_parent_does_not_reopen_are_found(town: Town) -> None:
    async with trigger(town, "persons", "insert or update", "new.images_closed := null"):
        await said(town, "K3", "13-15: given", "one more: taken")
    async with trigger(
        town, "persons", "update", "new.images_closed := coalesce(new.images_closed, old.images_closed)"
    ):
        await said(town, "K3", "a parent agreed: images-need-parent")
    await mended(town, "K3")


async def test_Q1_a_channel_that_counts_unproved_and_a_value_that_stays_old_are_found(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_wrong(*_: object) -> None:
        return None

    with monkeypatch.context() as broken:
        broken.setattr(Confirm, "enter", never_wrong)
        await said(town, "Q1", "a wrong code")
    with monkeypatch.context() as broken:
        broken.setattr(correct, "CHANNELS", {})
        await said(town, "Q1", "changed without a code")
    async with trigger(town, "records", "insert", "new.collected_at := new.collected_at - interval '1 year'"):
        await said(town, "Q1", "its age")
    await mended(town, "Q1")


async def test_P2_somebody_counted_as_told_is_found(town: Town) -> None:
    async with trigger(town, "persons", "insert", "new.told := 99"):
        await said(town, "P2", "told 99")


async def test_P4_an_acceptance_that_is_forgotten_is_found(town: Town) -> None:
    async with trigger(town, "choices", "insert", "if new.kind = 'acceptance' then return null; end if"):
        await said(town, "P4", "acceptance: []")


async def test_R1_an_index_that_keeps_a_record_for_ever_is_found(town: Town) -> None:
    async with trigger(town, "records", "insert", "new.due_at := 'infinity'"):
        await said(town, "R1", "delivery: never")
    await mended(town, "R1")


async def test_P1_an_old_version_that_was_rewritten_is_found(town: Town) -> None:
    before = await town.value("select document from policies where ordinal = 1")
    await town.run("update policies set document = replace(document, 'keep: P6Y', 'keep: P9Y')")
    try:
        await said(town, "P1", "version 1")
    finally:
        await town.house.grounds.database.pool.execute("update policies set document = $1", before)
    await mended(town, "P1")


# In the policy a process compiled ------------------------------------------------------------------------------------


async def test_U1_a_grant_that_was_widened_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    asked = ("take-order", "counter", tuple(policy.items), None)
    grant, extra = policy.grant(*asked), "contact.postal-address"
    wider = replace(
        grant,
        allowed=(*grant.allowed, extra),
        withheld={item: reason for item, reason in grant.withheld.items() if item != extra},
        since_of={**grant.since_of, extra: 1},
    )
    policy._grants[asked] = wider
    await said(town, "U1", f"take-order counter {extra}: given")
    policy._grants[asked] = grant
    await mended(town, "U1")


async def test_U7_a_grant_that_was_narrowed_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    asked = ("take-payment", "finance", tuple(policy.items), None)
    grant = policy.grant(*asked)
    policy._grants[asked] = replace(grant, allowed=())
    await said(town, "U7", "take-payment finance transaction.amount: withheld")
    policy._grants[asked] = grant


async def test_L3_a_form_that_takes_what_nobody_needs_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    # A place waits for a grant besides, and what a camera records for somebody it is of.
    taken = tuple(name for name, item in policy.items.items() if name != "relationship.location" and item.voluntary)
    async with changed(policy, forms=await form(town, "delivery", optional=taken)):
        await said(town, "L3", "delivery contact.username: taken")
        await said(town, "D2", "delivery financial.card-brand: taken")
    await mended(town, "L3")


async def test_L2_a_service_given_without_what_it_needs_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    async with changed(policy, forms=await form(town, "delivery", required=())):
        await said(town, "L2", "contact.name: taken")


async def test_L1_an_optional_item_that_is_insisted_on_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = admitting.decide_collection

    def insisting(**facts: Any) -> Verdict:
        asked = facts["form"]
        return decide(**{**facts, "form": replace(asked, required=(*asked.required, *asked.optional[:1]))})

    with monkeypatch.context() as patch:
        patch.setattr(admitting, "decide_collection", insisting)
        await said(town, "L1", "registration: required-withheld")
    await mended(town, "L1")


async def test_T2_a_source_nobody_named_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    anywhere = (*policy.forms["delivery"].sources, *policy.policy.sources)
    async with changed(policy, forms=await form(town, "delivery", sources=anywhere)):
        await said(town, "T2", "delivery counter: taken")
    await mended(town, "T2")


async def test_K1_a_child_taken_in_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    async with changed(policy, child_under=0):
        await said(town, "K1", "registration relationship.birth-date: taken")
        await said(town, "P5", "child: 0")
    await mended(town, "K1")


async def test_K2_a_child_that_is_not_closed_is_found(town: Town) -> None:
    async with trigger(town, "persons", "update", "new.quarantined_at := old.quarantined_at"):
        await said(town, "K2", "deliver-order", "given")
    await mended(town, "K2")


async def test_K2_an_opening_by_a_way_no_law_lists_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(children, "decide_parental_consent", lambda *_facts, **_more: Allow())
        await said(town, "K2", "no-such-method: taken")
    with monkeypatch.context() as patch:
        patch.setattr(clear_child, "decide_clearing", lambda **_facts: Allow())
        await said(town, "K2", "proof of a child's age: taken")
    await mended(town, "K2")


async def test_X1_a_recipient_that_was_slipped_in_is_found(town: Town) -> None:
    policy = await town.house.grounds.law.current()
    public = policy.policy.recipients["public"]
    wider = replace(public, purposes=("service-notices",), items=("contact.email", "contact.mobile"))
    recipients = {**policy.policy.recipients, "public": wider}
    goes = {("public", "service-notices", item): 1 for item in wider.items}
    tables = replace(policy.tables, recipients={**policy.tables.recipients, **goes})
    async with changed(policy, policy=replace(policy.policy, recipients=recipients), tables=tables):
        found = await town.one("X0")  # not built: it is never told as kept, but may be told as broken
        assert found.state == "broken"
        await said(town, "X1", "public service-notices: ready")
    await mended(town, "X1")
    assert (await town.one("X0")).state == "not-built"


# In the program ------------------------------------------------------------------------------------------------------


async def test_R3_a_key_that_isnt_destroyed_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "destroy_slots", lambda _vault, _slots: None)
        await said(town, "R3", "opened after: 21 of 21", "keys destroyed: 0")
    await mended(town, "R3")


async def test_R3_a_read_that_overlooks_the_due_second_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(using, "decide_record", lambda *_facts: (Allow(), {}))
        await said(town, "R3", "newsletter contact.email: given, given")


async def test_S2_a_value_that_lies_open_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Vault.seal_section

    def leaky(vault: Vault, **given: Any) -> bytes:
        return seal(vault, **given) + str(given["items"]).encode()

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "seal_section", leaky)
        await said(town, "S2", "contact: ")
    await mended(town, "S2")


async def test_A3_an_answer_that_was_typed_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(CompiledPolicy, "needed_by", lambda *_asked: ("analytics",))
        await said(town, "A3", "contact.name")


async def test_D1_a_value_of_any_shape_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(CompiledPolicy, "normalise", lambda _policy, _item, value: Normalised(value))
        await said(town, "D1", "contact.name: taken")


async def test_N2_marketing_in_the_name_of_a_notice_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(send, "fits_purpose", lambda *_facts: Allow())
        await said(town, "N2", "service-notices marketing: ready")


async def test_N1_a_notice_on_record_otherwise_than_it_was_given_is_found(town: Town) -> None:
    async with trigger(town, "client_notices", "insert", "new.channel := 'meeting'"):
        await said(town, "N1", "at-contract: not on record")
    async with trigger(town, "client_notices", "insert", "new.receipt := 'omr1.' || repeat('A', 200)"):
        await said(town, "N1", "breach: not on record")
    await mended(town, "N1")


async def test_N1_what_is_owed_and_waits_for_nobody_is_found(town: Town) -> None:
    async with trigger(town, "work_items", "insert", "if new.rule = 'client-notice' then return null; end if"):
        await said(town, "N1", "at-contract: owed 1, work 0")
    await mended(town, "N1")


async def test_N1_a_procedure_that_was_changed_behind_everybodys_back_is_found(town: Town) -> None:
    before = await town.value("select steps::text from client_procedures")
    await town.run("update client_procedures set steps = jsonb_set(steps, '{0,within}', '900')")
    await said(town, "N1", "procedure 1: 3")
    await town.run(f"update client_procedures set steps = '{before}'")
    await mended(town, "N1")


async def test_N1_a_receipt_for_something_else_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real, first = Journal.append, list[Any]()

    async def confused(journal: Journal, *given: Any, **more: Any) -> Any:
        receipts = await real(journal, *given, **more)
        first.extend(receipts)
        return [structs.replace(one, batch=first[0].batch, position=first[0].position) for one in receipts]

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", confused)
        await said(town, "N1", "at-contract: receipt of another entry")
    await mended(town, "N1")


async def test_N1_without_a_procedure_nothing_is_told(town: Town) -> None:
    await town.run("update client_procedures set approved_by = null, approved_at = null")
    found = await town.one("N1")
    assert (found.state, found.why) == ("cannot-tell", "no-procedure")


async def test_T1_a_page_that_lets_others_in_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(http._ALWAYS, "content-security-policy", "default-src 'self' https://cdn.example")
        await said(town, "T1", "/page/privacy-policy 200: content-security-policy")
    await mended(town, "T1")


# Around it -----------------------------------------------------------------------------------------------------------


async def test_A1_a_flipped_byte_of_the_log_is_found(town: Town) -> None:
    await town.settle()
    bundle = next(file for file in (town.house.settings.log / "tile" / "entries").rglob("*") if file.is_file())
    before = bundle.read_bytes()
    bundle.write_bytes(before[:200] + bytes([before[200] ^ 1]) + before[201:])
    await said(town, "A1", "entries: ")
    bundle.write_bytes(before)
    await mended(town, "A1")


async def test_S5_a_home_open_to_others_is_found(town: Town) -> None:
    keys = town.house.settings.home / "keys"
    keys.chmod(0o755)
    await said(town, "S5", "unsafe")
    keys.chmod(0o700)


async def test_S5_a_machine_that_is_not_in_the_register_is_found(town: Town) -> None:
    await town.run("update places set ended_at = added_at where kind = 'host'")
    await said(town, "S5", "not in the register")
    await town.run("update places set ended_at = null where kind = 'host'")
    await mended(town, "S5")


async def test_S3_a_safeguard_found_broken_is_found(town: Town) -> None:
    await town.house.safeguards.review("server-room", kept=False, proof="Ariza 12", by="801")
    await said(town, "S3", "server-room: safeguard-broken")
    town.clock.forward(DAY)
    await town.house.safeguards.review("server-room", kept=True, proof="Ariza 13", by="801")
    await mended(town, "S3")


async def test_S6_a_drill_that_is_overdue_is_found(town: Town) -> None:
    before = town.clock.now
    town.clock.forward(200 * DAY)
    await said(town, "S6", "drill-overdue")
    await said(town, "S3", "drill-overdue")
    town.clock.now = before
