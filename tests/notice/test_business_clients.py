"""How business clients are told: by a procedure that is a register, with a receipt for each notice (N1)."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, HOUR, SECOND
from omonat.evidence.receipts import Token
from omonat.flows import client_register, clients_owed
from omonat.flows.business_clients import BusinessClient, Giving
from omonat.flows.erase import ErasureRequest
from omonat.flows.service_notice import ServiceNotice
from omonat.promises.notice.clients import Given, Occasion, Step, owed
from tests.erasure.stories import closed, swept, waits_or_is_done
from tests.notice.conftest import OTHER_OWNER, OTHER_WRITER, OWNER, SAYS, WRITER, Town, second_version, speakers

Between = Callable[[Town, Callable[[], Coroutine[Any, Any, object]]], list[asyncio.Task[object]]]
AT_CONTRACT = Step(
    id="at-contract", occasion="engaged", part="contract", within=0, channels=("contract", "letter"), says=SAYS
)
NEW_VERSION = Step(
    id="new-version", occasion="policy-version", part="privacy", within=10, channels=("email",), says=SAYS
)


async def engaged(town: Town) -> tuple[str, str]:
    """A company with one contact for the contract; the client and the person."""
    await speakers(town.house, town.clock)
    procedures, clients = town.house.client_procedures, town.house.business_clients
    with pytest.raises(Refused, match="Only the role"):
        await procedures.write([AT_CONTRACT], by=OWNER)
    written = await procedures.write([AT_CONTRACT, NEW_VERSION], by=OTHER_WRITER)
    with pytest.raises(Refused, match="Only the role"):
        await procedures.approve(written.version, by=OWNER)
    await procedures.approve(written.version, by=WRITER)
    town.clock.forward(SECOND)  # the policy was there before the client
    client = await clients.register(by=WRITER, name="“Samarqand Non” MChJ")
    person = (await town.asked()).person
    town.clock.forward(SECOND)
    await clients.contact(client, person, "contract", by=WRITER)
    return client, person


async def shown(town: Town, client: str) -> BusinessClient:
    return await town.house.business_clients.show(client)


async def test_N1_the_procedure_is_a_register_of_two_people_and_three_languages(town: Town) -> None:
    await speakers(town.house, town.clock)
    procedures = town.house.client_procedures
    for wrong in (
        [],
        [AT_CONTRACT, AT_CONTRACT],
        [replace(AT_CONTRACT, occasion="someday")],
        [replace(AT_CONTRACT, channels=())],
        [replace(AT_CONTRACT, channels=("pigeon",))],
        [replace(AT_CONTRACT, within=-1)],
        [replace(AT_CONTRACT, part="The Boss")],
        [replace(AT_CONTRACT, says={"uz": SAYS["uz"]})],
    ):
        with pytest.raises(BadInput):
            await procedures.write(wrong, by=WRITER)
    own = await procedures.write([AT_CONTRACT], by=WRITER)
    with pytest.raises(Refused, match="can’t approve them"):
        await procedures.approve(own.version, by=WRITER)
    client, person = (
        await town.house.business_clients.register(by=WRITER, name="“Non” MChJ"),
        (await town.asked()).person,
    )
    with pytest.raises(BadInput, match="none was approved yet"):
        await town.house.business_clients.contact(client, person, "contract", by=WRITER)


async def test_N1_what_each_was_told_is_recorded_with_version_channel_time_and_a_receipt(town: Town) -> None:
    client, person = await engaged(town)
    clients = town.house.business_clients
    assert [(one.person, one.step) for one in (await shown(town, client)).owed] == [(person, "at-contract")]
    giving = Giving(client=client, step="at-contract", channel="contract", at=town.clock.now)
    for wrong, code in (
        ({"client": "bcl_nothing"}, "client-unknown"),
        ({"step": "sometime"}, "step-unknown"),
        ({"channel": "email"}, "client-notice-unclear"),
        ({"at": town.clock.now + DAY}, "client-notice-unclear"),
    ):
        with pytest.raises(BadInput) as said:
            await clients.give(replace(giving, **wrong), by=WRITER)
        assert said.value.code == code
    with pytest.raises(Refused, match="named nobody"):
        await clients.give(replace(giving, step="new-version", channel="email"), by=WRITER)

    (given,) = await clients.give(giving, by=WRITER)
    told = await shown(town, client)
    assert told.given == (given,)
    assert told.owed == ()
    assert (given.person, given.version, given.channel, given.at) == (person, 1, "contract", giving.at)
    token = Token.parse(given.receipt)
    token.check(town.house.keys.receipts.verifier, town.house.keys.origin)
    leaf = await town.one("select leaf from entries where id = $1", given.entry)
    assert token.leaf == leaf, "the receipt is of this very entry, and holds without us"
    facts = await town.one(
        "select convert_from(body, 'utf8')::jsonb -> 'facts' from entries where id = $1", given.entry
    )
    assert (facts["version"], facts["channel"], facts["step"]) == ("1", "contract", "at-contract")
    assert person not in str(facts)
    assert await town.one("select person from ledger where entry = $1", given.entry) == person


async def test_N1_a_new_version_is_owed_to_those_who_are_named_for_it_until_they_were_told(town: Town) -> None:
    client, _ = await engaged(town)
    officer = (await town.asked()).person
    await town.house.business_clients.contact(client, officer, "privacy", by=WRITER)
    assert officer not in [one.person for one in (await shown(town, client)).owed], "what was before it is no client's"
    town.clock.forward(DAY)
    await town.publish(second_version())
    (due,) = [one for one in (await shown(town, client)).owed if one.person == officer]
    assert (due.step, due.about, due.due) == ("new-version", "2", town.clock.now + 10 * DAY)
    town.clock.forward(DAY)
    await town.house.business_clients.give(
        Giving(client=client, step="new-version", channel="email", at=town.clock.now), by=WRITER
    )
    assert officer not in [one.person for one in (await shown(town, client)).owed]
    await town.house.business_clients.end(client, by=WRITER)
    assert (await shown(town, client)).owed == ()


async def waiting(town: Town) -> set[str]:
    rows = await town.rows("select missing from work_items where rule = 'client-notice' and closed_at is null")
    return {row["missing"].partition(" ")[2] for row in rows}


async def test_N1_what_is_owed_waits_as_work_by_itself_and_is_done_when_it_was_given(town: Town) -> None:
    client, _ = await engaged(town)
    clients, owed_to = town.house.business_clients, town.house.clients_owed
    assert await waiting(town) == {f"at-contract {client}"}
    officer = (await town.asked()).person
    await clients.contact(client, officer, "privacy", by=WRITER)
    assert await owed_to.look_after() == 1
    assert await waiting(town) == {f"at-contract {client}"}
    town.clock.forward(DAY)
    await town.publish(second_version())
    assert await owed_to.look_after() == 1
    assert await owed_to.look_after() == 0, "nothing happened since"
    assert await waiting(town) == {f"at-contract {client}", "new-version 2"}
    for step, channel in (("at-contract", "letter"), ("new-version", "email")):
        await clients.give(Giving(client=client, step=step, channel=channel, at=town.clock.now), by=WRITER)
    assert await waiting(town) == set()
    late = (await town.asked()).person
    town.clock.forward(SECOND)
    await clients.contact(client, late, "contract", by=WRITER)
    assert await waiting(town) == {f"at-contract {client}"}
    await clients.contact(client, late, "contract", by=WRITER, ends=True)
    assert await waiting(town) == set()
    await clients.contact(client, late, "contract", by=WRITER)
    await clients.end(client, by=WRITER)
    assert await waiting(town) == set()

    person = (await town.asked()).person
    trader = await clients.register(by=WRITER, trader=person)
    await clients.contact(trader, late, "contract", by=WRITER)
    assert await waiting(town) == {f"at-contract {trader}"}
    await town.house.erase(ErasureRequest(person=person))
    await swept(town.shop)
    town.clock.forward(HOUR)
    await owed_to.look_after()
    assert await waiting(town) == set(), "the client went with the sole trader"


async def test_N2_a_notice_to_many_reaches_whoever_is_to_be_told_at_a_client_and_nobody_else(town: Town) -> None:
    client, person = await engaged(town)
    gone, stranger, trader = [(await town.asked()).person for _ in range(3)]
    await town.house.business_clients.register(by=WRITER, trader=trader)
    await town.house.business_clients.contact(client, gone, "contract", by=WRITER)
    await town.house.business_clients.contact(client, gone, "contract", by=WRITER, ends=True)
    notice = ServiceNotice(kind="service-change", said=SAYS, audience="clients")
    written = await town.house.service_notices.write(notice, by=OWNER)
    await town.house.service_notices.approve(written.id, by=OTHER_OWNER)
    while (await town.house.tell_many.step()).more:
        pass
    told = {row["person"] for row in await town.rows("select person from service_notices where round = $1", written.id)}
    assert told == {person, trader}
    assert stranger not in told


async def test_N1_contacts_are_people_and_a_sole_traders_name_stands_with_their_data_alone(town: Town) -> None:
    client, person = await engaged(town)
    clients = town.house.business_clients
    for wrong in ({}, {"name": " "}, {"name": "x", "trader": person}, {"name": "Karimov +998 90 123 45 67"}):
        with pytest.raises(BadInput):
            await clients.register(by=WRITER, **wrong)
    trader = await clients.register(by=WRITER, trader=person)
    assert (await shown(town, trader)).name is None
    for wrong_person in ("per_nobody",):
        with pytest.raises(Refused):
            await clients.contact(client, wrong_person, "contract", by=WRITER)
    with pytest.raises(BadInput, match="no such part"):
        await clients.contact(client, person, "boss", by=WRITER)
    await clients.give(Giving(client=client, step="at-contract", channel="letter", at=town.clock.now), by=WRITER)

    await town.house.erase(ErasureRequest(person=person))
    await swept(town.shop)
    assert (await shown(town, client)).contacts == ()
    assert await town.one("select count(*) from client_notices where person = $1", person) == 0
    with pytest.raises(BadInput):
        await shown(town, trader)


async def test_R3_time_takes_from_the_clients_register_what_an_erasure_takes(town: Town) -> None:
    """A sole trader who was told as their own contact, and by a notice to many; then nothing of them is held."""
    client, _ = await engaged(town)
    order, clients = await town.asked(), town.house.business_clients
    person = order.person
    trader = await clients.register(by=WRITER, trader=person)
    town.clock.forward(SECOND)
    for one in (client, trader):
        await clients.contact(one, person, "contract", by=WRITER)
        await clients.give(Giving(client=one, step="at-contract", channel="letter", at=town.clock.now), by=WRITER)
    written = await town.house.service_notices.write(
        ServiceNotice(kind="service-change", said=SAYS, audience="clients"), by=OWNER
    )
    await town.house.service_notices.approve(written.id, by=OTHER_OWNER)
    while (await town.house.tell_many.step()).more:
        pass
    of_them = {
        "business_clients": "trader", "business_contacts": "person", "client_notices": "person",
        "service_notices": "person", "work_items": "person",
    }  # fmt: skip

    async def left() -> set[str]:
        return {
            table
            for table, column in of_them.items()
            if await town.one(f"select count(*) from {table} where {column} = $1", person)
        }

    assert await left() >= set(of_them) - {"work_items"}
    await closed(town.shop, order)
    town.clock.forward(10 * 366 * DAY)
    await swept(town.shop)
    assert await town.one("select erased_at from persons where id = $1", person) is not None
    assert await left() == set()


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """Something happens just after what a client was given was read, before what is owed is written."""

    def then(town: Town, happens: Callable[[], Coroutine[Any, Any, object]]) -> list[asyncio.Task[object]]:
        begun: list[asyncio.Task[object]] = []
        reads = clients_owed.occasions

        async def paused(connection: asyncpg.Connection) -> list[Occasion]:
            if not begun:
                begun.append(asyncio.create_task(happens()))
                await waits_or_is_done(town.shop, begun[0])
            return await reads(connection)

        monkeypatch.setattr(clients_owed, "occasions", paused)
        return begun

    return then


async def test_N1_what_is_given_while_the_jobs_look_is_not_owed_again(town: Town, between: Between) -> None:
    client, _ = await engaged(town)
    giving = Giving(client=client, step="at-contract", channel="letter", at=town.clock.now)
    begun = between(town, lambda: town.house.business_clients.give(giving, by=WRITER))
    await town.house.clients_owed.look_after()
    await begun[0]
    assert await waiting(town) == set()


async def test_R3_who_is_erased_while_the_jobs_look_leaves_no_work_behind(town: Town, between: Between) -> None:
    client, _ = await engaged(town)
    officer = (await town.asked()).person
    await town.house.business_clients.contact(client, officer, "privacy", by=WRITER)
    town.clock.forward(DAY)
    await town.publish(second_version())
    begun = between(town, lambda: town.house.erase(ErasureRequest(person=officer)))
    await town.house.clients_owed.look_after()
    await begun[0]
    await swept(town.shop)
    assert await town.one("select count(*) from work_items where person = $1", officer) == 0


async def test_R3_nobody_becomes_a_client_while_they_are_being_erased(town: Town) -> None:
    await engaged(town)
    person = (await town.asked()).person
    async with town.house.grounds.database.transaction() as connection:
        await connection.execute("select from persons where id = $1 for update", person)
        await connection.execute("update persons set erased_at = now() where id = $1", person)
        registering = asyncio.create_task(town.house.business_clients.register(by=WRITER, trader=person))
        await waits_or_is_done(town.shop, registering)
    with pytest.raises(Refused) as refused:
        await registering
    assert refused.value.code == "person-unknown"
    assert await town.one("select count(*) from business_clients where trader = $1", person) == 0


async def test_N1_every_client_is_read_and_none_is_called_told_who_was_not(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are read at a time, several of one moment, the one who is owed something the oldest."""
    owed_to, _ = await engaged(town)
    names = [await town.house.business_clients.register(by=WRITER, name=f"“Non {n}” MChJ") for n in range(4)]
    town.clock.forward(SECOND)
    newest = await town.house.business_clients.register(by=WRITER, name="“Somsa” MChJ")
    monkeypatch.setattr(client_register, "_AT_ONCE", 2)
    every = await town.house.business_clients.every()
    assert every[0].id == newest
    assert sorted(one.id for one in every) == sorted([owed_to, *names, newest])
    assert [one.id for one in every if one.owed] == [owed_to]


def test_N1_who_joins_later_is_owed_the_newest_of_an_occasion_alone() -> None:
    happened = [Occasion(kind="policy-version", about=str(n), at=n * DAY) for n in (1, 2, 5)]  # type: ignore[arg-type]
    joined = [("per_a", "privacy", 3 * DAY)]
    due = owed([NEW_VERSION], happened, joined, [])  # type: ignore[arg-type]
    assert [(one.about, one.due) for one in due] == [("2", 13 * DAY), ("5", 15 * DAY)]
    later = [Given(person="per_a", step="new-version", at=4 * DAY)]  # type: ignore[arg-type]
    assert [one.about for one in owed([NEW_VERSION], happened, joined, later)] == ["5"]  # type: ignore[arg-type]
