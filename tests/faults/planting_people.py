"""What people write: requests and answers, corrections, letters to the mailbox, what they type to be let in."""

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Final

from omonat.mail.listener import Inbox, listen
from tests.faults.planting import LOCAL, Kept, Planter, cookies_of

MAILBOX: Final = "webmaster@beshqozon.uz"


@dataclass
class People:
    """Writes as people do, and as staff who answer them."""

    hand: Planter

    async def plant(self) -> None:
        """All of it."""
        await self._requests()
        await self._letters()
        await self._looked_at()
        await self._typed()
        await self._at_the_desk()

    # Requests --------------------------------------------------------------------------------------------------------

    async def _requests(self) -> None:
        """Complaints and corrections: on the site, in the Privacy Center, by telephone; found by staff; answered."""
        hand = self.hand
        complaint = {"kind": "complaint", "text": f"Kuryer {hand.mark('request.text')} dedi."}
        complaint |= {"name": hand.mark("request.name"), "contact": hand.email("request.contact")}
        assert (await hand.fill("/complain", **complaint)).status_code == 303
        await self._answered("complaint", "upheld", f"Kuryer {hand.mark('answer.text')} demaydi.")

        asked = {"kind": "correction", "text": hand.mark("called.text"), "item": "contact.name"}
        asked |= {"name": hand.mark("called.name"), "contact": hand.email("called.contact")}
        await hand.done("/v1/requests", asked | {"value": hand.mark("called.value")}, "call-centre")

        member = await hand.somebody("registration", contact_name=hand.mark("correction.old"))
        put_in = {"record": member.record, "item": "contact.name", "value": hand.mark("correction.new")}
        await hand.led("center", member.person, "/me/correct", **put_in)
        await self._new_channel(member)
        wanted = {"kind": "correction", "text": hand.mark("center.text"), "item": "contact.name"}
        await hand.led("center", member.person, "/complain", **wanted, value=hand.mark("center.value"))
        await self._corrected("correction", hand.mark("desk.correction"))
        await self._found(await hand.somebody("order", contact_name=hand.mark("found.old")))

    async def _number(self, kind: str) -> str:
        """The newest request of a kind that nobody has answered, proved by now."""
        async with self.hand.house.grounds.database.connection() as connection:
            found = await connection.fetchval(
                "select number from requests where kind = $1 and answered_at is null and (proved_at is not null or"
                " not needs_proof) order by received_at desc limit 1", kind,
            )  # fmt: skip
        return str(found)

    async def _answered(self, kind: str, outcome: str, text: str) -> None:
        here = f"/desk/requests/{await self._number(kind)}"
        await self.hand.led("desk", "901", here, do="claim")
        await self.hand.led("desk", "901", here, do="answer", text=text, outcome=outcome)

    async def _corrected(self, kind: str, value: str) -> None:
        """Staff put in what they were told, and say so."""
        here = f"/desk/requests/{await self._number(kind)}"
        await self.hand.led("desk", "901", here, do="claim")
        await self.hand.led("desk", "901", here, do="correct", item="contact.name", value=value)

    async def _new_channel(self, member: Kept) -> None:
        """A new phone waits for its code: the message carries it, the browser keeps it."""
        phone = self.hand.phone()
        self.hand.planted.needles["correction.channel"] = phone[4:]
        put_in = {"record": member.record, "item": "contact.mobile", "value": phone}
        kept = await self.hand.led("center", member.person, "/me/correct", **put_in)
        async with self.hand.house.grounds.database.connection() as connection:
            ticket = await connection.fetchval("select id from sign_in_codes order by created_at desc limit 1")
        typed = {"code": self.hand.mark("typed.code"), "ticket": str(ticket)}
        tried = await self.hand.press("center", member.person, "/me/correct/code", cookie=cookies_of(kept), **typed)
        assert tried.status_code == 401, tried.status_code

    async def _found(self, customer: Kept) -> None:
        """Staff note that a name is wrong, and how they know."""
        hand = self.hand
        fields = {"do": "found", "purpose": "identify-and-contact", "wrong": "contact.name"}
        await hand.led("desk", "905", f"/desk/case/{customer.case}", **fields, text=hand.mark("found.text"))

    # Letters ---------------------------------------------------------------------------------------------------------

    async def _letters(self) -> None:
        """By SMTP, as the mail server in front hands them over: a question, and somebody unknown who leaves."""
        hand = self.hand
        server = await listen(Inbox(lambda: hand.house, "mx.beshqozon.uz"), host="127.0.0.1", port=0)
        port = server.sockets[0].getsockname()[1]
        letter = EmailMessage()
        letter["From"] = f"{hand.mark('refused.letter-name').title()} <{hand.email('letter.sender')}>"
        letter["Subject"] = f"Ish vaqti {hand.mark('letter.subject')}"
        letter["Message-ID"] = f"<{hand.mark('refused.letter-id')}@mail.example>"
        letter["X-Mailer"] = hand.mark("refused.letter-header")
        letter.set_content(f"Soat nechada ochasiz? {hand.mark('letter.text')}")
        enclosed = {"maintype": "application", "subtype": "pdf", "filename": f"{hand.mark('refused.letter-file')}.pdf"}
        letter.add_attachment(f"%PDF {hand.mark('refused.letter-enclosed')}".encode(), **enclosed)
        leaving = EmailMessage()
        leaving["From"], leaving["Subject"] = hand.email("letter.leaving"), "Obunani bekor qiling"
        leaving["Message-ID"] = f"<{hand.mark('refused.leaving-id')}@mail.example>"
        leaving.set_content("unsubscribe")
        try:
            for each in (letter, leaving):
                each["To"] = MAILBOX
                envelope = hand.email(f"refused.envelope-{len(hand.planted.needles)}")
                assert await asyncio.to_thread(self._hand_over, port, envelope, each) == {}
        finally:
            server.close()

    @staticmethod
    def _hand_over(port: int, envelope: str, letter: EmailMessage) -> dict[str, Any]:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
            return server.send_message(letter, from_addr=envelope, to_addrs=[MAILBOX])

    # What is looked at and let go ------------------------------------------------------------------------------------

    async def _looked_at(self) -> None:
        """Keys of requests, what is looked up, who is asked for at the door, what nobody understands."""
        hand = self.hand
        choice = {"person": hand.planted.person, "purpose": "marketing-sms", "state": "given"}
        key = hand.mark("request.key")
        assert (await hand.post("/v1/consents", choice, "site", key=key)).status_code == 201
        phone, nonsense = hand.phone(), hand.mark("refused.nonsense")
        hand.planted.needles["refused.lookup"] = phone[4:]
        lookup = {"purpose": "identify-and-contact", "item": "contact.mobile", "value": phone}
        await hand.post("/v1/lookups", lookup, "privacy-center")
        for path, body in (
            ("/v1/collect", {"service": nonsense, "items": {nonsense: nonsense}}),
            ("/v1/use", {"purpose": nonsense, "person": nonsense}),
            (f"/v1/cases/order:none/close?{nonsense}", {nonsense: nonsense}),
        ):
            assert (await hand.post(path, body, "site")).status_code >= 400
        await hand.house.sessions.open("me", hand.planted.person, hand.mark("session.state").encode())
        posted = {"posted": {"contact.name": hand.mark("typed.form")}}
        assert (await hand.post("/v1/services/order/form.html", posted, "site")).status_code == 200

    async def _typed(self) -> None:
        """At the entrance of the Privacy Center: who somebody says they are, and every proof of it."""
        hand = self.hand
        asked = await hand.fill("/me", who=hand.email("refused.email"))
        assert asked.status_code == 303
        assert (await hand.fill("/me/code", cookies_of(asked), code=hand.mark("typed.sign-in-code"))).status_code == 401
        await hand.fill("/me/order", cookies_of(asked), order=hand.mark("typed.order"))
        status = {"number": hand.mark("typed.number"), "code": hand.mark("typed.request-code")}
        assert (await hand.fill("/complain/status", **status)).status_code == 404
        lock = {"password": hand.mark("typed.copy-password"), "recipient": hand.mark("typed.copy-recipient")}
        await hand.press("center", hand.planted.person, "/me/copy", form="json", **lock)
        for path, said in (
            ("/site/cookie-choice", {"register": "none", "allowed": [hand.mark("refused.cookie")], "how": "some"}),
            ("/v1/unseal", {"passphrase": hand.mark("typed.passphrase")}),
            ("/v1/unseal", {"share": hand.mark("typed.share")}),
        ):
            assert (await hand.http.post(path, json=said, headers={"origin": LOCAL})).status_code < 500, path
        seen = {"found": [{"kind": "cookie", "name": hand.mark("site.cookie-name")}]}
        assert (await hand.http.post("/site/report", json=seen, headers={"origin": LOCAL})).status_code < 300
        answers = {"relationship.gender": hand.mark("refused.answer")}
        await hand.fill("/page/about-visitors", **answers)

    async def _at_the_desk(self) -> None:
        """What staff type to be let in, to open a case, to find somebody."""
        hand = self.hand
        secrets = {"login": hand.mark("typed.login"), "password": hand.mark("typed.password")}
        assert (await hand.fill("/desk/sign-in", **secrets, code="123456")).status_code < 500
        for path, fields in (
            ("/desk/open", {"kind": "order", "number": hand.mark("typed.case-number")}),
            ("/desk/find", {"by": "identify-and-contact/contact.email", "value": hand.email("typed.find")}),
            ("/desk/children", {"person": hand.mark("typed.child-id")}),
            ("/desk/clients", {"trader": hand.mark("typed.trader-id")}),
        ):
            who = "905" if path in ("/desk/open", "/desk/find") else "901"
            await hand.press("desk", who, path, **fields)
