"""A parent pays, and only the provider's signed report of exactly that payment opens a child's data (K2)."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, MINUTE, SECOND
from omonat.base.settings import Settings
from omonat.base.verdict import Allow, Deny
from omonat.flows.parent_payments import Event
from omonat.flows.parent_question import Shown
from omonat.flows.payment_reports import Signed, provider_of
from omonat.flows.publish_policy import Publication
from omonat.hooks.sender import public_key
from omonat.house import open_house, set_up_doors
from omonat.promises.children.paying import Reported, Terms, decide_payment
from omonat.promises.messages import sealing_context, unpack
from tests.erasure.stories import acts, delivered, one, swept
from tests.flows.conftest import Clock, Shop, document, staffed
from tests.flows.test_children import packs_of, refused, signed
from tests.flows.test_parent_asks import PLUS, also_the_childs, asking, found, link, listing, told

PAY = """  payment:
    says: {uz: Toʻlov, ru: Платёж, en: A payment}
    source: "a test's own law"
    mark: U
    verified-by-counsel: false
    by: payment
    answer-within: P2D
"""
KEY = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
LINE = f"{public_key(KEY)} http://localhost:8650/pay 1000"


def paid_law() -> dict[str, str]:
    """The law of Uzbekistan, with messages and payments listed."""
    return listing(PLUS + PAY)


@pytest_asyncio.fixture(loop_scope="session")
async def paying(settings: Settings, clock: Clock) -> AsyncIterator[Shop]:
    """A shop with a payment provider, whose law lists payments."""
    async with open_house(msgspec.structs.replace(settings, parent_payments=LINE), clock=clock) as house:
        await house.publish(Publication(document=document(), packs=paid_law(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        yield await staffed(house, clock)


def sign(shop: Shop, said: bytes, *, key: Ed25519PrivateKey = KEY, late: int = 0) -> Signed:
    """What the provider sends, signed now."""
    at = str((shop.clock.now + late) // SECOND)
    signature = b64encode(key.sign(b".".join((b"rep_1", at.encode(), said)))).decode()
    return Signed("rep_1", at, f"v1a,{signature}", said)


async def agreed(shop: Shop, person: str, by: str, address: str = "+998901112233") -> tuple[str, Terms]:
    """A parent was asked and agreed to the notice: their link, and what they are to pay."""
    await shop.house.parent_asks.ask(asking(person, address, method="payment"), by=by)
    shop.clock.forward(SECOND)
    token = await link(shop, person, "parent-pay", -1)
    await shop.house.parent_payments.agree(token)
    return token, terms_in(await shop.house.parent_asks.show(token))


def terms_in(shown: Shown) -> Terms:
    """What the address of the payment page says."""
    page, _, query = shown.pay_at.partition("?")
    assert page == "http://localhost:8650/pay"
    said = dict(each.split("=") for each in query.split("&"))
    assert said.pop("lang") == "en"
    return Terms(ask=said["order"], total=int(said["amount"]), currency=said["currency"], notice=said["notice"])


async def report(shop: Shop, terms: Terms, payment: str = "pay_abcdefgh", event: Event = "payment.paid") -> bool:
    return await shop.house.parent_payments.report(sign(shop, b"{}"), event, payment, terms)


def test_K2_a_payment_counts_once_and_only_as_exactly_what_was_asked_for() -> None:
    terms = Terms(ask="pas_a", total=100_000, currency="UZS", notice="00")
    assert isinstance(decide_payment(terms, terms, None), Allow)

    def why(paid: Terms, shown: Terms | None, before: Reported | None = None) -> str:
        said = decide_payment(paid, shown, before)
        assert isinstance(said, Deny)
        return said.reasons[0].code

    assert why(terms, None) == "payment-unexpected"
    assert why(replace(terms, ask="pas_b"), terms) == "payment-unexpected"
    for other in (replace(terms, total=1), replace(terms, currency="USD"), replace(terms, notice="01")):
        assert why(other, terms) == "payment-differs"
    for ask in ("pas_a", "pas_b"):
        assert why(terms, terms, Reported(ask=ask, refunded=False)) == "payment-counted"
        assert why(terms, terms, Reported(ask=ask, refunded=True)) == "payment-refunded"


@pytest.mark.parametrize(
    "setting",
    [
        "", "x", LINE.replace("whpk_", "whsec_"), LINE.replace("http://localhost", "http://pay.example"),
        LINE.replace("1000", "0"), LINE.replace("1000", "10,5"), LINE.replace("/pay", "/pay?a=b"), f"{LINE} more",
        LINE.replace("whpk_", "whpk_A"),
    ],
)  # fmt: skip
def test_K2_a_provider_that_cannot_be_told_from_others_is_refused_at_the_start(setting: str) -> None:
    with pytest.raises(BadInput) as caught:
        provider_of(setting)
    assert caught.value.code == "payments-misconfigured"
    assert provider_of(None) is None


async def test_K2_a_payment_with_its_notice_opens_a_childs_data_and_the_parent_gets_a_statement(paying: Shop) -> None:
    shop, asks = paying, paying.house.parent_asks
    child, by = await found(shop)
    await asks.ask(asking(child.person, method="payment"), by=by)
    token = await link(shop, child.person, "parent-pay")
    before = await asks.show(token)
    assert (before.total, before.pay_at) == (100_000, ""), "no way to the payment before the notice is agreed to"
    await shop.house.parent_payments.agree(token)
    shown = await asks.show(token)
    terms = terms_in(shown)
    assert await refused(shop, child) == "person-quarantined", "agreeing opens nothing"
    assert await report(shop, terms)
    assert (await delivered(shop, child)).items
    assert await report(shop, terms), "reported twice, agreed once"
    assert await one(shop, "select count(*) from guardian_consents") == 1
    row = await shop.house.grounds.database.pool.fetchrow(
        "select o.id, o.sealed, o.facts, p.slot from outbox o join persons p on p.id = o.person"
        " where template = 'parent-paid'"
    )
    assert row is not None
    statement = unpack(shop.house.grounds.vault.open_value(sealing_context(row["id"]), row["sealed"], slot=row["slot"]))
    assert statement["payment"] == "pay_abcdefgh"
    assert row["facts"]["total"] == 100_000
    shop.clock.forward(SECOND)
    await asks.take_back(str(statement["link"]))
    assert await refused(shop, child) == "person-quarantined"
    assert await told(report(shop, terms)) == "payment-counted", "a report that is sent again opens nothing again"
    assert await acts(shop, "guardian:") == [
        "guardian:ask:written", "guardian:ask:shown", "guardian:consent:given", "guardian:consent:withdrawn",
    ]  # fmt: skip
    shop.clock.forward(3 * DAY)
    await swept(shop)
    assert await one(shop, "select cause from erasures") == "child"


async def test_K2_a_report_that_is_forged_changed_or_old_is_nobodys(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    _, terms = await agreed(shop, child.person, by)
    payments, good = shop.house.parent_payments, sign(shop, b"{}")
    for bad in (
        sign(shop, b"{}", key=Ed25519PrivateKey.generate()),
        sign(shop, b"{}", late=-6 * MINUTE),
        sign(shop, b"{}", late=6 * MINUTE),
        Signed(good.id, good.at, good.signatures, b"{ }"),
        Signed("rep_2", good.at, good.signatures, good.body),
        Signed(good.id, good.at, good.signatures.replace("v1a,", "v1,"), good.body),
        Signed(good.id, good.at, "", good.body),
        Signed(good.id, "", good.signatures, good.body),
        Signed(good.id, good.at, "v1a,a", good.body),
    ):
        assert await told(payments.report(bad, "payment.paid", "pay_abcdefgh", terms)) == "payment-unsigned"
    assert await refused(shop, child) == "person-quarantined"
    assert await one(shop, "select count(*) from parent_payments") == 0
    again = Signed(good.id, good.at, f"v1,x v1a,a {good.signatures}", good.body)
    assert await payments.report(again, "payment.paid", "pay_abcdefgh", terms), "one of several is enough"


async def test_K2_another_amount_notice_or_question_is_somebody_elses_payment(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    _, terms = await agreed(shop, child.person, by)
    other, _ = await found(shop, **{"contact.mobile": "+998907776655"})
    _, theirs = await agreed(shop, other.person, by, "+998901112244")
    assert terms.notice != theirs.notice
    for wrong in (
        replace(terms, total=terms.total - 1),
        replace(terms, currency="USD"),
        replace(terms, notice=theirs.notice),
        replace(theirs, notice=terms.notice),
        replace(terms, ask=theirs.ask),
    ):
        assert await told(report(shop, wrong)) == "payment-differs"
    assert await told(report(shop, replace(terms, ask="pas_" + "a" * 26))) == "payment-unexpected"
    assert await one(shop, "select count(*) from parent_payments") == 0
    assert await report(shop, terms)
    assert await told(report(shop, theirs)) == "payment-counted", "one payment is not paid for two children"
    assert await refused(shop, other) == "person-quarantined"


async def test_K2_a_payment_that_went_back_is_no_consent_before_or_after(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    token, terms = await agreed(shop, child.person, by)
    assert not await report(shop, terms, "pay_firstone", "payment.refunded")
    assert await told(report(shop, terms, "pay_firstone")) == "payment-refunded"
    assert await refused(shop, child) == "person-quarantined"
    assert await report(shop, terms, "pay_secondone")
    assert (await delivered(shop, child)).items
    shop.clock.forward(SECOND)
    assert not await report(shop, terms, "pay_secondone", "payment.refunded")
    assert await refused(shop, child) == "person-quarantined"
    assert not await report(shop, terms, "pay_secondone", "payment.refunded"), "said twice, it went back once"
    assert await told(report(shop, terms, "pay_secondone")) == "payment-refunded"
    assert await told(shop.house.parent_asks.show(token)) == "parent-link-over"
    last = (await acts(shop, "guardian:"))[-3:]
    assert last[0] == "guardian:consent:given"
    assert set(last[1:]) == {"guardian:payment:refunded", "guardian:consent:withdrawn"}, "of one instant, in no order"


async def test_K2_a_notice_that_would_say_something_else_by_now_is_agreed_to_anew(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    token, terms = await agreed(shop, child.person, by)
    pool = shop.house.grounds.database.pool
    gone = await pool.execute("delete from sections where person = $1 and category <> 'contact'", child.person)
    assert gone != "DELETE 0"
    assert (await shop.house.parent_asks.show(token)).pay_at == ""
    assert await told(report(shop, terms)) == "payment-differs"
    await shop.house.parent_payments.agree(token)
    anew = terms_in(await shop.house.parent_asks.show(token))
    assert anew.notice != terms.notice
    assert await told(report(shop, terms)) == "payment-differs"
    assert await report(shop, anew)


async def test_K2_pressed_without_end_the_button_writes_one_entry(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    token, terms = await agreed(shop, child.person, by)
    for _ in range(3):
        await shop.house.parent_payments.agree(token)
    assert await acts(shop, "guardian:ask:shown") == ["guardian:ask:shown"]
    pool = shop.house.grounds.database.pool
    await pool.execute("update parent_asks set shown = 20, notice = 'x' where id = $1", terms.ask)
    assert await told(shop.house.parent_payments.agree(token)) == "parent-link-over"
    assert await acts(shop, "guardian:ask:shown") == ["guardian:ask:shown"]


async def test_K2_a_payment_for_an_address_the_child_gave_as_its_own_since_opens_nothing(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    _, terms = await agreed(shop, child.person, by)
    await also_the_childs(shop, child.person, "+998901112233")
    assert await told(report(shop, terms)) == "parent-address-childs"
    assert await one(shop, "select count(*) from parent_payments") == 0
    assert await refused(shop, child) == "person-quarantined"


@pytest.mark.parametrize("taken_back_by", ["link", "officer", "refund"])
async def test_K2_what_one_parent_takes_back_another_one_who_agreed_before_doesnt_open_again(
    paying: Shop, taken_back_by: str
) -> None:
    shop, asks, payments = paying, paying.house.parent_asks, paying.house.parent_payments
    child, by = await found(shop)
    _, fathers = await agreed(shop, child.person, by)
    mother, mothers = await agreed(shop, child.person, by, "+998901112244")
    await asks.ask(asking(child.person, "ota@example.uz"), by=by)
    assert await report(shop, mothers)
    shop.clock.forward(SECOND)
    if taken_back_by == "link":
        await asks.take_back(mother)
    elif taken_back_by == "officer":
        await shop.house.children.take_back(child.person, by=by)
    else:
        assert not await report(shop, mothers, event="payment.refunded")
    assert await told(report(shop, fathers, "pay_fathers1")) == "payment-unexpected"
    assert await refused(shop, child) == "person-quarantined"
    assert {each.state for each in await asks.of(child.person)} == {"stopped", "withdrawn"}
    assert await one(shop, "select count(*) from outbox where template <> 'parent-paid'") == 0
    assert await one(shop, "select count(*) from parent_asks where address is not null") == 0
    await payments.agree((await agreed(shop, child.person, by))[0])


@pytest.mark.parametrize("ending", ["over", "stopped", "refused"])
async def test_K2_too_late_or_after_a_no_a_payment_opens_nothing(paying: Shop, ending: str) -> None:
    shop, asks = paying, paying.house.parent_asks
    child, by = await found(shop)
    token, terms = await agreed(shop, child.person, by)
    if ending == "over":
        shop.clock.forward(2 * DAY)
    elif ending == "stopped":
        await asks.stop(terms.ask, by=by)
    else:
        await asks.refuse(token)
    assert await told(report(shop, terms)) == "payment-unexpected"
    assert await refused(shop, child) == "person-quarantined"


async def test_K2_nobody_pays_by_a_message_and_nobody_confirms_a_payment_by_one(paying: Shop) -> None:
    shop, asks = paying, paying.house.parent_asks
    child, by = await found(shop)
    token, _ = await agreed(shop, child.person, by)
    assert await told(asks.answer(token)) == "consent-method-refused"
    assert await told(shop.house.children.agree(signed(child.person, "payment"), by=by)) == "consent-method-refused"
    await asks.ask(asking(child.person, "ota@example.uz"), by=by)
    assert await told(shop.house.parent_payments.agree(await link(shop, child.person))) == "consent-method-refused"


async def test_K2_without_a_provider_or_a_law_that_lists_it_nobody_is_asked_to_pay(shop: Shop) -> None:
    assert "payment" in {each for pack in packs_of("us-coppa") for each in pack.parental_consent}
    child, by = await found(shop)
    asks, terms = shop.house.parent_asks, Terms(ask="pas_" + "a" * 26, total=1, currency="UZS", notice="0" * 64)
    assert await told(asks.ask(asking(child.person, method="payment"), by=by)) == "consent-method-refused"
    assert await told(report(shop, terms)) == "payments-not-set-up"
    listed = Publication(document=second(), packs=paid_law(), author="staff:1", approver="staff:2")
    await shop.house.publish(listed)
    shop.clock.forward(MINUTE)
    assert await told(asks.ask(asking(child.person, method="payment"), by=by)) == "payments-not-set-up"


async def test_K2_the_law_is_asked_once_more_when_the_payment_arrives(paying: Shop) -> None:
    shop = paying
    child, by = await found(shop)
    _, terms = await agreed(shop, child.person, by)
    stricter = Publication(document=second(), packs=listing(), author="staff:1", approver="staff:2")
    await shop.house.publish(stricter)
    shop.clock.forward(MINUTE)
    assert await told(report(shop, terms)) == "consent-method-refused"
    assert await refused(shop, child) == "person-quarantined"


def second() -> str:
    """The policy, once more."""
    return document().replace('version: "1"', 'version: "2"', 1)
