"""The look-up key is changed under the living without anybody being lost, and then erasures are final."""

from omonat.base.errors import Refused
from omonat.base.instants import DAY, MINUTE
from omonat.flows.erase import ErasureRequest
from tests.erasure.stories import acts, one, ordered, swept
from tests.erasure.test_erase import subscribed
from tests.erasure.test_sweep import found_by
from tests.flows.conftest import Shop


async def test_R3_an_erasure_is_final_once_no_look_up_key_finds_it_and_the_living_are_found_throughout(
    shop: Shop,
) -> None:
    vault = shop.house.grounds.vault
    gone, order, other = (
        await subscribed(shop),
        await ordered(shop),
        await ordered(shop, contact_mobile="+998901112233"),
    )
    old = await one(shop, "select digest from lookups where person = $1", gone.person)
    await shop.house.grounds.database.pool.execute(
        "update lookups set verified_at = since where person = $1", order.person
    )
    erasure = await shop.house.erase(ErasureRequest(person=gone.person))
    await swept(shop)
    assert (await shop.house.erase.show(erasure.id)).stage == "swept"
    assert await shop.house.sweeper.lookup_key.begin(by="operator") == 2
    assert await found_by(shop, "+998901234567") == order.person  # under the old key still
    late = await ordered(shop, contact_mobile="+998909998877")
    await shop.house.sweeper.round()
    assert await found_by(shop, "+998901234567") == order.person  # under the new one
    assert vault.oldest_lookup_epoch == 1  # somebody may still be writing under the old key
    shop.clock.forward(2 * MINUTE)
    await swept(shop)
    await swept(shop)  # the pass that had begun too early, and the one that counts
    assert vault.oldest_lookup_epoch == 2
    done = await shop.house.erase.show(erasure.id)
    assert (done.stage, done.final_at is not None) == ("final", True)
    assert (await shop.house.certify(erasure.id))["says"] == "final"
    for mobile, person in (
        ("+998901234567", order.person), ("+998901112233", other.person), ("+998909998877", late.person),
    ):  # fmt: skip
        assert await found_by(shop, mobile) == person
    assert await one(shop, "select count(*) from lookups where epoch = 1") == 0
    assert await one(shop, "select count(*) from lookups where verified_at is not null") == 1
    try:
        found = vault.lookup_digest("contact.email", "d@example.com", epoch=1) == old
    except Refused:
        found = False
    assert not found
    assert {"retention:lookups:begun", "retention:lookups:renewed", "retention:lookups:ended"} <= set(
        await acts(shop, "retention:lookups")
    )


async def test_R3_it_begins_by_itself_when_an_erasure_has_waited_a_month(shop: Shop) -> None:
    gone = await subscribed(shop)
    erasure = await shop.house.erase(ErasureRequest(person=gone.person))
    shop.clock.forward(29 * DAY)
    await swept(shop)
    assert shop.house.grounds.vault.lookup_epoch == 1
    shop.clock.forward(2 * DAY)
    await swept(shop)
    shop.clock.forward(2 * MINUTE)
    await swept(shop)
    assert (await shop.house.erase.show(erasure.id)).stage == "final"
    assert await swept(shop) == 0
    assert shop.house.grounds.vault.lookup_epoch == 2


async def test_Q1_somebody_signs_in_while_the_key_is_changed_and_an_older_number_still_opens_nothing(
    shop: Shop,
) -> None:
    order = await ordered(shop)
    await shop.house.sweeper.lookup_key.begin(by="operator")
    shop.clock.forward(MINUTE)
    await ordered(shop, person=order.person, contact_mobile="+998907776655")
    pool = shop.house.grounds.database.pool
    await shop.house.sign_in.ask("+998901234567", language="uz", caller="a")
    assert await pool.fetchval("select count(*) from outbox") == 0  # codes go to the newest number
    await shop.house.sign_in.ask("+998907776655", language="uz", caller="a")
    assert await pool.fetchval("select person from outbox") == order.person
