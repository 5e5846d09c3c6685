"""Sealed forms: taken in once, as of when they were filled in, with every refusal of a collection."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import BadInput, Refused
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, to_rfc3339
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.reconcile import Reconcile
from omonat.flows.sealed_forms import Batch, SealedForm, read_batch
from omonat.flows.use import UseRequest
from omonat.vault.encoding import bytes_of, frame, text_of
from omonat.vault.sealing import form_info
from tests.flows.conftest import Shop, document, packs
from tests.offline.conftest import Device, acts, changed, count, device_of

ACCOUNT = {"contact.name": "Dilnoza Karimova", "contact.mobile": "+998901234567", "relationship.age-band": "35-44"}


async def test_S1_a_sealed_form_is_taken_in_as_of_when_it_was_filled_in_and_its_data_is_used(
    shop: Shop, device: Device
) -> None:
    then = shop.clock.now
    form = await device.seal(case="order:d-1")
    assert "Dilnoza" not in str(form)
    shop.clock.forward(2 * DAY)
    (taken,) = await device.hand_in(form)
    assert (taken.state, taken.error) == ("taken", None)
    async with shop.house.grounds.database.connection() as connection:
        row = await connection.fetchrow("select collected_at, source, case_id, version from records")
    assert (row["collected_at"], row["source"], row["case_id"], row["version"]) == (then, "call-centre", "order:d-1", 1)
    used = await shop.house.use(
        UseRequest(
            credential=shop.credentials["panel"], purpose="take-order", case="order:d-1", on_behalf_of="301",
            items=("contact.name",),
        )
    )  # fmt: skip
    assert used.items == {"contact.name": "Dilnoza Karimova"}
    (facts,) = await acts(shop, "collect:record:accepted")
    assert (facts["collected-at"], facts["form"], facts["client"]) == (then, form.id, device.id)


async def test_S1_the_same_form_again_by_any_way_is_answered_as_before(shop: Shop, device: Device) -> None:
    forms = [await device.seal() for _ in range(3)]
    first = await device.hand_in(*forms)
    batch = read_batch(json.dumps(_as_json(device, forms)).encode())
    again = await shop.house.sealed_forms(batch)
    assert [each.state for each in first] == ["taken"] * 3
    assert [(each.state, each.entry) for each in again] == [("repeated", each.entry) for each in first]
    assert await count(shop, "records") == 3
    assert await acts(shop, "collect:record:refused") == []


async def test_S1_two_ways_at_once_take_each_form_in_once(shop: Shop, device: Device) -> None:
    forms = [await device.seal() for _ in range(8)]
    ways = await asyncio.gather(*(device.hand_in(*order) for order in (forms, forms[::-1], forms[3:] + forms[:3])))
    states = {form.id: [each.state for way in ways for each in way if each.id == form.id] for form in forms}
    assert all(sorted(each) == ["repeated", "repeated", "taken"] for each in states.values())
    assert await count(shop, "records") == len(await acts(shop, "collect:record:accepted")) == 8
    assert await acts(shop, "collect:record:refused") == []


async def test_S1_what_one_form_is_cannot_be_made_another(shop: Shop, device: Device) -> None:
    """The same sealed bytes under another id, device, service, time, notice or key."""
    form, other = await device.seal(), await device_of(shop, "kiosk-2")
    sealed = _sealed(form)
    moved = [
        device.resigned(changed(form, id=new_id("sfm")), sealed),
        device.resigned(changed(form, made_at=to_rfc3339(Instant(shop.clock.now + SECOND))), sealed),
        device.resigned(changed(form, service="registration", form=(await device.seal("registration")).form), sealed),
    ]
    told = [each for one in moved for each in await device.hand_in(one)]
    assert [(each.state, each.error and each.error.code) for each in told] == [("refused", "sealed-form-changed")] * 3
    (stolen,) = await other.hand_in(other.resigned(form, sealed))
    assert stolen.error is not None
    assert stolen.error.code == "sealed-form-changed"
    assert await count(shop, "records") == 0
    assert [facts["code"] for facts in await acts(shop, "collect:form:refused")] == ["sealed-form-changed"] * 4


async def test_S1_what_the_device_did_not_sign_is_refused_and_fills_no_log(shop: Shop, device: Device) -> None:
    form, stranger = await device.seal(), await device_of(shop, "kiosk-2")
    for one in (
        changed(form, signature=text_of(bytes(64))),
        changed(form, signature="?"),
        changed(form, sealed=form.sealed[:-4] + "AAAA"),
        changed(form, id=new_id("sfm")),
        changed(form, made_at="2026-11-22T04:00:00.000001Z"),
    ):
        (told,) = await device.hand_in(one)
        assert told.error is not None
        assert told.error.code == "form-signature-wrong"
    (told,) = await stranger.hand_in(form)
    assert told.error is not None
    assert await acts(shop, "collect:form:refused") == []
    with pytest.raises(Refused) as unknown:
        await shop.house.sealed_forms(changed_batch(device, form, new_id("omk")))
    assert unknown.value.code == "device-unknown"


async def test_S1_a_device_whose_credential_ended_hands_nothing_in_any_more(shop: Shop, device: Device) -> None:
    form = await device.seal()
    await shop.house.clients.end(name="kiosk-1")
    with pytest.raises(Refused) as refused:
        await device.hand_in(form)
    assert refused.value.code == "device-unknown"
    await shop.house.clients.issue(name="kiosk-1", source="call-centre", roles=["system"])
    with pytest.raises(Refused):  # a new credential begins a new device
        await device.hand_in(form)


async def test_S4_a_device_is_set_up_once_and_with_a_credential_that_may_collect(shop: Shop, device: Device) -> None:
    await shop.house.devices.set_up(device.credential, device.public)  # the same again: nothing
    with pytest.raises(Refused) as other:
        await shop.house.devices.set_up(device.credential, bytes(31) + b"\x01")
    assert other.value.code == "device-set-up"
    (facts,) = await acts(shop, "client:device:set-up")
    assert facts["client"] == device.id
    credential = await shop.house.clients.issue(name="odd", source="nowhere", roles=["system"])
    with pytest.raises(Refused) as nowhere:
        await shop.house.devices.set_up(parse_credential(credential), device.public)
    assert nowhere.value.code == "source-without-forms"


async def test_S1_a_form_is_neither_of_the_future_nor_older_than_the_setting_allows(shop: Shop, device: Device) -> None:
    now = shop.clock.now
    soon = await device.seal(made_at=Instant(now + 6 * MINUTE))
    fast = await device.seal(made_at=Instant(now + 4 * MINUTE))
    old = await device.seal(made_at=Instant(now - 7 * DAY))
    just = await device.seal(made_at=Instant(now - 7 * DAY + SECOND))
    stale = await device.seal(shown_at=Instant(now - 8 * DAY), made_at=Instant(now - HOUR))
    told = await device.hand_in(soon, fast, old, just, stale)
    assert [each.error and each.error.code for each in told] == [
        "form-of-the-future", None, "form-too-old", None, "form-expired",
    ]  # fmt: skip
    async with shop.house.grounds.database.connection() as connection:
        latest = await connection.fetchval("select max(collected_at) from records")
    assert latest == now  # a clock that runs ahead makes nothing of tomorrow


async def test_K1_every_refusal_of_collecting_holds_and_says_no_value(shop: Shop, device: Device) -> None:
    items = shop.order_items()
    forms = {
        "child": await device.seal("registration", case=None, items=ACCOUNT | {"relationship.age-band": "under-14"}),
        "item-not-collected": await device.seal(items=items | {"relationship.gender": "female"}),
        "required-withheld": await device.seal(items={k: v for k, v in items.items() if k != "contact.name"}),
        "source-not-named": await device.seal("survey", case=None, items={}),
        "value-malformed": await device.seal(items=items | {"contact.mobile": "+99890"}),
        "item-waits-for-consent": await device.seal("registration", case=None, items=ACCOUNT | {
            "relationship.preferences": ["osh"],
        }),
        "sealed-form-malformed": await device.seal(more="unheard of"),
        "case-needed": await device.seal(case=None),
    }  # fmt: skip
    told = await device.hand_in(*forms.values())
    assert [each.error and each.error.code for each in told] == list(forms)
    assert all(each.state == "refused" for each in told)
    assert not any("9989" in str(each.error.about) for each in told if each.error)
    assert await count(shop, "records") == await count(shop, "persons") == await count(shop, "sealed_forms") == 0
    noted = await acts(shop, "collect:form:refused") + await acts(shop, "collect:record:refused")
    assert sorted(facts["code"] for facts in noted) == sorted(forms)
    assert {facts["form"] for facts in noted} == {form.id for form in forms.values()}


async def test_K1_who_was_a_child_when_the_form_was_filled_in_is_refused_though_older_now(
    shop: Shop, device: Device
) -> None:
    then = shop.clock.now
    born = "2013-11-24"  # thirteen in two days
    form = await device.seal("registration", case=None, items=ACCOUNT | {"relationship.birth-date": born})
    shop.clock.forward(3 * DAY)
    (told,) = await device.hand_in(form)
    assert told.error is not None
    assert told.error.code == "child", then


async def test_C2_a_yes_that_comes_late_does_not_undo_a_no_said_since(shop: Shop, device: Device) -> None:
    answer = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="order", items=shop.order_items(), version="1",
            consents={"marketing-sms": False}, case="order:late", accepted=True,
        )
    )  # fmt: skip
    shop.clock.forward(HOUR)
    says = {"case": "order:late", "consents": {"marketing-sms": True}}
    yes = await device.seal(**says)
    waiting = await device.seal(
        "registration", case="order:late", items=ACCOUNT | {"relationship.preferences": ["osh"]},
        consents={"personalisation": True},
    )  # fmt: skip
    shop.clock.forward(HOUR)
    for purpose in ("marketing-sms", "personalisation"):
        for state in ("given", "withdrawn"):
            await shop.house.choose(Choosing(person=answer.person, kind="consent", purpose=purpose, state=state))
            shop.clock.forward(SECOND)
    told = await device.hand_in(yes, waiting)
    assert [each.error and each.error.code for each in told] == [None, "item-waits-for-consent"]
    async with shop.house.grounds.database.connection() as connection:
        standing = await connection.fetchval("select standing from persons where id = $1", answer.person)
    assert standing["consents"] == {}
    late = (await acts(shop, "collect:record:accepted"))[-1]
    assert late["overtaken"] == ["marketing-sms"]
    assert "consents" not in late
    newer = await device.seal(**says)
    await device.hand_in(newer)
    async with shop.house.grounds.database.connection() as connection:
        standing = await connection.fetchval("select standing from persons where id = $1", answer.person)
    assert standing["consents"] == {"marketing-sms": 1}
    assert await Reconcile(shop.house.grounds).rows() == []  # rows, entries, choices and standing agree


async def test_S1_a_case_closed_meanwhile_refuses_its_form(shop: Shop, device: Device) -> None:
    form = await device.seal(case="order:gone")
    await shop.house.cases.put(PutCase(credential=shop.credentials["site"], case="order:gone"))
    await shop.house.cases.event(CaseEvent(credential=shop.credentials["site"], case="order:gone", name="case-closed"))
    (told,) = await device.hand_in(form)
    assert told.error is not None
    assert told.error.code == "no-open-case"


async def test_P4_the_version_that_was_shown_counts(shop: Shop, device: Device) -> None:
    form = await device.seal()
    shop.clock.forward(DAY)
    await _second_version(shop)
    shop.clock.forward(DAY)
    (told,) = await device.hand_in(form)
    assert told.state == "taken"
    async with shop.house.grounds.database.connection() as connection:
        assert await connection.fetchval("select version from records") == 1


async def test_S1_an_older_key_opens_until_its_term_is_over_and_is_then_destroyed(shop: Shop, device: Device) -> None:
    keys, vault = shop.house.sealing_keys, shop.house.grounds.vault
    before = await device.seal()
    shop.clock.forward(HOUR)
    renewed = await keys.renew()
    assert (before.key, renewed.number, renewed.until) == (1, 2, None)
    shop.clock.forward(6 * DAY)
    late, newest = await device.seal(), await device.seal(made_at=Instant(shop.clock.now - 1))
    assert [each.state for each in await device.hand_in(before, newest)] == ["taken", "taken"]
    assert await keys.end_due() == 0
    old = device.sign(changed(late, key=1), b"{}", (await keys.every())[0].public)
    shop.clock.forward(DAY)
    (told,) = await device.hand_in(old)
    assert told.error is not None
    assert told.error.code == "sealing-key-over"
    assert (await keys.end_due(), await keys.end_due()) == (1, 0)
    with pytest.raises(Refused) as gone:
        vault.open_form(1, _sealed(before), device.info(before))
    assert gone.value.code == "key-destroyed"
    begun, ended = await acts(shop, "sealing:key:begun"), await acts(shop, "sealing:key:destroyed")
    assert [facts["key"] for facts in begun] == [1, 2]
    assert begun[1]["public"] == text_of(renewed.public)
    assert ended == [{"key": 1}]


async def test_S6_a_key_the_table_lost_is_noted_again(shop: Shop, device: Device) -> None:
    form = await device.seal()
    await shop.house.sealing_keys.renew()
    async with shop.house.grounds.database.connection() as connection:
        await connection.execute("delete from sealing_keys")
    assert [key.number for key in await shop.house.sealing_keys.every()] == [1, 2]
    assert (await device.hand_in(form))[0].state == "taken"


async def test_R1_what_is_remembered_of_a_form_goes_when_it_is_too_old_anyway(shop: Shop, device: Device) -> None:
    form = await device.seal()
    await device.hand_in(form)
    shop.clock.forward(31 * DAY)
    await shop.house.sealed_forms.drop_old()
    assert await count(shop, "sealed_forms") == 1
    shop.clock.forward(2 * DAY)
    await shop.house.sealed_forms.drop_old()
    assert await count(shop, "sealed_forms") == 0
    assert (await device.hand_in(form))[0].state == "refused"
    assert await count(shop, "records") == 1


async def test_S1_another_form_of_the_same_id_is_refused(shop: Shop, device: Device) -> None:
    first = await device.seal()
    await device.hand_in(first)
    (told,) = await device.hand_in(await device.seal(id=first.id))
    assert told.error is not None
    assert told.error.code == "form-id-reused"
    assert await count(shop, "records") == 1


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[" * 5000, b"\xff", b'{"format":"omonat-sealed-forms/1","device":"x","forms":[]}']
)
def test_S1_what_is_no_batch_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read_batch(raw)
    assert refused.value.code == "batch-malformed"


_WORDS = st.text(max_size=20)


@given(
    st.lists(
        st.tuples(_WORDS, _WORDS, _WORDS, _WORDS, _WORDS, st.integers(0, 2**40)), min_size=2, max_size=2, unique=True
    )
)
@settings(max_examples=200, deadline=None)
def test_S1_no_two_forms_are_bound_to_the_same_bytes(both: list[tuple[str, str, str, str, str, int]]) -> None:
    one, other = (
        form_info("ins", key=key, id=id, device=device, service=service, form=form, made_at=made_at)
        for id, device, service, form, made_at, key in both
    )
    assert one != other
    assert frame("omonat/sealed-form/v1", "ins") != one[: len(frame("omonat/sealed-form/v1", "in"))]


def _as_json(device: Device, forms: list[SealedForm]) -> dict[str, Any]:
    return {
        "format": "omonat-sealed-forms/1",
        "device": device.id,
        "forms": [msgspec.to_builtins(form) for form in forms],
    }


def changed_batch(device: Device, form: SealedForm, named: str) -> Batch:
    return read_batch(json.dumps(_as_json(device, [form]) | {"device": named}).encode())


def _sealed(form: SealedForm) -> bytes:
    return bytes_of(form.sealed)


async def _second_version(shop: Shop) -> None:
    text = document().replace('version: "1"', 'version: "2"', 1)
    await shop.house.publish(Publication(document=text, packs=packs(), author="staff:1", approver="staff:2"))
