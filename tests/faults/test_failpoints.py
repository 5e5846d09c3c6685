"""Failpoints: every one is known, reached by some flow, and obeyed only where nothing real is kept."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import ast
import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest

from examples.catcher import Catcher
from omonat.api.once import Keep, Once
from omonat.backup.shipper import Shipper
from omonat.base import failpoints
from omonat.base.errors import BadInput, Refused
from omonat.base.ids import new_id
from omonat.base.instants import DAY, MINUTE, SECOND, Instant, to_rfc3339
from omonat.base.settings import Settings, load
from omonat.evidence.sequencer import Sequencer
from omonat.flows import root_keys
from omonat.flows.announce import InMedia
from omonat.flows.asked import NewRequest
from omonat.flows.business_clients import Giving
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.children import Agreement
from omonat.flows.choose import Choosing, Telling
from omonat.flows.collect import CollectRequest
from omonat.flows.erase import Erasure
from omonat.flows.erase_mine import Wanted, new_token
from omonat.flows.lookup import LookupRequest
from omonat.flows.notify import Notification, Notify, Receipt
from omonat.flows.publish_policy import Proof, Publication
from omonat.flows.service_notice import ServiceNotice
from omonat.flows.staff import Registration
from omonat.flows.use import UseRequest
from omonat.flows.work import open_work_item
from omonat.jobs import _tidy_for_ever, role_letters
from omonat.mail.drain import Drain
from omonat.promises.mailbox import Letter, Report
from omonat.promises.messages import Channel
from omonat.promises.notice.clients import Step
from omonat.promises.requests.facts import Kind, Outcome
from omonat.vault import unsealings
from omonat.vault.shares import ShareSet
from omonat.vault.switch import Phase, Rotation, note, state
from scripts.failpoints import ROOT, main, points
from tests.campaigns.conftest import APPROVER, MARKETER
from tests.campaigns.conftest import plan as campaign_plan
from tests.erasure.stories import closed, one, ordered, swept
from tests.erasure.test_holds import officers, placed
from tests.erasure.test_systems import Till, hooks_of, listening
from tests.faults.breaking import Failpoints
from tests.flows.conftest import Shop, house, settings_for, shop  # noqa: F401 - fixtures
from tests.flows.test_clear_child import mistaken
from tests.flows.test_parent_asks import MAIL, PARENT, asking, link
from tests.flows.test_parent_payments import LINE, agreed, paid_law, report
from tests.flows.test_reconcile import looked, section
from tests.mail.conftest import ScriptedGateway, gateway  # noqa: F401 - fixtures
from tests.mail.whole.conftest import catcher, catching, clock, drain, settings  # noqa: F401 - fixtures
from tests.notice.conftest import OTHER_WRITER, OWNER, SAYS, WRITER, second_version, speakers
from tests.offline.conftest import device_of
from tests.whole.serving import Installation, refused, soon

TO_COUNSEL = "purposes: [dispute-resolution]"
PASSWORD = "Toʻrtta-uzun-oddiy-soʻz-41"


@pytest.fixture
def plain_settings(dsn: str, tmp_path: Path) -> Settings:
    """With a provider where parents pay."""
    return msgspec.structs.replace(settings_for(dsn, tmp_path), parent_payments=LINE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that says that nothing real is kept there."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / failpoints.MARK).touch()
    return marked


@pytest.fixture
def armed(tmp_path: Path, home: Path) -> Iterator[Failpoints]:
    """This very process obeys a control file, until the test ends."""
    control = Failpoints(tmp_path / "faults")
    failpoints.arm(control.control, home)
    yield control
    failpoints.arm(None, home)


def test_S1_an_installation_that_is_not_marked_for_tests_refuses_failpoints_and_a_moved_clock(tmp_path: Path) -> None:
    for setting in ("FAILPOINTS", "TEST_CLOCK"):
        environment = {"OMONAT_HOME": str(tmp_path / "real"), f"OMONAT_{setting}": str(tmp_path / "x")}
        for extra in ({}, {"OMONAT_DEMO": "yes"}):  # nor is the demo marked
            with pytest.raises(BadInput) as said:
                load(environment | extra)
            assert said.value.code == "for-tests-only"
    with pytest.raises(BadInput):
        failpoints.arm(tmp_path / "x", tmp_path / "real")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / failpoints.MARK).symlink_to("/etc/hostname")  # a link is no mark
    with pytest.raises(BadInput):
        failpoints.arm(tmp_path / "x", tmp_path / "real")


def test_S1_a_service_with_such_a_setting_says_why_it_does_not_start(
    installation: Installation, tmp_path: Path
) -> None:
    status, said = refused(installation, FAILPOINTS=str(tmp_path / "faults"))
    assert status == 8
    assert "not marked for tests" in said
    assert failpoints.MARK in said


def test_the_page_of_failpoints_is_up_to_date_and_there_are_enough() -> None:
    assert main(["--check"]) == 0
    assert len(points()) >= 50
    assert len({name.partition(".")[0] for name in points()}) >= 15


def test_S1_every_flow_that_opens_a_transaction_can_be_broken_in_it() -> None:
    opening = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "omonat" / "flows").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transaction"
    }
    assert len(opening) > 40
    assert opening - set(points().values()) == set()


def test_a_fault_happens_once_where_it_was_asked_for(armed: Failpoints) -> None:
    token = armed.arm("use.opened", "raise")
    failpoints.reach("use.read")
    with pytest.raises(failpoints.Tripped):
        failpoints.reach("use.opened")
    failpoints.reach("use.opened")
    assert armed.happened(token)
    armed.arm("*", "full")
    with pytest.raises(OSError, match="full") as full:
        failpoints.reach("use.recorded")
    assert full.value.errno == errno.ENOSPC
    assert armed.hit() == {"use.read", "use.opened", "use.recorded"}
    armed.arm("use.read", "raise")
    armed.disarm()
    failpoints.reach("use.read")


def test_a_kill_is_a_kill(tmp_path: Path, home: Path) -> None:
    control = Failpoints(tmp_path / "faults")
    control.arm("use.read", "kill")
    program = (
        "from pathlib import Path; from omonat.base.failpoints import arm, reach;"
        f"arm(Path({str(control.control)!r}), Path({str(home)!r})); reach('use.read'); print('lives')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, ""), done.stderr


async def test_every_failpoint_is_reached(
    shop: Shop, drain: Drain, catcher: Catcher, gateway: ScriptedGateway, armed: Failpoints
) -> None:
    await Walk(shop, drain, gateway, armed).all_day()
    assert set(points()) - armed.hit() == set()
    assert armed.hit() - set(points()) == set()


class Walk:
    """Everything a company does in a day, so that every step of every flow is taken once."""

    def __init__(self, shop: Shop, drain: Drain, gateway: ScriptedGateway, armed: Failpoints) -> None:
        self.armed = armed
        self.shop, self.house, self.drain, self.gateway = shop, shop.house, drain, gateway
        self.site = shop.credentials["site"]
        self.person = ""

    async def all_day(self) -> None:
        """Part after part."""
        for part in (
            self.orders, self.choices, self.cases, self.letters, self.staff, self.sign_in, self.letters_in,
            self.requests, self.righting, self.guarding, self.unexplained, self.offline, self.policy, self.endings,
            self.overtaken, self.website, self.root, self.erasure, self.rest,
        ):  # fmt: skip
            await part()

    @staticmethod
    def heard(said: object) -> None:
        """What an act answered. Whoever breaks the walk may miss an answer, and look at what was done instead."""
        assert said

    async def directly(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """An act that isn't asked of the house."""
        return await work()

    async def orders(self) -> None:
        """Collect twice for one person, be refused, use, be refused."""
        order = CollectRequest(
            credential=self.site, service="order", items=self.shop.order_items(), version="1", case="order:41877",
            consents={"marketing-sms": True}, accepted=True, key="first", body_digest=b"1",
        )  # fmt: skip
        self.person = (await self.house.collect(order)).person
        await self.house.collect(replace(order, person=self.person, case="order:41878", key=None))
        await self.refused(lambda: self.house.collect(replace(order, case="order:41879", items={
            **self.shop.order_items(), "contact.username": "dilnoza"}, key=None)))  # fmt: skip
        use = UseRequest(credential=self.shop.credentials["panel"], purpose="deliver-order", case="order:41877")
        await self.refused(lambda: self.house.use(msgspec.structs.replace(use, on_behalf_of="204")))
        await self.house.cases.put(PutCase(credential=self.site, case="order:41877", assigned=("204",)))
        await self.house.use(msgspec.structs.replace(use, on_behalf_of="204"))

    async def choices(self) -> None:
        """Choose, be told, and be spoken for by somebody who may not."""
        choice = Choosing(person=self.person, kind="consent", state="withdrawn", purpose="marketing-sms")
        await self.house.choose(choice)
        await self.house.demographics.count({"relationship.gender": "female"})
        await self.house.demographics.write()
        await self.house.choose.tell(Telling(person=self.person, version="1", channel="email"))
        spoken = Choosing(person=self.person, kind="consent", state="given", purpose="marketing-sms",
                          roles=frozenset({"marketing"}), by="x", source="site")  # fmt: skip
        await self.refused(lambda: self.house.choose(spoken))

    async def cases(self) -> None:
        """Something happens in a case; somebody else's is refused."""
        await self.house.cases.event(CaseEvent(credential=self.site, case="order:41877", name="last-complaint"))
        unknown = CaseEvent(credential=self.site, case="order:none", name="case-closed")
        await self.refused(lambda: self.house.cases.event(unknown))
        bill = await self.house.visit_links.make(self.site, "order:41877")
        assert await self.house.visit_links.look(bill.address.rpartition("/")[2]) is not None

    async def letters(self) -> None:
        """A message is asked for, sent, and put off."""
        params = {"order": "41877", "delivery": 1, "total": 9_000_000}
        wanted = Notification(credential=self.site, person=self.person, template="order-confirmation",
                              purpose="order-messages", channel=Channel.SMS, params=params,
                              case="order:41877")  # fmt: skip
        await self.house.grounds.law.reload()
        once = Once(self.house.grounds.database, self.house.grounds.vault, self.house.grounds.clock)
        named = {"client": self.site.client, "key": "k", "request": b"r", "shape": dict[str, Any]}
        await self.directly(lambda: once(**named, work=lambda keep: self._ask(wanted, keep)))
        assert (await self.drain.once())["sent"] == 1

    async def _ask(self, wanted: Notification, keep: Keep) -> bytes:
        def said(asked: Receipt) -> bytes:
            return msgspec.json.encode({"id": asked.id})

        notify = Notify(self.house.grounds)
        return said(await notify(wanted, lambda connection, asked: keep(connection, said(asked))))

    async def staff(self) -> None:
        """Somebody is registered, gets secrets, signs in at the Desk, and publishes a version with another."""
        trained = Instant(self.shop.clock.now + 300 * DAY)
        for ref, role in (("1", "privacy-officer"), ("2", "management")):
            await self.house.staff.put(Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained,
                                                    login=f"xodim.{ref}"), by="test")  # fmt: skip

    async def sign_in(self) -> None:
        """The person signs in with a code, looks, and signs out; the number is looked up."""
        ticket = await self.house.sign_in.ask("+998901234567", language="uz", caller="127.0.0.1")
        assert (await self.drain.once())["sent"] == 1
        entered = await self.house.sign_in.enter(ticket, self._sent())
        await self._corrects(next(iter((await self.house.my_data(self.person)).held)).record)
        await self.house.sessions.end(entered.token)  # type: ignore[union-attr]
        found = LookupRequest(credential=self.shop.credentials["panel"], purpose="identify-and-contact",
                              item="contact.mobile", value="+998901234567", on_behalf_of="401")  # fmt: skip
        await self.house.lookup(found)

    async def requests(self) -> None:
        """Somebody asks, has the code sent again, confirms, gets an answer, and has the request taken up again."""
        wanted = NewRequest(credential=await self.house.inner_credential("requests"), kind=Kind.ACCESS, door="site",
                            text="Menda qanday maʼlumot bor?", contact="+998907654321")  # fmt: skip
        asked = await self.house.ask(wanted)
        await self._drained()  # two on their way at once would arrive in any order
        await self.house.ask.send_again(asked.number, asked.code)
        await self._drained()
        await self.house.ask.confirm(asked.number, asked.code, self._sent())
        officer = await self.house.staff.member(await self._staff_id("1"))
        assert officer is not None
        await self.house.answer_requests.claim(officer, asked.number)
        await self.house.answer_requests.answer(
            officer, asked.number, text="Mana.", outcome=Outcome.DONE, reason=None,
            credential=await self.house.inner_credential("desk"),
        )  # fmt: skip
        await self.house.follow_request.reopen(asked.number, asked.code, caller="")
        await self._goes_up(asked.number)

    async def righting(self) -> None:
        """Somebody asks for two corrections, one made and one to prove; and says that old data is right."""
        account = CollectRequest(
            credential=self.site, service="loyalty-account", version="1", consents={},
            items={"contact.name": "Nodira", "contact.mobile": "+998907654388", "relationship.age-band": "25-34"},
        )  # fmt: skip
        person = (await self.house.collect(account)).person
        officer = await self.house.staff.member(await self._staff_id("1"))
        assert officer is not None
        for item, value, made in (("contact.name", "Nodira Yusupov", True), ("contact.mobile", "+998907654399", False)):
            wanted = NewRequest(
                credential=await self.house.inner_credential("requests"), kind=Kind.CORRECTION, door="site",
                text="Tuzating.", person=person, item=item, value=value,
            )  # fmt: skip
            asked = await self.house.ask(wanted)
            self.shop.clock.forward(SECOND)
            await self.house.answer_requests.claim(officer, asked.number)
            assert await self.house.put_right.correct(officer, asked.number, item) is made
        aged = "update sections set collected_at = collected_at - interval '2 years' where person = $1"
        await self.house.grounds.database.pool.execute(aged, person)
        await self.house.remind.still_right(person, "contact.mobile")
        await self.house.remind.set_quiet(person, quiet=True)

    async def guarding(self) -> None:
        """A host comes into the register, is looked at, and leaves it."""
        trained = Instant(self.house.grounds.clock() + 365 * DAY)
        await self.house.staff.put(
            Registration(ref="801", name="Xodim 801", role="security", trained_until=trained), by="test"
        )
        await self.house.places.add("host", "db-1", proof="Inventar 14", by="801")
        await self.house.safeguards.review("host/db-1", kept=True, proof="Inventar 15", by="801")
        await self.house.places.end("host", "db-1", by="801")
        await open_work_item(
            self.house.grounds.database, rule="use", person=None, missing="x", now=self.house.grounds.clock()
        )
        await self.house.tasks.done("use", "x", by="1")

    async def _goes_up(self, number: str) -> None:
        """Nobody answers in time: management is told."""
        now = self.house.grounds.clock()
        await self.house.grounds.database.pool.execute("update requests set due_at = $1 where number = $2", now, number)
        self.heard(await self.house.escalate.look_after() == 1)
        assert self.drain.post.mail is not None
        letters = role_letters(self.house, self.drain.post.mail, await self.house.grounds.law.current())
        assert await letters.once()

    async def letters_in(self) -> None:
        """Letters come in: one that leaves, one about a location, and one of ours that is returned."""
        items = self.shop.order_items(**{"contact.email": "dilnoza@mail.example", "contact.mobile": "+998901234533"})
        order = CollectRequest(
            credential=self.site, service="order", items=items, version="1", case="order:41895", consents={}
        )
        person = (await self.house.collect(order)).person
        yes = Choosing(person=person, kind="consent", state="given", purpose="marketing-email", door="me")
        await self.house.choose(yes)
        credential = await self.house.inner_credential("requests")
        database, now = self.house.grounds.database, self.house.grounds.clock()
        letter = Letter(identity=b"1", sender="dilnoza@mail.example", proved=True, subject="unsubscribe", text="")
        await self.house.mailbox(letter, credential=credential)
        place = replace(letter, identity=b"2", subject="stop using my location")
        await self.house.mailbox(place, credential=credential)
        await database.pool.execute(
            "insert into outbox (person, id, template, class, purpose, channel, address_item, language, facts, state,"
            " due_at, created_at, settled_at, sent_to) values ($1, 'msg_1', 'newsletter-welcome', 'marketing',"
            " 'marketing-email', 'email', 'contact.email', 'uz', '{}', 'sent', $2, $2, $2, 'x')", person, now,
        )  # fmt: skip
        report = Report(kind="bounced", message="msg_1")
        await self.house.mailbox(replace(letter, identity=b"3", report=report), credential=credential)
        await database.pool.execute("delete from outbox where template in ('newsletter-welcome', 'mail-choices')")
        await database.pool.execute("delete from suppressions")

    async def _staff_id(self, ref: str) -> str:
        return str(await one(self.shop, f"select id from staff where ref = '{ref}'"))

    async def policy(self) -> None:
        """A second version comes into force."""
        await self.publishes()
        self.shop.clock.forward(2 * DAY)
        stop = asyncio.Event()
        tidying = asyncio.create_task(_tidy_for_ever(self.house, stop))
        await soon(lambda: "sweep.pruned" in self.armed.hit(), 20)
        stop.set()
        await tidying
        await self.told()

    async def publishes(self, number: str = "2", **replaced: str) -> None:
        """Another version is published for tomorrow, by two people who prove themselves."""
        proofs = {}
        for ref in ("1", "2"):
            secret = await self.house.staff.set_secrets(f"{ref}", PASSWORD)
            code = pyotp.TOTP(secret).at(self.shop.clock.now // 1_000_000)
            proofs[ref] = Proof(password=PASSWORD, code=code)
        begins = to_rfc3339(Instant(self.shop.clock.now + DAY))
        begun = {"effective: 2026-11-01T00:00:00+05:00": f"effective: {begins}"}
        text = second_version(number, **begun, **replaced)
        await self.house.publish(Publication(document=text, packs=paid_law(), author="1", approver="2", proofs=proofs))

    async def told(self) -> None:
        """People are told of it: one letter comes back, one counts, one is seen, and the version is accepted."""
        other = {"contact.mobile": "+998901234511", "contact.email": "boshqa@mail.example"}
        order = CollectRequest(
            credential=self.site, service="order", items=self.shop.order_items(**other), version="1",
            case="order:41890", consents={},
        )  # fmt: skip
        told = (await self.house.collect(order)).person
        tell = self.house.tell_people
        queued = (await tell.round()).queued
        self.heard(queued >= 2)
        assert (await self.drain.once())["sent"] >= queued
        message = await one(self.shop, f"select message from notices where person = '{self.person}'")
        self.heard(await tell.came_back(message) == "handed-over")
        self.heard((await tell.round()).moved == 1)
        self.shop.clock.forward(6 * DAY)
        self.heard((await tell.round()).told >= 1)
        assert (await self.house.my_notices.show(self.person)).open == ("improve-services",)
        await self.house.my_notices.accept(told, "2", door="me")
        await self.campaign(told)
        await self.announced()

    async def campaign(self, reader: str) -> None:
        """Many are written to by their consent, and it is stopped."""
        yes = Choosing(person=reader, kind="consent", state="given", purpose="marketing-email", door="me")
        await self.house.choose(yes)
        trained = Instant(self.shop.clock.now + 300 * DAY)
        for ref in ("501", "502"):
            colleague = Registration(ref=ref, name=f"Xodim {ref}", role="marketing", trained_until=trained)
            await self.house.staff.put(colleague, by="test")
        author, approver = (replace(each, signed_in=True) for each in (MARKETER, APPROVER))
        await self.house.campaigns.plan(campaign_plan(), author)
        await self.house.campaigns.approve("navroz", approver)
        await self.house.campaigns.start("navroz", author)
        while await self.house.campaign_letters.round():
            pass
        self.heard((stopped := await self.house.campaigns.stop("navroz", author)) and stopped.state == "stopped")

    async def offline(self) -> None:
        """A desk without a network hands a form in; the key it is sealed to is renewed, and ended later."""
        device = await device_of(self.shop, "kiosk-1")
        self.heard([each.state for each in await device.hand_in(await device.seal())] == ["taken"])
        await self.house.sealing_keys.renew()

    async def announced(self) -> None:
        """The company announces something, and tells everybody of a failure: one letter comes back."""
        await speakers(self.house, self.shop.clock)
        drafted = await self.house.announce.write(SAYS, by=WRITER)
        await self.house.announce.approve(drafted.id, by=OWNER)
        where = InMedia(medium="Gazeta.uz", on=date(2026, 11, 22), reference="№ 1")
        await self.house.announce.in_media(drafted.id, where, by=WRITER)
        notice = ServiceNotice(kind="security-breach", said=SAYS, audience="everybody")
        written = await self.house.service_notices.write(notice, by=WRITER)
        await self.house.service_notices.approve(written.id, by=OWNER)
        many = self.house.tell_many
        self.heard((await many.step()).queued >= 2)
        await self.drain.once()
        message = await one(self.shop, f"select message from service_notices where person = '{self.person}'")
        self.heard(await many.came_back(message) == "handed-over")
        while (await many.step()).more:
            pass
        self.shop.clock.forward(6 * DAY)
        self.heard((await many.step()).told >= 1)
        assert await many.shown(self.person)
        await self.client()

    async def client(self) -> None:
        """A business client is told by the procedure."""
        step = Step(id="begin", occasion="engaged", part="contract", within=0, channels=("letter",), says=SAYS)
        procedure = await self.house.client_procedures.write([step], by=OTHER_WRITER)
        await self.house.client_procedures.approve(procedure.version, by=WRITER)
        client = await self.house.business_clients.register(by=WRITER, name="“Non” MChJ")
        await self.house.business_clients.contact(client, self.person, "contract", by=WRITER)
        giving = Giving(client=client, step="begin", channel="letter", at=self.shop.clock.now)
        (given,) = await self.house.business_clients.give(giving, by=WRITER)
        await self.house.business_clients.acknowledge(client, given.entry, at=self.shop.clock.now, by=WRITER)
        self.heard(await self.house.clients_owed.look_after() == 1)
        await self.house.business_clients.end(client, by=WRITER)

    async def unexplained(self) -> None:
        """A section is opened for no entry, and found by the comparison; one is thrown away, and counted by it."""
        self.house.grounds.vault.open_section(**dict(await section(self.shop)), entry="")
        openings, thrown_away = self.house.grounds.vault.openings, new_id("ev")
        openings.note(thrown_away)
        openings.withhold(thrown_away)
        found = await self.directly(lambda: looked(self.shop))
        self.heard((len(found.unexplained), found.withheld) == (1, 1))

    async def parents(self, child: str) -> None:
        """By a law that lists it a parent is written to, answers, confirms and takes back; another one says no."""
        asks = self.house.parent_asks
        for address in (PARENT, MAIL):
            await asks.ask(asking(child, address), by="901")
            self.shop.clock.forward(SECOND)
        await asks.refuse(await link(self.shop, child, nth=1))
        first = await link(self.shop, child)
        await asks.answer(first)
        self.shop.clock.forward(DAY)
        await asks.confirm(await link(self.shop, child, "parent-confirm"))
        self.shop.clock.forward(SECOND)
        await asks.take_back(first)
        self.shop.clock.forward(SECOND)
        _, terms = await agreed(self.shop, child, "901")
        assert await report(self.shop, terms)
        self.shop.clock.forward(SECOND)
        assert not await report(self.shop, terms, event="payment.refunded")
        mistake = await ordered(self.shop)
        await self.house.children.signal(mistake.person, "staff", by="test")
        await self.house.clear_child(mistaken(mistake), by="901")

    async def overtaken(self) -> None:
        """A parent's message doesn't cover what the next version discloses."""
        child = (await ordered(self.shop, contact_mobile="+998905556677")).person
        await self.house.children.signal(child, "staff", by="test")
        self.shop.clock.forward(SECOND)
        await self.house.parent_asks.ask(asking(child, PARENT), by="901")
        await self.house.parent_asks.answer(await link(self.shop, child))
        self.shop.clock.forward(DAY)
        await self.house.parent_asks.confirm(await link(self.shop, child, "parent-confirm"))
        await self.publishes("3", **{TO_COUNSEL: f"{TO_COUNSEL[:-1]}, take-order]"})
        self.shop.clock.forward(2 * DAY)
        await self.house.publish.activate_due()
        self.heard(await self.house.consent_reach.look_after() == 1)
        await self._drained()  # the parent is told

    async def website(self) -> None:
        """Browsers choose, the site finds what isn't registered, and somebody sees to it; a doubt comes and goes."""
        cookies, doubts = self.house.cookies, self.house.doubts
        _, register = await cookies.register()
        await cookies.count(register=register.digest, allowed=register.optional, how="all")
        self.heard(await cookies.report([("cookie", "_ga")]) == 1)
        self.heard(await cookies.settle("cookie", "_ga", by="staff:1"))
        await doubts.begin("server", "clock")
        self.heard(await doubts.settle("server", "clock", by="1"))

    async def root(self) -> None:
        """The root is divided, the house opened by its shares, and sealed anew under another root: each noted once."""
        grounds, home = self.house.grounds, self.house.settings.home
        made = ShareSet(set_id="walk", threshold=2, digests=["a", "b", "c"], root="00")
        await self.directly(lambda: root_keys.note_set(grounds.database, made, now=grounds.clock()))
        unsealings.keep(home, unsealings.Unsealed(entry=new_id("ev"), by="shares", set="walk", given=(1, 3)))
        await self.directly(lambda: root_keys.note_unsealings(grounds.database, home, now=grounds.clock()))
        done = Rotation(installation="walk", phase=Phase.DONE, old="00", new="01", epoch=2, entry=new_id("ev"))
        note(home / "keys", done)
        await self.directly(lambda: root_keys.note_rotation(grounds.database, home, now=grounds.clock()))
        assert (unsealings.waiting(home), state(home / "keys")) == ([], None)

    async def endings(self) -> None:
        """A hold is placed, agreed to and ended by two; what is due goes by itself."""
        await officers(self.shop)
        self.shop.orders = 100  # the cases before have a story of their own
        order = await ordered(self.shop)
        await closed(self.shop, order)
        children = self.house.children
        await children.signal(order.person, "staff", by="test")
        await children.agree(Agreement(person=order.person, method="signed-form", reference="2026-114"), by="901")
        await children.take_back(order.person, by="901")
        await self.parents(order.person)
        policy = await self.house.grounds.law.current()
        nearly = policy.today(Instant(self.shop.clock.now + 2 * DAY))
        born = nearly.replace(year=nearly.year - policy.child_under)
        again = Agreement(person=order.person, method="signed-form", reference="2026-115", born=born)
        await children.agree(again, by="901")
        hold = await placed(self.shop, "record", order.record)
        await self.house.holds.approve(hold.id, by="902")
        await self.house.holds.end(hold.id, by="901")
        await self.house.holds.approve(hold.id, by="902")
        self.shop.clock.forward(40 * DAY)
        self.heard(await self.house.guardians.let_grown_go() == 1)
        self.heard(await swept(self.shop) > 0)

    async def erasure(self) -> None:
        """Somebody of whom a duty keeps something is erased, their systems are told, and in the end nothing is left."""
        order = await ordered(self.shop)
        await closed(self.shop, order)
        gone = await self._leaves(order.person)
        await swept(self.shop)
        async with listening(Till()) as till:
            assert await hooks_of(self.shop, till).once() > 0
        await self.house.systems.acknowledge(gone.id, "till", by="operator")
        await self.house.sweeper.lookup_key.begin(by="operator")
        await swept(self.shop)
        for _ in range(4):
            self.shop.clock.forward(2 * MINUTE)
            await swept(self.shop)
        assert (await self.house.erase.show(gone.id)).stage == "final"
        due = await one(self.shop, "select max(due_at) from proof_packets")
        self.shop.clock.now = Instant(due + 4_000 * DAY)  # the duty that keeps an amount is over as well
        self.heard(await self.house.packets.end_due() > 0)
        await swept(self.shop)

    async def _leaves(self, person: str) -> Erasure:
        """The person deletes everything by themselves, with a code that is sent to them."""
        mine, wanted = self.house.erase_mine, Wanted()
        ticket = await mine.ask(person, wanted, "contact.mobile", language="uz")
        assert (await self.drain.once())["sent"] == 1
        return await mine(person, wanted, ticket=ticket, code=self._sent(), token=new_token())

    async def _corrects(self, record: str) -> None:
        """A name at once; a phone would take the code that goes there."""
        mine = self.house.correct
        await mine.begin(self.person, record, "contact.name", "Dilnoza Aliyeva", language="uz")
        assert await mine.begin(self.person, record, "contact.mobile", "+998901234568", language="uz") is not None
        assert (await self.drain.once())["sent"] == 1

    async def _drained(self) -> None:
        while (await self.drain.once())["sent"]:
            pass

    def _sent(self) -> str:
        """The code in the newest SMS."""
        text = msgspec.json.decode(self.gateway.requests[-1][1])["text"]
        return next(word.strip(",.") for word in text.split() if word.strip(",.").isdigit())

    async def rest(self) -> None:
        """What the jobs do: place, sign, sweep, write the journal; and keys are destroyed."""
        house = self.house
        self.heard(await house.sealing_keys.end_due() == 1)
        sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock)
        assert await sequencer.open()
        await sequencer.advance()
        house.grounds.vault.signing_key("walk")  # a lasting key of its own
        slot, other, *_ = house.grounds.vault.reserve_slots(5_000)
        house.grounds.vault.prepare_slots(20_000)
        shipper = Shipper(house.stores, clock=house.grounds.clock)
        assert await shipper.open()
        assert await shipper.ship() > 0
        await asyncio.to_thread(house.grounds.vault.destroy_slots, [slot])
        house.grounds.vault.catch_up(house.grounds.vault.key_state(), [other])  # as a restore does

    async def refused(self, act: Callable[[], Awaitable[Any]]) -> None:
        with pytest.raises(Refused):
            await act()
