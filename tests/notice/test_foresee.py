"""Before a version is published: whom it would concern, which uses it would stop; counted, never named (P1, P2)."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from omonat.cli import build
from omonat.flows.choose import Choosing
from omonat.flows.law import read_document
from omonat.mail.reports import returned
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.packs import read_pack
from tests.flows.conftest import POLICIES, document, packs
from tests.flows.test_use import delivery, given_to
from tests.notice.conftest import Town, second_version

MAIL = "dilnoza@mail.example"
runner = CliRunner(env={"OMONAT_LANGUAGE": "en"})


async def after(town: Town, text: str) -> tuple[CompiledPolicy, ...]:
    """The published versions and this one behind them."""
    history = await town.house.grounds.law.known()
    known = [read_pack(pack, name=name) for name, pack in packs().items()]
    return (*history, compile_policy(read_document(text), known, history))


async def test_P2_how_many_are_concerned_is_counted_by_the_way_to_them(town: Town) -> None:
    await town.ordered(email=MAIL)
    await town.ordered(mobile="+998901234568")
    await town.asked()
    await town.subscribed("sardor@mail.example")
    found = await town.house.foresee.concerned(await after(town, second_version()))
    assert (found.people, found.by_email, found.by_sms, found.in_center) == (3, 1, 1, 1)
    same = await town.house.foresee.concerned(await after(town, document(**{'version: "1"': 'version: "2"'})))
    assert same.people == 0
    await town.publish()
    assert await town.rounds() == 3, "as many as were foreseen"


async def test_P1_a_simulation_says_which_uses_would_go_on_wait_or_stop(town: Town) -> None:
    order = await town.ordered()
    await given_to(town.shop, order.case or "", "204")
    for _ in range(3):
        await town.house.use(delivery(town.shop, order.case or ""))
    assert await town.improving(order.person, "transaction.amount") == "given"
    assert await town.improving(order.person) == "item-not-needed"

    rest = "\n    cases: [order]\n    needs: [contact.name, contact.mobile, contact.postal-address]"
    seen_by = "roles: [counter, courier, call-centre, system]"
    narrower = second_version(**{seen_by + rest: "roles: [counter, call-centre, system]" + rest})
    *_, new = await after(town, narrower)
    found = {(one.purpose, one.role): one for one in await town.house.foresee.simulate(new)}
    deliveries, improving = found["deliver-order", "courier"], found["improve-services", "quality"]
    assert (deliveries.uses, deliveries.allowed, deliveries.refused) == (3, 0, 3)
    assert deliveries.codes == (("role-may-not", 3),)
    assert (improving.uses, improving.allowed, improving.opened) == (2, 1, 1)


async def test_P1_a_use_that_needs_a_consent_from_now_on_is_counted_by_who_has_given_it(town: Town) -> None:
    for mobile in ("+998901234568", "+998901234569"):
        person = (await town.ordered(mobile=mobile)).person
        assert await town.improving(person, "transaction.amount") == "given"
    before = second_version()
    start = before.index("\n  improve-services:\n")
    end = before.index("\n  # U5", start)
    part = before[start:end]
    law = part[part.index("    basis: ") : part.index("    roles: ")]
    *_, new = await after(town, before[:start] + part.replace(law, "    basis: consent\n") + before[end:])
    (improving,) = [one for one in await town.house.foresee.simulate(new) if one.purpose == "improve-services"]
    assert (improving.allowed, improving.refused) == (0, 2)
    assert ("no-consent", 2) in improving.codes


async def test_P1_a_simulation_writes_nothing_and_names_nobody(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.improving(person, "transaction.amount")
    before = await town.one("select count(*) from entries")
    history = await after(town, second_version())
    said = repr((await town.house.foresee.concerned(history), await town.house.foresee.simulate(history[-1])))
    assert person not in said
    assert MAIL not in said
    assert await town.one("select count(*) from entries") == before


async def test_P2_an_objection_stops_nobody_from_being_told(town: Town) -> None:
    person = (await town.ordered(email=MAIL)).person
    await town.house.choose(Choosing(person=person, kind="objection", purpose="improve-services", state="given"))
    await town.publish()
    assert await town.rounds() == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "packs").symlink_to(POLICIES / "packs")
    (tmp_path / "1.yaml").write_text(document(), "utf-8")
    (tmp_path / "2.yaml").write_text(second_version(), "utf-8")
    (tmp_path / "same.yaml").write_text(document(**{'version: "1"': 'version: "1b"'}), "utf-8")
    wider = document(**{"roles: [quality, management]\n    cases: [incident, return, complaint]":
                        "roles: [quality, management, finance]\n    cases: [incident, return, complaint]"})  # fmt: skip
    (tmp_path / "law.yaml").write_text(wider, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "exit_code", "says"),
    [
        ("1.yaml", "same.yaml", 0, "only their words differ"),
        ("2.yaml", "1.yaml", 10, "-  Less data is used: Improving the services"),
        ("1.yaml", "law.yaml", 11, "!  More of our people see it: Product safety"),
        ("1.yaml", "2.yaml", 12, "!! More data is used: Improving the services"),
    ],
)
def test_P3_two_files_are_compared_and_the_exit_code_says_what_follows(
    folder: Path, old: str, new: str, exit_code: int, says: str
) -> None:
    result = runner.invoke(build(), ["policy", "compare", str(folder / old), str(folder / new), "--language", "en"])
    assert result.exit_code == exit_code, result.output
    assert says in result.output
    told = json.loads(
        runner.invoke(build(), ["policy", "compare", str(folder / old), str(folder / new), "--json"]).output
    )
    assert told["exit"] == exit_code
    assert bool(told["changes"]) == bool(exit_code)


REPORT = b"""From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

The mailbox does not exist.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; somebody@mail.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <msg_aaaaaaaaaaaaaaaaaaaaaaaaaa@beshqozon.example>
Subject: x

--b--
"""


def test_P2_a_delivery_report_names_our_letter_and_only_a_final_failure_counts() -> None:
    for raw in (REPORT, REPORT.replace(b"\n", b"\r\n")):
        report = returned(raw)
        assert report is not None
        assert report.message == "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    assert returned(REPORT.replace(b"Action: failed", b"Action: delayed")) is None
    assert returned(REPORT.replace(b"<msg_a", b"<other")) is None
    assert returned(b"Subject: hello\n\nMessage-ID: <msg_aaaaaaaaaaaaaaaaaaaaaaaaaa@x>\n") is None
    assert returned(b"\xff\x00") is None
