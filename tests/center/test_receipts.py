"""Each consent has a receipt: read as a page, kept as JSON-LD, proved without us (C1, C2, P5; ISO/IEC TS 27560)."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND, to_rfc3339
from omonat.evidence.verifier import OPENING, RECEIPT, Pinned, verify_consent
from omonat.flows.collect import CollectAnswer
from omonat.promises.choice.receipt import CONTEXT
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at, unfolded
from tests.center.test_stories import choose

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "consent-receipt.schema.json").read_text("utf-8"))
PURPOSE = "marketing-email"
ISO: Mapping[str, tuple[Any, ...]] = {
    "schema_version": ("dct:conformsTo",),
    "receipt_id": ("dpv:hasIdentifier",),
    "record_id": ("dpv:hasRecordOfActivity", "dct:identifier"),
    "pii_principal_id": ("dpv:hasRecordOfActivity", "dpv:hasDataSubject", "@id"),
    "privacy_notice": ("dpv:hasRecordOfActivity", "dpv:hasNotice", "@id"),
    "language": ("dpv:hasRecordOfActivity", "dpv:hasNotice", "dct:language"),
    "purpose": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasPurpose", "dct:title"),
    "purpose_type": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasPurpose", "@type", 0),
    "lawful_basis": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasLegalBasis"),
    "pii_information": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasPersonalData", 0, "dct:title"),
    "pii_type": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasPersonalData", 0, "@type", 0),
    "storage_locations": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasStorageCondition", 0),
    "retention_period": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasStorageCondition", -1),
    "recipient_third_parties": ("dpv:hasRecordOfActivity", "dpv:hasProcess", 0, "dpv:hasRecipient"),
    "jurisdiction": ("dpv:hasRecordOfActivity", "dpv:hasJurisdiction", 0),
    "withdrawal_method": ("dpv:hasRecordOfActivity", "dpv:hasConsentControl", 0, "dpv:isExercisedAt"),
    "pii_controllers": ("dpv:hasRecordOfActivity", "dpv:hasDataController"),
    "party_id": ("dpv:hasRecordOfActivity", "dpv:hasDataController", "@id"),
    "party_name": ("dpv:hasRecordOfActivity", "dpv:hasDataController", "dpv:hasName"),
    "party_address": ("dpv:hasRecordOfActivity", "dpv:hasDataController", "dpv:hasAddress"),
    "party_contact": ("dpv:hasRecordOfActivity", "dpv:hasDataController", "dpv:hasContact"),
    "party_type": ("dpv:hasRecordOfActivity", "dpv:hasDataController", "@type", 0),
    "event_time": ("dpv:hasRecordOfActivity", "dpv:hasConsentStatus", 0, "dpv:isIndicatedAtTime"),
    "event_state": ("dpv:hasRecordOfActivity", "dpv:hasConsentStatus", 0, "@type", 0),
    "event_type": ("dpv:hasRecordOfActivity", "dpv:hasConsentStatus", 0, "@type", 1),
    "entity_id": ("dpv:hasRecordOfActivity", "dpv:hasConsentStatus", 0, "dpv:isIndicatedBy"),
    "validity_duration": ("dpv:hasRecordOfActivity", "dpv:hasConsentStatus", 0, "dpv:hasDuration"),
}
"""Every mandatory field of ISO/IEC TS 27560:2023, and where the receipt has it."""


async def subscriber(center: Center) -> tuple[CollectAnswer, str]:
    """Somebody who ordered and wants the newsletter."""
    return await center.customer(items={"contact.email": "dilnoza@example.uz"}, consents={PURPOSE: True})


def at(told: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        told = told[step]
    return told


async def saved(center: Center, reader: Reader, place: int = 0) -> tuple[Mapping[str, Any], bytes]:
    """The receipt of this line of the history, from its page."""
    await center.checkpoint()
    await reader.go("/me/choices")
    link = reader.page.locator("ol.timeline a:has-text('Receipt')").nth(place)
    await reader.go(str(await link.get_attribute("href")))
    async with reader.page.expect_download() as coming:
        await reader.page.locator("main a:has-text('Save the receipt')").click()
    download = await coming.value
    assert download.suggested_filename.endswith(".jsonld")
    content = Path(await download.path()).read_bytes()
    return json.loads(content), content


async def test_C2_each_consent_has_a_receipt_that_says_what_the_standard_and_the_law_want(center: Center) -> None:
    order, phone = await subscriber(center)
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        told, content = await saved(center, reader)
        page = await reader.text()
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
    for field, path in ISO.items():
        assert at(told, path) or field == "recipient_third_parties", field
    (choice,) = [c for c in await center.house.my_data.choices(order.person) if c.kind == "consent"]
    assert at(told, ISO["event_time"]) == to_rfc3339(choice.at)
    assert at(told, ISO["purpose_type"]) == "dpv:DirectMarketing"
    assert at(told, ISO["pii_type"]) == "pd:EmailAddress"
    assert at(told, ISO["jurisdiction"]) == "loc:UZ"
    (law,) = told["omonat:law"]
    (pack,) = [p for p in (await center.house.grounds.law.current()).packs if p.pack == "uz"]
    assert pack.consent_form is not None
    assert [one["field"] for one in law["fields"]] == list(pack.consent_form.fields)
    assert law["source"] == pack.consent_form.source
    answers = {one["field"]: one["answer"] for one in law["fields"]}
    assert answers["operator-tax-id"] == "310000000"
    assert answers["subject-name"] == "Dilnoza Karimova"
    assert answers["duration"] == "until-withdrawn"
    for never_asked in ("transfer-to-third-parties", "cross-border-transfer", "public-dissemination"):
        assert answers[never_asked] is False
    for words in ("Dilnoza Karimova", "310000000", "You were not asked for it", "Newsletter by e-mail", "version 1"):
        assert words in page
    assert phone[4:] not in content.decode()


async def test_C2_a_receipt_proves_itself_with_the_file_the_keys_and_the_program_alone(
    center: Center, tmp_path: Path
) -> None:
    order, phone = await subscriber(center)
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        center.clock.forward(SECOND)
        await choose(reader, PURPOSE, "withdrawn")
        withdrawn, content = await saved(center, reader, 0)
        given, _ = await saved(center, reader, 1)
    assert at(withdrawn, ISO["event_state"]) == "dpv:ConsentWithdrawn"
    assert at(given, ISO["event_state"]) == "dpv:ConsentGiven"
    vkeys = [key.vkey for key in center.house.keys.pinned]
    (tmp_path / "receipt.jsonld").write_bytes(content)
    (tmp_path / "keys.txt").write_text("\n".join(vkeys), "utf-8")
    (tmp_path / "verifier.py").write_bytes(files("omonat.evidence").joinpath("verifier.py").read_bytes())
    command = [sys.executable, "-P", "verifier.py", "receipt.jsonld", "--keys", "keys.txt"]
    ran = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "INTACT" in ran.stdout
    assert f"person is {order.person}" in ran.stdout
    assert "not in the entry, so not proved" in ran.stdout
    pinned = Pinned.of(vkeys)
    for receipt in (withdrawn, given):
        assert verify_consent(json.dumps(receipt).encode(), pinned).code == 0
        assert "version-shown" in receipt["omonat:proof"]["proven"]
        for what, code, changed in _forged(receipt):
            assert verify_consent(json.dumps(changed).encode(), pinned).code == code, what
    for broken in (
        b"{",
        b"{}",
        b'{"omonat:proof": {}}',
        b'{"omonat:proof": 1}',
        content.replace(b"{", b'{"@id": "x",', 1),
    ):
        assert verify_consent(broken, pinned).code == RECEIPT


def _forged(receipt: Mapping[str, Any]) -> Iterator[tuple[str, int, Any]]:
    """The receipt with one thing changed in each."""
    stranger = "urn:omonat:person:per_" + "a" * 26
    for what, code, path, value in (
        ("purpose", RECEIPT, ("dpv:hasProcess", 0, "dpv:hasPurpose", "dct:identifier"), "survey"),
        ("state", RECEIPT, ("dpv:hasConsentStatus", 0, "@type", 0), "dpv:ConsentGiven"),
        ("state", RECEIPT, ("dpv:hasConsentStatus", 0, "@type", 0), "dpv:ConsentRefused"),
        ("time", RECEIPT, ("dpv:hasConsentStatus", 0, "dpv:isIndicatedAtTime"), "2026-12-01T00:00:00.000000Z"),
        ("version", RECEIPT, ("dpv:hasNotice", "dct:hasVersion"), "7"),
        ("one of two people", RECEIPT, ("dpv:hasDataSubject", "@id"), stranger),
    ):
        changed = deepcopy(dict(receipt))
        if what == "state":
            true = at(receipt, ISO["event_state"])
            if value == true or (value == "dpv:ConsentRefused" and true == "dpv:ConsentWithdrawn"):
                continue
        at(changed["dpv:hasRecordOfActivity"], path[:-1])[path[-1]] = value
        yield what, code, changed
    changed = deepcopy(dict(receipt))
    record = changed["dpv:hasRecordOfActivity"]
    record["dpv:hasDataSubject"]["@id"] = record["dpv:hasConsentStatus"][0]["dpv:isIndicatedBy"] = stranger
    yield "the person", OPENING, changed
    changed = deepcopy(changed)
    changed["omonat:proof"]["opening"]["value"] = stranger.rpartition(":")[2]
    yield "the person and the opening", OPENING, changed
    changed = deepcopy(dict(receipt))
    changed["omonat:proof"]["entry"] = "ev_" + "a" * 26
    yield "the entry", RECEIPT, changed


async def test_T1_the_context_of_a_receipt_is_whole_and_nothing_is_fetched(center: Center) -> None:
    order, phone = await center.customer(consents={PURPOSE: False})
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        told, _ = await saved(center, reader)
        assert {url.split("/me")[0].split("/static")[0] for url in reader.asked} <= {center.base}
    assert told["@context"] == CONTEXT
    assert isinstance(told["@context"], dict), "no address a reader would have to fetch"
    assert "@import" not in told["@context"]
    del told["@context"]
    prefixes = {name for name in CONTEXT if ":" not in name}
    for name in _names(told):
        assert name.startswith("@") or name.partition(":")[0] in prefixes, name
    assert at(told, ISO["event_state"]) == "dpv:ConsentRequestDeferred", "a box left empty is no refusal"


def _names(told: Any) -> Iterator[str]:
    """Every name that must be expanded by the context: keys, and types."""
    if isinstance(told, list):
        for each in told:
            yield from _names(each)
    elif isinstance(told, dict):
        for name, value in told.items():
            yield name
            if name == "@type":
                yield from [value] if isinstance(value, str) else value
            elif name not in ("omonat:law", "omonat:proof"):  # plain JSON by the context
                yield from _names(value)


async def test_C2_a_receipt_is_its_owner_s_and_there_is_none_for_what_is_no_consent(center: Center) -> None:
    order, phone = await subscriber(center)
    other, _ = await subscriber(center)
    mine, theirs = [await center.house.my_data.choices(person) for person in (order.person, other.person)]
    consents = [next(c for c in choices if c.kind == "consent") for choices in (mine, theirs)]
    acceptance = next(c for c in mine if c.kind == "acceptance")
    assert (await center.house.consent_receipts(order.person, consents[0].id)).event == "given"
    for wrong in (consents[1].id, acceptance.id, "cho_" + "a" * 26, "nonsense"):
        with pytest.raises(BadInput) as said:
            await center.house.consent_receipts(order.person, wrong)
        assert said.value.code == "choice-not-found"
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        assert await reader.go(f"/me/choices/{consents[1].id}") == 404
        assert await reader.go(f"/me/choices/{consents[1].id}/file") == 404


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_C2_the_receipt_reads_well_everywhere(center: Center, language: str) -> None:
    order, phone = await subscriber(center)
    choice = next(c for c in await center.house.my_data.choices(order.person) if c.kind == "consent")
    await center.checkpoint()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go(f"/me/choices/{choice.id}")
        await looked_at(reader.page, language)
        await unfolded(reader.page)
        await looked_at(reader.page, language)
