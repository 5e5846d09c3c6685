"""The mailbox's door: who is let in, how much, and what is acknowledged when something breaks (C3, A2, S6)."""

import asyncio
import io
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omonat.base import failpoints
from omonat.base.errors import Unavailable
from omonat.base.instants import DAY, HOUR
from omonat.flows.choose import Choosing
from omonat.jobs import _sweep
from omonat.promises.location.rule import Term
from tests.faults.breaking import Failpoints
from tests.mail.mailbox.conftest import MAIL, MAILBOX, PROVED, Post


async def lines(port: int, *said: str) -> list[str]:
    """What is answered to each line; the first is the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = [(await reader.readline()).decode().strip()]
    for line in said:
        writer.write(line.encode() + b"\r\n")
        await writer.drain()
        heard.append((await asyncio.wait_for(reader.readline(), 20)).decode().strip())
        while heard[-1][3:4] == "-":
            heard[-1] = (await reader.readline()).decode().strip()
    writer.close()
    return heard


async def test_S6_nobody_elses_letters_are_taken_and_nothing_is_passed_on(post: Post) -> None:
    for to in ("a@evil.example", "owner@beshqozon.uz", "webmaster@evil.example", "webmaster%evil.example@beshqozon.uz"):
        assert await post.write("x", to=to) == 550
    assert await post.write("Savol", "x", to="WebMaster+anything@BESHQOZON.uz") == 250
    heard = await lines(post.port, "HELO x", f"MAIL FROM:<{MAIL}>", *[f"RCPT TO:<{MAILBOX}>"] * 11)
    assert heard[-1].startswith("452")


async def test_C3_by_lmtp_each_recipient_gets_its_answer(post: Post) -> None:
    heard = await lines(
        post.port, "LHLO mx", f"MAIL FROM:<{MAIL}>", f"RCPT TO:<{MAILBOX}>", "RCPT TO:<nobody@beshqozon.uz>",
        "RCPT TO:<unsubscribe@beshqozon.uz>", "DATA", f"From: {MAIL}\r\nSubject: x\r\n\r\nx\r\n.", "NOOP", "NOOP",
    )  # fmt: skip
    assert [said[:3] for said in heard] == ["220", "250", "250", "250", "550", "250", "354", "250", "250", "250"]
    assert heard[8] == heard[7] == "250 2.0.0 taken in"
    assert [row["reason"] for row in await post.fetch("select reason from suppressions")] == ["left"]


async def test_S6_too_many_connections_wait_outside(post: Post) -> None:
    held = [socket.create_connection(("127.0.0.1", post.port)) for _ in range(40)]
    await asyncio.sleep(0.2)
    try:
        assert (await lines(post.port))[0].startswith("421")
    finally:
        for each in held:
            each.close()
    await asyncio.sleep(0.2)
    assert (await lines(post.port))[0].startswith("220")


async def test_S6_too_many_letters_of_one_sender_are_kept_by_their_server(post: Post) -> None:
    answers = [await post.write("unsubscribe", f"{n}") for n in range(22)]
    assert answers == [250] * 20 + [451] * 2
    assert await post.write("unsubscribe", sender="botir@mail.example") == 250
    post.shop.clock.forward(HOUR)
    assert await post.write("unsubscribe", "later") == 250
    assert len(await post.acts("suppression:")) == 2


async def test_C3_what_cannot_be_written_is_not_acknowledged(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await post.member()
    journal = post.shop.house.grounds.journal

    def full(*_: Any, **__: Any) -> None:
        raise Unavailable("log-unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(type(journal), "_made", full)  # whichever way an entry is written
        for subject in ("unsubscribe", "complaint", "Savol"):
            assert await post.write(subject) == 451
    assert await post.consents(person) == {"marketing-email"}
    assert await post.requests() == []
    assert await post.fetch("select * from suppressions") == []
    assert await post.fetch("select * from letters_taken") == []
    assert await post.write("unsubscribe") == 250


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[Failpoints]:
    """This very process obeys a control file, until the test ends."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / failpoints.MARK).touch()
    control = Failpoints(tmp_path / "faults")
    failpoints.arm(control.control, marked)
    yield control
    failpoints.arm(None, marked)


@pytest.mark.parametrize(
    "point",
    [
        *("choose.written", "choose.recorded", "choose.committed", "suppress.written", "suppress.recorded"),
        *("mailbox.withdrawn", "mailbox.answered", "mailbox.place", "mailbox.acted", "mailbox.taken"),
        *("request.written", "request.recorded", "request.committed"),
    ],
)
async def test_C3_A2_cut_off_anywhere_a_letter_that_comes_again_is_done_once(
    post: Post, armed: Failpoints, point: str
) -> None:
    person = await post.customer()
    yes = Choosing(person=person, kind="consent", state="given", purpose="guide-courier", door="me")
    await post.shop.house.choose(yes)
    raw = (
        f"Authentication-Results: {PROVED}\nFrom: {MAIL}\nMessage-ID: <one@x>\n"
        "Subject: unsubscribe, stop using my location, complaint\n\n"
    ).encode()
    token = armed.arm(point, "raise")
    assert await post.hand_over(raw) == 451
    assert armed.happened(token)
    assert await post.hand_over(raw) == 250
    assert await post.hand_over(raw) == 250
    assert await post.consents(person) == frozenset()
    assert await post.acts("choice:consent:withdrawn") == ["choice:consent:withdrawn"] * 2
    assert await post.acts("suppression:") == ["suppression:address:noted"]
    assert await post.requests() == [("complaint", "received")]
    assert sorted(await post.waiting()) == ["mail-choices", "mail-choices", "request-received"]


async def test_S6_a_fault_says_nothing_of_the_letter(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(MAIL)

    monkeypatch.setattr("omonat.flows.mailbox.wishes_in", broken)
    assert await post.write("unsubscribe") == 451
    assert MAIL not in post.answers[-1][1]


async def test_S6_no_value_of_a_letter_stands_in_a_log(
    post: Post, caplog: pytest.LogCaptureFixture, logged: io.StringIO
) -> None:
    await post.customer()
    with caplog.at_level(logging.DEBUG, logger="mail.log"):
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        for subject in ("unsubscribe", "stop using my location", "Shikoyat maxfiysoz"):
            await post.write(subject)
    logging.getLogger("framework").error("Shikoyat")  # a line, so that there is a log to search
    assert "library-message" in logged.getvalue()
    said = caplog.text + logged.getvalue()
    own = "\n".join(line for line in said.splitlines() if "smtp.py" not in line)
    assert "dilnoza" not in own
    assert "maxfiysoz" not in own
    facts = await post.fetch("select body::text as body from entries")
    assert not any("dilnoza" in str(row["body"]) or "maxfiysoz" in str(row["body"]) for row in facts)


async def test_C3_letters_taken_are_forgotten_when_nobody_hands_them_over_again(post: Post) -> None:
    await post.write("unsubscribe")
    post.shop.clock.forward(9 * DAY)
    await _sweep(post.shop.house)
    assert len(await post.fetch("select * from letters_taken")) == 1
    post.shop.clock.forward(2 * DAY)
    await _sweep(post.shop.house)
    assert await post.fetch("select * from letters_taken") == []
    assert len(await post.fetch("select * from suppressions")) == 1


async def test_L6_a_location_for_one_order_is_ended_as_well(post: Post) -> None:
    person = await post.customer()
    (row,) = await post.fetch("select id from cases where person = $1", person)
    term = Term(kind="while-open", case=row["id"])
    await post.shop.house.choose(
        Choosing(person=person, kind="consent", state="given", purpose="guide-courier", door="me", term=term)
    )
    assert await post.write("Joylashuvimdan foydalanmang", proved=True) == 250
    assert "guide-courier" not in await post.consents(person)


async def test_C3_on_a_full_disk_people_still_leave_by_letter(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await post.member()
    monkeypatch.setattr("omonat.evidence.room.is_given", lambda _home: True)
    assert await post.write("unsubscribe") == 250
    assert await post.consents(person) == frozenset()
    assert [row["reason"] for row in await post.fetch("select reason from suppressions")] == ["left"]
