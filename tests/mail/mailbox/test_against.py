"""Against the mailbox: forged, repeated, huge, broken and endless letters, and a vault that can't write (C3, L6, A2,
S6)."""

import asyncio
import time
from collections import Counter

import pytest

from omonat.base.instants import DAY, HOUR
from omonat.flows.choose import Choosing
from omonat.mail.addresses import Addresses
from omonat.mail.reading import Envelope, read
from tests.mail.mailbox.conftest import MAIL, MAILBOX, PROVED, SERVER, Post

# Who it is ------------------------------------------------------------------------------------------------------------


async def test_L6_a_result_the_sender_wrote_into_their_own_letter_proves_nothing(post: Post) -> None:
    await post.member()
    below = f"Authentication-Results: {SERVER}; dmarc=fail header.from=mail.example\nAuthentication-Results: {PROVED}\n"
    for number, head in enumerate(
        (below, f"Authentication-Results: {PROVED.replace('mail.example', 'evil.example')}\n")
    ):
        raw = f"{head}From: {MAIL}\nTo: {MAILBOX}\nMessage-ID: <{number}@x>\nSubject: delete my data\n\n"
        assert await post.hand_over(raw.encode()) == 250
    assert await post.requests() == [("deletion", "received")] * 2  # neither is confirmed


@pytest.mark.parametrize(
    "sender",
    [
        f"a@evil.example, {MAIL}",
        f"{MAIL}\nFrom: a@evil.example",
        f'"{MAIL}" <a@evil.example>',
        f"<a@evil.example> {MAIL}",
        f"{MAIL} <a@evil.example>",
        f"a@evil.example ({MAIL})",
        f"group: {MAIL};",
    ],
)
async def test_A2_a_from_that_two_programs_read_differently_proves_nobody(post: Post, sender: str) -> None:
    person = await post.customer()
    raw = (
        f"Authentication-Results: {PROVED}\nFrom: {sender}\nTo: {MAILBOX}\nMessage-ID: <1@x>\n"
        "Subject: stop using my location and delete my data\n\n"
    )
    assert await post.hand_over(raw.encode()) == 250
    assert "confirmed" not in {state for _, state in await post.requests()}
    assert await post.shop.house.follow_request.mine(person) == ()


async def test_C3_an_address_made_up_or_another_persons_opens_nothing_else(post: Post) -> None:
    person, other = await post.member(), await post.member("botir@mail.example")
    addresses = Addresses(MAILBOX, post.shop.house.grounds.vault.keyed_digest)
    mine = addresses.leave(person=person, purpose="marketing-email")
    theirs = addresses.leave(person=other, purpose="marketing-email")
    mixed = theirs[: len("unsubscribe+") + 26] + mine[len("unsubscribe+") + 26 :]
    assert await post.write("x", to=mixed, sender="a@evil.example") == 250
    assert await post.consents(other) == {"marketing-email"}
    assert await post.write("удалите все мои данные", to=theirs, sender="a@evil.example") == 250
    assert await post.consents(other) == frozenset()  # the one thing it allows
    assert await post.requests() == [("deletion", "received")]  # and this waits for a@evil.example's own proof
    assert await post.shop.house.follow_request.mine(other) == ()


async def test_C3_a_letter_handed_over_a_second_time_does_nothing_even_after_another_choice(post: Post) -> None:
    person = await post.customer()
    raw = f"Received: one\nFrom: {MAIL}\nMessage-ID: <same@x>\nSubject: unsubscribe, complaint\n\n".encode()
    assert await post.hand_over(raw) == 250
    post.shop.clock.forward(HOUR)
    yes = Choosing(person=person, kind="consent", state="given", purpose="marketing-email", door="me")
    await post.shop.house.choose(yes)
    before = await post.acts()
    assert await post.hand_over(raw.replace(b"Received: one", b"Received: two")) == 250
    assert await post.acts() == before
    assert await post.consents(person) == {"marketing-email"}


async def test_A2_the_same_letter_at_the_same_moment_is_one_request(post: Post) -> None:
    raw = f"From: {MAIL}\nTo: {MAILBOX}\nMessage-ID: <same@x>\nSubject: complaint\n\nabout you\n".encode()
    answers = await asyncio.gather(*(post.hand_over(raw) for _ in range(6)))
    assert set(answers) == {250}
    assert await post.requests() == [("complaint", "received")]
    assert await post.waiting() == ["request-received"]


async def test_A2_another_letter_under_a_message_id_that_is_known_is_not_lost(post: Post) -> None:
    for text in ("complaint one", "complaint two"):
        raw = f"From: {MAIL}\nTo: {MAILBOX}\nMessage-ID: <same@x>\nSubject: x\n\n{text}\n".encode()
        assert await post.hand_over(raw) == 250
    assert await post.requests() == [("complaint", "received")] * 2


# Loops ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "envelope"),
    [
        ({"Auto-Submitted": "auto-replied"}, None),
        ({"Auto-Submitted": "auto-generated; x=y"}, None),
        ({"Precedence": "bulk"}, None),
        ({"List-Id": "<x.example>"}, None),
        ({"X-Autoreply": "yes"}, None),
        ({}, ""),
        ({"Message-ID": "<msg_aaaaaaaaaaaaaaaaaaaaaaaaaa@beshqozon.uz>"}, None),
        ({"From": "MAILER-DAEMON@mail.example"}, None),
        ({"From": MAILBOX, "Auto-Submitted": "auto-generated"}, None),
    ],
)
async def test_A2_a_machine_is_not_answered(post: Post, headers: dict[str, str], envelope: str | None) -> None:
    await post.customer()
    assert await post.write("Savol", "delete my data", headers=headers, envelope=envelope) == 250
    assert await post.write("unsubscribe", headers=headers, envelope=envelope) == 250
    assert await post.requests() == []
    assert await post.waiting() == []
    assert await post.acts("choice:consent:withdrawn") == []


async def test_A2_what_we_send_comes_back_to_us_and_ends_there(post: Post) -> None:
    """The mailbox written to by the mailbox: a receipt is no request."""
    await post.write("Savol", "Oshni qachon pishirasizlar?", sender=MAILBOX)
    sent: list[bytes] = []
    keep = post.catcher.keep_letter
    post.catcher.keep_letter = lambda to, raw: (sent.append(raw), keep(to, raw))[1]  # type: ignore[method-assign]
    assert await post.drain.once() == Counter(sent=1)
    assert await post.hand_over(sent[0], envelope=MAILBOX) == 250
    assert len(await post.requests()) == 1
    assert await post.waiting() == []


# Broken and endless ---------------------------------------------------------------------------------------------------


async def test_S6_a_letter_that_is_too_large_or_a_bomb_is_refused_to_its_server(post: Post) -> None:
    head = f"From: {MAIL}\nTo: {MAILBOX}\nMIME-Version: 1.0\n"
    assert await post.hand_over((head + "\n" + ("x" * 70 + "\n") * 20_000).encode()) == 552
    nested = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(2_000))
    assert await post.hand_over((head + nested).encode()) == 554
    assert await post.hand_over((head + "X: y\n" * 20_000 + "\n").encode()) == 554
    endless = f"{head}Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain" + ';a="' * 9_000
    assert await post.hand_over((endless + "\n\nx\n--b--\n").encode()) == 554
    assert await post.requests() == []
    assert await post.write("Savol", "Oshni qachon pishirasizlar?") == 250


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n",
        b"\xff\xfe\x00",
        b"From: \xff\xfe <a@b.example>\r\nSubject: \xd0\x96\r\n\r\n\x81",
        b"Subject: =?zip?b?eJw=?= =?utf-8?q?=ZZ?= =?x\r\n\r\n",
        b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800",
        b"Content-Type: text/plain; charset*=x''%ff\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: multipart/mixed\r\n\r\n--x\r\n",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n',
        b"Content-Type: message/rfc822\r\n\r\nSubject: delete my data\r\n\r\nunsubscribe",
        b"Content-Type: text/html\r\n\r\n" + b"<!" * 20_000 + b"<a " * 5_000,
        b"From: " + b"<" * 3_000 + b"\r\n\r\n",
        b"\r\n" + b" " * 60_000 + b"x",
        "\r\non some day, написал".encode() + b"a" * 60_000,
        b"Content-Type: text/html\r\n\r\n" + b"<!--" * 15_000,
        b"Content-Type: text/html\r\n\r\n" + b"</" * 30_000 + b"&" * 30_000,
        b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 10_000,
        b"Content-Type: text/html\r\n\r\n" + b"<![CDATA[" * 6_000,
        b"Subject: x\r\nX: " + b'; a="' * 10_000 + b"\r\n\r\n",
        b"Content-Type: text/plain" + b';a="' * 400 + b"\r\n\r\n",
        b"Subject: " + b"=?utf-8?q?" * 3_000 + b"\r\n\r\n",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\r\n",
    ],
)
def test_S6_whatever_is_made_of_bytes_is_read_or_refused_soon(raw: bytes) -> None:
    began = time.process_time()
    letter = read(raw, Envelope(sender="x@y.example", recipients=(MAILBOX,)), server=SERVER, ours="beshqozon.uz")
    assert time.process_time() - began < 5
    assert letter.subject.isprintable()
    assert not letter.proved


async def test_A2_a_letter_in_html_alone_is_read_without_running_or_loading_anything(post: Post) -> None:
    html = (
        "<html><head><title>unsubscribe</title><style>p{}</style></head><body><script>delete my data</script>"
        "<p>Shikoyat: <b>kuryer</b> qo&#699;pol</p><img src='https://evil.example/x'>"
        "<blockquote>unsubscribe</blockquote></body></html>"
    )
    person = await post.member()
    raw = f"From: {MAIL}\nTo: {MAILBOX}\nSubject: x\nContent-Type: text/html; charset=utf-8\n\n{html}".encode()
    assert await post.hand_over(raw) == 250
    assert await post.requests() == [("complaint", "received")]
    assert await post.consents(person) == {"marketing-email"}


@pytest.mark.parametrize(
    "text",
    [
        "Rahmat!\n\n> unsubscribe: https://x.example",
        "Спасибо!\n\nчт, 26 нояб. 2026 г. в 10:00, BESHQOZON <webmaster@beshqozon.uz> написал:\nотписаться",
        "Thanks\n\nOn Thu, 26 Nov 2026 at 10:00, BESHQOZON <webmaster@beshqozon.uz> wrote:\nunsubscribe",
        "Thanks\n\n-----Original Message-----\nunsubscribe",
        "Thanks\n\n________________________________\nunsubscribe",
        "Rahmat\n\nFrom: BESHQOZON <webmaster@beshqozon.uz>\nunsubscribe",
        "Rahmat\n-- \nunsubscribe",
    ],
)
async def test_C3_what_somebody_quotes_is_not_what_they_want(post: Post, text: str) -> None:
    person = await post.member()
    assert await post.write("Re: unsubscribe", text) == 250
    assert await post.consents(person) == {"marketing-email"}
    assert await post.requests() == [("question", "received")]


async def test_S6_no_header_of_a_letter_reaches_what_we_write(post: Post) -> None:
    sent: list[bytes] = []
    keep = post.catcher.keep_letter
    post.catcher.keep_letter = lambda to, raw: (sent.append(raw), keep(to, raw))[1]  # type: ignore[method-assign]
    raw = (
        f"From: {MAIL}\nTo: {MAILBOX}\nSubject: =?utf-8?q?x=0D=0ABcc:_evil=40evil.example=0D=0A=0D=0Ahello?=\n"
        "Reply-To: evil@evil.example\nReturn-Path: <evil@evil.example>\n\nSavol\n"
    )
    assert await post.hand_over(raw.encode()) == 250
    assert await post.drain.once() == Counter(sent=1)
    assert b"evil" not in sent[0]
    assert [one.to for one in post.catcher.newest()] == [MAIL]


async def test_A2_whoever_writes_in_somebodys_name_all_day_has_them_answered_once(post: Post) -> None:
    await post.customer()
    for n in range(6):
        assert await post.write("stop using my location", str(n)) == 250
        assert await post.write("unsubscribe", str(n)) == 250
    assert sorted(await post.waiting()) == ["mail-choices"] * 2
    post.shop.clock.forward(DAY)
    assert await post.write("stop using my location", "tomorrow") == 250
    assert len(await post.waiting()) == 3
