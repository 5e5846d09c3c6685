"""At the Desk's door (S4): guessing in parallel, old codes, a forgotten session, a colleague's name, a row moved."""

import asyncio

import pyotp
import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, MINUTE, SECOND, Instant
from omonat.flows.staff import Registration
from tests.adversary.conftest import acts, ordered
from tests.flows.conftest import Shop

PASSWORD = "to‘rt oddiy so‘z birga"


async def registered(shop: Shop, ref: str = "301", login: str = "nilufar") -> str:
    """A staff member who can sign in; the one-time code secret comes back."""
    until = Instant(shop.clock.now + 365 * DAY)
    await shop.house.staff.put(
        Registration(ref=ref, name=f"Xodim {ref}", role="counter", trained_until=until, login=login), by="test"
    )
    return await shop.house.staff.set_secrets(ref, PASSWORD)


def code(shop: Shop, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(shop.clock.now // (30 * SECOND) + steps)


async def tried(shop: Shop, password: str, given: str, login: str = "nilufar", caller: str = "192.0.2.7") -> str:
    try:
        await shop.house.staff.sign_in(login, password, given, caller=caller)
    except Refused as refusal:
        return refusal.code
    return "in"


async def test_S4_sixteen_guesses_at_once_are_five_guesses(shop: Shop) -> None:
    secret = await registered(shop)
    right = code(shop, secret)
    outcomes = await asyncio.gather(*(tried(shop, f"wrong password {n}", right) for n in range(16)))
    assert outcomes.count("sign-in-failed") == 5
    assert outcomes.count("sign-in-locked") == 11
    assert await tried(shop, PASSWORD, right) == "sign-in-locked"
    shop.clock.forward(15 * MINUTE)
    assert await tried(shop, "wrong password", code(shop, secret)) == "sign-in-failed"  # one slip closes nothing
    assert await tried(shop, PASSWORD, code(shop, secret)) == "in"


async def test_S4_a_one_time_code_opens_once_in_every_step_it_may_be_shown_in(shop: Shop) -> None:
    secret = await registered(shop)
    early, now, late = (code(shop, secret, steps) for steps in (1, 0, -1))
    assert await tried(shop, PASSWORD, early) == "in"
    assert [await tried(shop, PASSWORD, given) for given in (early, now, late)] == ["sign-in-failed"] * 3


async def test_S4_new_secrets_end_every_session_and_are_in_evidence(shop: Shop) -> None:
    secret = await registered(shop)
    member = await shop.house.staff.sign_in("nilufar", PASSWORD, code(shop, secret))
    token = await shop.house.sessions.open("desk", member.id)
    assert await shop.house.sessions.find("desk", token) is not None
    await shop.house.staff.set_secrets("301", PASSWORD)
    assert await shop.house.sessions.find("desk", token) is None
    assert (await acts(shop)).count("staff:secrets:set") == 2


async def test_S4_nobody_takes_a_colleagues_sign_in_name(shop: Shop) -> None:
    await registered(shop)
    with pytest.raises(BadInput) as wrong:
        await registered(shop, "401", " Nilufar ")
    assert wrong.value.code == "login-taken"


async def test_S4_one_network_cant_make_the_door_hash_for_ever(shop: Shop) -> None:
    for _ in range(300):
        await shop.house.grounds.database.pool.execute(
            "insert into rates as r values ($1, date_bin('1 hour', $2::timestamptz, 'epoch'), 1)"
            " on conflict (key, window_start) do update set taken = r.taken + 1",
            shop.house.grounds.vault.keyed_digest("rate", b"desk-from:192.0.2.7"),
            shop.clock.now,
        )
    entries = len(await acts(shop))
    assert await tried(shop, "some password", "123456", login="nobody") == "sign-in-locked"
    assert len(await acts(shop)) == entries
    assert await tried(shop, "some password", "123456", login="nobody", caller="192.0.2.8") == "sign-in-failed"


async def test_S6_a_session_moved_to_another_person_in_the_database_opens_nothing(shop: Shop) -> None:
    mine, theirs = await ordered(shop), await ordered(shop)
    token = await shop.house.sessions.open("me", mine.person)
    pool = shop.house.grounds.database.pool
    await pool.execute("update web_sessions set holder = $1", theirs.person)
    assert await shop.house.sessions.find("me", token) is None
    await pool.execute("update web_sessions set holder = $1", mine.person)
    assert await shop.house.sessions.find("me", token) is not None


async def test_S4_nobody_is_made_a_program_whose_uses_are_not_counted(shop: Shop) -> None:
    with pytest.raises(BadInput) as wrong:
        await shop.house.staff.put(
            Registration(ref="999", name="Xodim", role="system", trained_until=shop.clock.now), by="test"
        )
    assert wrong.value.code == "role-unknown"


async def test_P1_who_wrote_and_approved_a_version_stands_in_the_log_as_a_pseudonym(shop: Shop) -> None:
    bodies = await shop.house.grounds.database.pool.fetch(
        "select convert_from(body, 'utf8') as body from entries where act = 'policy:version:published'"
    )
    assert bodies
    assert not any("staff:1" in row["body"] or "staff:2" in row["body"] for row in bodies)
