"""People write to the webmaster's address: by a real SMTP connection, on a whole house (C3, L6, A2, N2)."""

import re
from collections import Counter

from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant
from omonat.flows.children import Agreement
from omonat.flows.choose import Choosing
from omonat.mail.addresses import Addresses
from omonat.promises.location.rule import Term
from tests.erasure.stories import hired
from tests.mail.mailbox.conftest import MAIL, MAILBOX, Post
from tests.mail.whole.test_whole_way import write

GUIDE = "guide-courier"


async def located(post: Post, person: str) -> None:
    choosing = Choosing(
        person=person, kind="consent", state="given", purpose=GUIDE, door="me", term=Term(kind="permanent")
    )
    await post.shop.house.choose(choosing)
    post.shop.clock.forward(SECOND)


async def the_link(post: Post, path: str) -> str:
    """The link in the newest letter to the person."""
    assert await post.drain.once() == Counter(sent=1)
    found = re.search(rf"http://localhost:8600(/{path}/\S+)", post.catcher.newest(MAIL)[0].text)
    assert found is not None
    return found[1]


# Leaving ------------------------------------------------------------------------------------------------------------


async def test_C3_whoever_writes_that_they_want_no_more_letters_gets_none_once_it_is_acknowledged(post: Post) -> None:
    person = await post.customer()
    await write(post.shop.house, person)  # a campaign already running
    assert await post.write("Отпишите меня, пожалуйста") == 250
    assert await post.consents(person) == frozenset()
    assert await post.drain.once() == Counter(refused=1, sent=1)
    (answer,) = post.catcher.newest(MAIL)
    assert "reklama" in answer.subject
    assert await post.acts("suppression:") == ["suppression:address:noted"]
    assert (await post.fetch("select door from choices where state = 'withdrawn'"))[0]["door"] == "mailbox"


async def test_C3_of_whom_nothing_is_kept_but_the_subscription_nothing_is_used_any_more_not_even_to_answer(
    post: Post,
) -> None:
    await post.member()
    assert await post.write("Obunani bekor qiling") == 250
    assert await post.drain.once() == Counter(refused=1)
    assert (await post.fetch("select code from outbox"))[0]["code"] == "no-longer-kept"


async def test_C3_a_signed_address_ends_the_consent_it_names_whoever_writes_and_whatever_it_says(post: Post) -> None:
    person, other = await post.member(), await post.member("botir@mail.example")
    await write(post.shop.house, person)
    assert await post.drain.once() == Counter(sent=1)
    (letter,) = post.catcher.newest(MAIL)
    ways = letter.headers["List-Unsubscribe"]
    address = re.search(r"<mailto:([^?>]+)\?subject=unsubscribe>", re.sub(r"\s", "", ways))
    assert address is not None
    assert len(address[1].partition("@")[0]) <= 64
    assert await post.write("unsubscribe", to=address[1].upper(), sender="alias@else.example") == 250
    assert await post.consents(person) == frozenset()
    assert await post.consents(other) == {"marketing-email"}
    assert await post.requests() == []


async def test_C3_an_address_nobody_knows_is_kept_as_a_digest_and_refused_when_somebody_collects_it(post: Post) -> None:
    assert await post.write("unsubscribe") == 250
    (row,) = await post.fetch("select * from suppressions")
    assert MAIL.encode() not in row["digest"]
    assert await post.waiting() == []  # to write to them, their address would have to be kept
    post.shop.clock.forward(DAY)
    person = await post.member()  # somebody types the address into the form
    await write(post.shop.house, person)
    assert await post.drain.once() == Counter(refused=1)
    assert (await post.fetch("select code from outbox"))[0]["code"] == "message-address-suppressed"
    yes = Choosing(person=person, kind="consent", state="given", purpose="marketing-email", door="me")
    await post.shop.house.choose(yes)  # and says so themselves, signed in
    await write(post.shop.house, person)
    assert await post.drain.once() == Counter(sent=1)


async def test_N2_a_service_message_reaches_whoever_left(post: Post) -> None:
    person = await post.customer()
    await post.write("unsubscribe")
    assert await post.drain.once() == Counter(sent=1)
    await write(
        post.shop.house, person, template="service-notice", purpose="service-notices",
        params={"kind": "security-breach", "title": "a", "text": "b"},
    )  # fmt: skip
    assert await post.drain.once() == Counter(sent=1)


# Location -----------------------------------------------------------------------------------------------------------


async def test_L6_whoever_is_proved_ends_the_permission_by_writing(post: Post) -> None:
    person = await post.member()
    await located(post, person)
    assert await post.write("Joylashuvim", "Joylashuvimga ruxsatni bekor qilaman.", proved=True) == 250
    assert await post.consents(person) == {"marketing-email"}
    assert (await post.message("mail-choices"))["about"] == "location"


async def test_L6_a_forged_sender_changes_nothing_and_the_person_decides_by_the_link(post: Post) -> None:
    person = await post.member()
    await located(post, person)
    assert await post.write("stop using my location") == 250
    assert GUIDE in await post.consents(person)
    link = await the_link(post, "preferences")
    async with post.browser() as browser:
        shown = await browser.get(link)
        assert shown.status_code == 200
        assert GUIDE in await post.consents(person)  # looking changes nothing
        assert MAIL not in shown.text
        done = await browser.post(link, data={"do": "end", "purpose": GUIDE}, follow_redirects=False)
        assert done.status_code == 303
        assert await post.consents(person) == {"marketing-email"}
        post.shop.clock.forward(SECOND)
        await browser.post(link, data={"do": "allow", "purpose": GUIDE, "lasts": "hour"})
        assert GUIDE in await post.consents(person)
        post.shop.clock.forward(2 * HOUR)
        assert GUIDE not in await post.consents(person)
        await browser.post(link, data={"do": "end-all"})
        assert await post.consents(person) == frozenset()
        post.shop.clock.forward(3 * DAY)
        assert (await browser.get(link)).status_code == 404
        assert (await browser.get(link.replace("change", "less"))).status_code == 404
        forged = link.replace(person, await post.member("botir@mail.example"))
        assert (await browser.post(forged, data={"do": "end-all"})).status_code == 404


async def test_L6_on_a_shared_address_the_link_takes_back_and_gives_nothing(post: Post) -> None:
    person = await post.member()
    await post.member()  # a second person with the same address
    await located(post, person)
    await post.write("Разрешаю доступ к моему местоположению", proved=True)
    assert await post.waiting() == ["mail-choices", "mail-choices"]
    vault_link = (await post.message("mail-choices"))["link"]
    assert ".less." in vault_link
    async with post.browser() as browser:
        refused = await browser.post(
            f"/preferences/{vault_link}", data={"do": "allow", "purpose": GUIDE, "lasts": "always"}
        )
        assert refused.status_code == 403


async def test_L6_K3_a_childs_link_offers_nothing_their_guardian_decides(post: Post) -> None:
    person, shop = await post.member(), post.shop
    by = await hired(shop, "911", "privacy-officer")
    await shop.house.children.signal(person, "parent", by="test")
    shop.clock.forward(SECOND)
    await shop.house.children.agree(Agreement(person=person, method="signed-form", reference="7"), by=by)
    shop.clock.forward(SECOND)
    assert await post.write("stop using my location") == 250
    link = await the_link(post, "preferences")
    async with post.browser() as browser:
        shown = (await browser.get(link)).text
        assert 'value="allow"' not in shown
        assert 'value="end"' in shown
        refused = await browser.post(f"{link}&lang=en" if "?" in link else f"{link}?lang=en",
            data={"do": "allow", "purpose": GUIDE, "lasts": "hour"})  # fmt: skip
        assert refused.status_code == 403
        assert "only the guardian" in refused.text
        assert "opens nothing" not in refused.text, "the link is good: it is the wish that isn't"


async def test_L6_a_location_nobody_here_has_becomes_a_case(post: Post) -> None:
    assert await post.write("stop using my location") == 250
    assert await post.requests() == [("question", "received")]


# Requests and complaints --------------------------------------------------------------------------------------------


async def test_A2_a_complaint_gets_a_number_and_a_deadline_and_its_text_is_sealed(post: Post) -> None:
    words = "Kuryeringiz menga tunda qoʻngʻiroq qildi."
    assert await post.write("Shikoyat", words) == 250
    assert await post.requests() == [("complaint", "received")]
    assert await post.drain.once() == Counter(sent=1)
    (receipt,) = post.catcher.newest(MAIL)
    found = re.search(r"Murojaat: (\S+)\s+Kod: (\S+)", receipt.text)
    assert found is not None
    followed = await post.shop.house.follow_request.by_code(found[1], found[2], caller="")
    assert followed.due_at > post.shop.clock()
    for table in ("entries", "records", "sections", "requests", "outbox", "suppressions", "letters_taken"):
        kept = await post.fetch(f"select t::text as row from {table} t")
        assert not any("Kuryeringiz" in row["row"] or "dilnoza" in row["row"] for row in kept), table


async def test_A2_a_request_from_an_address_that_is_not_proved_waits_for_the_link(post: Post) -> None:
    await post.member()
    assert await post.write("Удалите все мои данные") == 250
    assert await post.requests() == [("deletion", "received")]
    (row,) = await post.fetch("select needs_proof, proved_at, proof from requests")
    assert row["needs_proof"]
    assert row["proved_at"] is None
    link = await the_link(post, "confirm")
    async with post.browser() as browser:
        shown = await browser.get(link)
        assert shown.status_code == 200
        assert await post.requests() == [("deletion", "received")]  # looking changes nothing
        assert (await browser.post(link)).status_code == 200
        assert await post.requests() == [("deletion", "confirmed")]
        assert (await browser.post(link)).status_code == 200  # twice does no harm
        assert (await browser.post(link.replace("?", "A?"))).status_code == 404
    assert await post.acts("request:") == ["request:person:received", "request:person:confirmed"]
    assert await post.drain.once() == Counter(sent=1)  # number, code and deadline


async def test_A2_the_link_is_over_after_three_days(post: Post) -> None:
    await post.write("What data do you hold about me?")
    link = await the_link(post, "confirm")
    post.shop.clock.forward(3 * DAY + SECOND)
    async with post.browser() as browser:
        assert (await browser.get(link)).status_code == 404
        assert (await browser.post(link)).status_code == 404
    assert await post.requests() == [("access", "received")]


async def test_A2_a_proved_sender_needs_no_confirmation_and_the_request_belongs_to_their_account(post: Post) -> None:
    person = await post.member()
    assert await post.write("Maʼlumotlarimdan nusxa yuboring", proved=True) == 250
    assert await post.requests() == [("access", "confirmed")]
    (mine,) = await post.shop.house.follow_request.mine(person)
    assert mine.of_account
    assert (await post.message("request-received"))["person"] == person


async def test_A2_a_proved_sender_whom_nobody_knows_is_answered_without_an_account(post: Post) -> None:
    assert await post.write("Какие данные вы храните обо мне?", proved=True) == 250
    assert await post.requests() == [("access", "confirmed")]
    assert (await post.message("request-received"))["language"] == "ru"


async def test_A2_while_the_account_is_restricted_the_request_stands_beside_it(post: Post) -> None:
    person = await post.member()
    await post.shop.house.choose(Choosing(person=person, kind="restriction", state="given"))
    assert await post.write("удалите мои данные", proved=True) == 250
    assert await post.requests() == [("deletion", "confirmed")]
    assert (await post.message("request-received"))["person"] != person


async def test_A2_what_is_not_understood_becomes_a_case_never_silence(post: Post) -> None:
    assert await post.write("Savol", "Oshni qachon pishirasizlar?") == 250
    assert await post.write("", "🙂") == 250
    assert await post.requests() == [("question", "received")] * 2
    assert await post.waiting() == ["request-received"] * 2


async def test_A2_every_wish_of_one_letter_is_done(post: Post) -> None:
    person = await post.member()
    assert await post.write("Отпишите меня и удалите мои данные", proved=True) == 250
    assert await post.consents(person) == frozenset()
    assert await post.requests() == [("deletion", "confirmed")]


async def test_D2_a_card_number_in_a_letter_is_struck_out_and_the_letter_is_not_lost(post: Post) -> None:
    assert await post.write("Жалоба", "Списали дважды с карты 8600 1234 5678 9012, cvv 123.") == 250
    assert await post.requests() == [("complaint", "received")]


# Reports of machines ------------------------------------------------------------------------------------------------


def bounce(message: str, status: str = "5.1.1", action: str = "failed", recipient: str = MAIL) -> bytes:
    return (
        "From: MAILER-DAEMON@mail.example\r\nTo: x\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nunsubscribe, delete my data\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{message}@beshqozon.uz>\r\n\r\nx\r\n--b--\r\n"
    ).encode()


def complaint(message: str) -> bytes:
    return (
        "From: fbl@provider.example\r\nTo: x\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{message}@beshqozon.uz>\r\n\r\nx\r\n--b--\r\n"
    ).encode()


async def sent_newsletter(post: Post) -> tuple[str, str]:
    person = await post.member()
    await write(post.shop.house, person)
    assert await post.drain.once() == Counter(sent=1)
    return person, (await post.fetch("select id from outbox"))[0]["id"]


async def test_N2_a_mailbox_that_is_not_there_is_written_to_no_more_until_it_is_proved(post: Post) -> None:
    person, message = await sent_newsletter(post)
    victim = await post.member("botir@mail.example")
    raw = bounce(message, recipient="botir@mail.example")  # believed is where it went, not what the report says
    assert await post.hand_over(raw, to=[f"bounce+{message}@beshqozon.uz"], envelope="") == 250
    assert await post.requests() == []
    assert await post.consents(person) == {"marketing-email"}
    for each, outcome in ((person, "refused"), (victim, "sent")):
        await write(post.shop.house, each)
        assert await post.drain.once() == Counter({outcome: 1})
    post.shop.clock.forward(MINUTE)
    await post.fetch("update lookups set verified_at = $1", Instant(post.shop.clock()))  # signs in with a code
    await write(post.shop.house, person)
    assert await post.drain.once() == Counter(sent=1)


async def test_N2_a_delay_and_a_full_mailbox_say_nothing_about_the_next_letter(post: Post) -> None:
    _, message = await sent_newsletter(post)
    for raw in (bounce(message, "4.2.2", "delayed"), bounce(message, "5.2.2"), bounce("msg_" + "a" * 26)):
        assert await post.hand_over(raw, envelope="") == 250
    assert await post.fetch("select * from suppressions") == []
    assert await post.waiting() == []


async def test_C3_a_complaint_about_a_letter_ends_its_consent_and_spares_the_address(post: Post) -> None:
    person, message = await sent_newsletter(post)
    assert await post.hand_over(complaint(message), envelope="fbl@provider.example") == 250
    assert await post.consents(person) == frozenset()
    assert [row["reason"] for row in await post.fetch("select reason from suppressions")] == ["complained"]
    assert await post.waiting() == []


async def test_P2_what_came_back_told_nobody(post: Post) -> None:
    person = await post.member()
    house = post.shop.house
    await write(house, person, template="policy-changed", purpose="service-notices",
                params={"kind": "service-change", "since": "1", "version": "1"})  # fmt: skip
    (row,) = await post.fetch("select id from outbox")
    await post.fetch(
        "insert into notices (person, version, since, channel, state, message, at) "
        "values ($1, 2, 1, 'email', 'queued', $2, $3)", person, row["id"], house.grounds.clock(),
    )  # fmt: skip
    assert await post.drain.once() == Counter(sent=1)
    for raw in (complaint(row["id"]), bounce(row["id"])):
        await post.fetch("update notices set state = 'handed-over'")
        assert await post.hand_over(raw, envelope="") == 250
        assert (await post.fetch("select state from notices"))[0]["state"] == "failed"
        post.shop.clock.forward(DAY)
    assert (await post.fetch("select told from persons"))[0]["told"] == 1


async def test_P2_a_report_that_is_faster_than_our_own_mark_is_asked_for_again(post: Post) -> None:
    person = await post.member()
    await write(post.shop.house, person)
    (message,) = await post.drain.outbox.claim_due(most=1, now=post.shop.clock())
    digest = post.shop.house.suppressing.digest(MAIL)
    assert await post.drain.outbox.begin_hand_over(message, now=post.shop.clock(), sent_to=digest)
    assert await post.hand_over(bounce(message.id), envelope="") == 451
    await post.fetch("update outbox set state = 'sent', settled_at = $1", Instant(post.shop.clock()))
    assert await post.hand_over(bounce(message.id), envelope="") == 250
    assert [row["reason"] for row in await post.fetch("select reason from suppressions")] == ["bounced"]


async def test_N2_letters_go_out_with_a_return_path_that_names_them(post: Post) -> None:
    assert post.drain.post.returns("msg_x") == "bounce+msg_x@beshqozon.uz"
    addresses = Addresses(MAILBOX, post.shop.house.grounds.vault.keyed_digest)
    person = await post.member()
    address = addresses.leave(person=person, purpose="marketing-email")
    detail = address.partition("+")[2].partition("@")[0]
    purposes = ["survey-invitation", "marketing-email"]
    assert addresses.leaves(detail, purposes) == (person, "marketing-email")
    assert addresses.leaves(detail, ["survey-invitation"]) is None
    for place in range(len(detail)):  # no letter of it can be changed
        changed = detail[:place] + ("a" if detail[place] != "a" else "b") + detail[place + 1 :]
        assert addresses.leaves(changed, purposes) is None
