"""What the company writes: staff, letters, holds, what parents are asked; and the words it says to everybody."""

from dataclasses import dataclass
from typing import Any, Final

from omonat.base.instants import DAY, Instant, to_rfc3339
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import system_clock
from tests.faults.planting import Planter
from tests.flows.conftest import document
from tests.flows.test_parent_asks import listing

BIRTH: Final = "2017-04-05"


@dataclass
class Company:
    """Writes as the company's staff and systems do."""

    hand: Planter

    async def plant(self) -> None:
        """All of it. A new version of the policy comes late, and before anybody has a password to publish it with."""
        await self._messages()
        await self._hold()
        await self._announced()
        await self._told_to_many()
        await self._clients()
        await self._register()
        await self._campaigns()
        await self._children()
        await self._staff()

    async def _staff(self) -> None:
        hand, trained = self.hand, Instant(system_clock() + 300 * DAY)
        member = Registration(
            ref="777",
            name=hand.mark("staff.name"),
            role="courier",
            trained_until=trained,
            login=hand.mark("staff.login"),
        )
        await hand.house.staff.put(member, by="test")
        hand.planted.needles["staff.totp"] = await hand.house.staff.set_secrets("777", hand.mark("staff.password"))
        name = hand.mark("client.name")
        await hand.house.clients.issue(name=name, source="site", roles=["system"])
        said = {"name": hand.mark("staff.api-name"), "login": hand.mark("staff.api-login"), "role": "courier"}
        await hand.done("/v1/staff/778", said | {"trained-until": to_rfc3339(trained)}, "officer", "PUT")

    async def _messages(self) -> None:
        """Free words and amounts of messages; they wait, for nobody carries them."""
        hand = self.hand
        words = {"title": hand.mark("message.title"), "text": hand.mark("message.text")}
        total = 91_234_560_000 + len(hand.planted.needles)
        hand.planted.needles["message.total"] = str(total)
        notice: dict[str, Any] = {"template": "service-notice", "purpose": "service-notices", "channel": "sms"}
        confirmation: dict[str, Any] = {"template": "order-confirmation", "purpose": "order-messages", "channel": "sms"}
        for body in (
            {**notice, "params": {"kind": "service-change", **words}, "once": hand.mark("message.once")},
            {**confirmation, "params": {"order": "1", "delivery": 1, "total": total}, "case": hand.planted.case},
        ):
            await hand.done("/v1/messages", {"person": hand.planted.person, **body}, "site")

    async def _hold(self) -> None:
        """An authority's order over somebody of its own."""
        held = await self.hand.somebody("order", contact_name=self.hand.mark("held.name"))
        review = to_rfc3339(Instant(system_clock() + 90 * DAY))
        order = {"scope": "person", "target": held.person, "review-at": review, "may-tell": False}
        authority = f"Toshkent shahar sudi, {self.hand.mark('hold.authority')}"
        hold = await self.hand.done("/v1/holds", {**order, "authority": authority, "on-behalf-of": "901"}, "officer")
        await self.hand.done(f"/v1/holds/{hold['id']}/approve", {"on-behalf-of": "902"}, "officer")

    # Words to everybody ----------------------------------------------------------------------------------------------

    def _says(self, place: str) -> dict[str, dict[str, str]]:
        """A title and a text in three languages, a marker in each."""
        spoken = {"uz": "Nosozlik", "ru": "Сбой", "en": "A failure"}
        return {
            tongue: {part: f"{said} {self.hand.mark(f'{place}.{part}-{tongue}')}" for part in ("title", "text")}
            for tongue, said in spoken.items()
        }

    async def _announced(self) -> None:
        written = {"says": self._says("announcement"), "on-behalf-of": "901"}
        made = f"/v1/announcements/{(await self.hand.done('/v1/announcements', written, 'officer'))['id']}"
        await self.hand.done(f"{made}/approve", {"on-behalf-of": "903"}, "officer")
        better = {"says": self._says("announcement-draft"), "on-behalf-of": "901"}
        await self.hand.done(f"{made}/words", better, "officer")
        media = {"medium": self.hand.mark("media.medium"), "reference": self.hand.mark("media.reference")}
        await self.hand.done(f"{made}/media", {**media, "on": "2026-11-01", "on-behalf-of": "901"}, "officer")

    async def _told_to_many(self) -> None:
        written = {"says": self._says("many"), "on-behalf-of": "901", "kind": "system-error"}
        audience = {"audience": "service", "service": "order"}
        made = await self.hand.done("/v1/service-notices", {**written, **audience}, "officer")
        await self.hand.done(f"/v1/service-notices/{made['id']}/approve", {"on-behalf-of": "903"}, "officer")

    async def _clients(self) -> None:
        """Business clients: by which procedure they are told, and who they are."""
        hand = self.hand
        step = {"id": hand.mark("procedure.step"), "part": hand.mark("procedure.part"), "occasion": "engaged"}
        steps = [{**step, "within-days": 3, "channels": ["email"], "says": self._says("procedure")}]
        await hand.done("/v1/client-procedures", {"steps": steps, "on-behalf-of": "901"}, "officer")
        fields = {"id": hand.mark("procedure-desk.step"), "part": hand.mark("procedure-desk.part"), "within": "3"}
        fields |= {"occasion": "engaged", "by-email": "yes", "do": "put"}
        for tongue, words in self._says("procedure-desk").items():
            fields |= {f"{part}-{tongue}": said for part, said in words.items()}
        await hand.led("desk", "901", "/desk/clients/procedure", **fields)
        client = {"name": hand.mark("business-client.name"), "on-behalf-of": "901"}
        await hand.done("/v1/business-clients", client, "officer")

    async def _register(self) -> None:
        """Hosts and rooms, and where the proof lies that they were looked at."""
        hand, here = self.hand, "/desk/safeguards"
        room = hand.mark("place.name")
        fields = {"do": "add", "kind": "room", "name": room, "seen": f"Inventar {hand.mark('place.proof')}"}
        await hand.led("desk", "906", here, **fields)
        review = {"do": "review", "about": f"room/{room}", "kept": "yes"}
        await hand.led("desk", "906", here, **review, proof=f"Dalolatnoma {hand.mark('safeguard.proof')}")

    async def _campaigns(self) -> None:
        hand = self.hand
        texts: dict[str, Any] = {"text": f"Sumalak tekin. {hand.mark('campaign.words-text')} " * 3}
        texts |= {
            "subject": hand.mark("campaign.words-subject"),
            "translations": {"ru": f"Да {hand.mark('campaign.words-ru')}"},
        }
        named = {"name": hand.mark("campaign.name"), "purpose": "marketing-email", "channel": "email"}
        await hand.done("/v1/campaigns", {**named, **texts, "on-behalf-of": "904"}, "marketing")

    # Children and their parents --------------------------------------------------------------------------------------

    async def _children(self) -> None:
        """A consent on paper, a mistake that was cleared up, and a parent who is written to where the law lets them."""
        hand, signal = self.hand, {"signal": "staff"}
        parent = await hand.somebody("registration", contact_mobile=hand.phone())
        paper, wrong, asked = [await hand.somebody("registration", contact_mobile=hand.phone()) for _ in range(3)]
        for child in (paper, wrong, asked):
            await hand.done("/v1/children/signals", {"person": child.person, **signal}, "officer")
        methods = await hand.house.child_cases.methods()
        method = next(each.id for each in methods if each.by.value == "staff")
        form = {"person": paper.person, "state": "given", "on-behalf-of": "901", "method": method, "born": BIRTH}
        form["reference"] = f"Qogʻoz {hand.mark('guardian.reference')}"
        hand.planted.needles["guardian.phone"] = parent.items["contact.mobile"][4:]
        await hand.done("/v1/children/consents", form | {"guardian": parent.items["contact.mobile"]}, "officer")
        proof = {"do": "clear", "cause": "age-proved", "proof": hand.mark("committed.proof-of-age")}
        await hand.led("desk", "901", f"/desk/children/{wrong.person}", **proof, proved_born="1990-02-03")

        second = document(**{'version: "1"': 'version: "2"'})
        published = Publication(document=second, packs=listing(), author="staff:1", approver="staff:2")
        await hand.house.publish(published)
        question = {"do": "ask", "ask-method": "message-plus", "language": "uz", "ask-born": BIRTH}
        question["address"] = hand.email("parent.address")
        await hand.led("desk", "901", f"/desk/children/{asked.person}", **question)
