"""The certificate says what is true, no more, in three languages, with proofs the stand-alone verifier accepts."""

import asyncio
import json
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from omonat.base.ids import is_id
from omonat.base.instants import DAY
from omonat.evidence.entry import decode
from omonat.evidence.proofs import TlogProof
from omonat.evidence.sequencer import Sequencer
from omonat.flows.erase import Erase, ErasureRequest
from omonat.pages.certificate import certificate_pdf
from omonat.vault.commitments import commit
from tests.erasure.stories import closed, ordered
from tests.erasure.test_erase import Cut, cut_after, subscribed
from tests.erasure.test_holds import officers, placed
from tests.flows.conftest import Shop
from tests.paper.scanner import text_on

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "erasure-certificate.schema.json").read_text("utf-8"))

STAGES = {
    "uz": ("yashirilgan", "kalit yoʻq qilingan", "tozalangan", "yakuniy"),
    "ru": ("скрыто", "ключ уничтожен", "очищено", "окончательно"),
    "en": ("hidden", "key destroyed", "swept", "final"),
}
AT_NINE_OR_NOT = {
    "uz": ("2026-yil 22-noyabr, 09:00", "hali emas"),
    "ru": ("22 ноября 2026 г., 09:00", "ещё нет"),
    "en": ("22 November 2026, 09:00", "not yet"),
}


async def signed(shop: Shop) -> None:
    """Everything so far is under a checkpoint."""
    house = shop.house
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock)
    assert await sequencer.open()
    await sequencer.advance()


async def test_R3_every_stage_has_its_time_and_its_proof_and_the_person_can_open_them(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    await signed(shop)
    told = await shop.house.certify(erasure.id)
    Draft202012Validator(SCHEMA).validate(told)
    assert told["says"] == "content-final-look-up-pending"
    assert [stage["at"] is not None for stage in told["stages"]] == [True, True, True, False]
    assert {stay["reason"] for stay in told["stays"]} == {"dispute", "obligation"}
    assert {one["system"]: one["state"] for one in told["systems"]} == {
        "till": "open", "call-recorder": "open", "camera-recorder": "open",
    }  # fmt: skip
    for stage in told["stages"][:3]:
        proof = TlogProof.parse(told["proofs"][stage["evidence"]].encode())
        assert decode(proof.entry).facts["erasure"] == erasure.id
    (opening,) = told["openings"]
    salt = urlsafe_b64decode(opening["salt"] + "=")
    body = decode(TlogProof.parse(told["proofs"][opening["entry"]].encode()).entry)
    assert body.facts["person"] == commit(salt, opening["entry"], "person", order.person)


async def test_R3_nothing_is_said_before_it_is_true(shop: Shop) -> None:
    for steps, expected in ((0, "hidden"), (1, "hidden"), (2, "key-destroyed")):
        order = await subscribed(shop)
        with pytest.raises(Cut):
            await Erase(shop.house.grounds, reached=cut_after(steps))(ErasureRequest(person=order.person))
        (left,) = await shop.house.erase.of_person(order.person)
        told = await shop.house.certify(left.id)
        Draft202012Validator(SCHEMA).validate(told)
        assert told["says"] == expected, steps
        assert told["checkpoint"] is None
        assert (told["key-copies"] is None) == (expected == "hidden")


async def test_R2_a_hold_the_person_may_not_be_told_of_is_a_duty_to_them(shop: Shop) -> None:
    await officers(shop)
    order = await ordered(shop)
    await closed(shop, order)
    assert order.case is not None
    hold = await placed(shop, "case", order.case, may_tell=False)
    await shop.house.holds.approve(hold.id, by="902")
    shop.clock.forward(40 * DAY)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    told = await shop.house.certify(erasure.id)
    assert "hold" not in {stay["reason"] for stay in told["stays"]}
    inside = await shop.house.certify(erasure.id, for_person=False)
    assert "hold" in {stay["reason"] for stay in inside["stays"]}


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_R3_the_certificate_is_a_page_in_three_languages(shop: Shop, language: str) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    await signed(shop)
    await shop.house.systems.acknowledge(erasure.id, "till", by="operator")
    told = await shop.house.certify(erasure.id)
    assert is_id("ev", next(one["evidence"] for one in told["systems"] if one["system"] == "till"))
    law = shop.house.grounds.law.history()[-1]
    pdf = await asyncio.to_thread(certificate_pdf, told, language, law)
    assert pdf.startswith(b"%PDF-")
    assert pdf == certificate_pdf(told, language, law)  # the same facts, the same file


def close(text: str) -> str:
    """Without what stands between words: where a line ends on the page is no difference."""
    return "".join(text.split())


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_R3_the_page_says_of_each_stage_what_the_facts_say_and_no_more(shop: Shop, language: str) -> None:
    """One erasure that was cut off after its first stage, one that came through; read off the page itself."""
    cut_off = await subscribed(shop)
    with pytest.raises(Cut):
        await Erase(shop.house.grounds, reached=cut_after(0))(ErasureRequest(person=cut_off.person))
    (left,) = await shop.house.erase.of_person(cut_off.person)
    begun = await shop.house.certify(left.id)
    order = await ordered(shop)
    await closed(shop, order)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    await signed(shop)
    done = await shop.house.certify(erasure.id)
    law = shop.house.grounds.law.history()[-1]
    for told, other, reached in ((begun, done, 1), (done, begun, 3)):
        page = close(text_on(await asyncio.to_thread(certificate_pdf, told, language, law)))
        at_nine, not_yet = AT_NINE_OR_NOT[language]
        rows = [
            word + (at_nine + stage["evidence"] if number < reached else not_yet)
            for number, (word, stage) in enumerate(zip(STAGES[language], told["stages"], strict=True))
        ]
        assert close("".join(rows)) in page
        assert page.count(told["erasure"]) == 2  # at the head and at the foot
        assert other["erasure"] not in page
        signatures = page.count("localhost:8600/log/clock")
        assert signatures == (told["checkpoint"] is not None)
        assert close(told["checkpoint"] or "") in page  # the root all its entries lie under, and who signed it
