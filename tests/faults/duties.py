"""Two clients of people who leave, and what must stay of them whatever breaks: what an authority holds, what a dispute
may need, and the amount the tax office may ask for. All else of theirs goes (I6, I8; R2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from omonat.vault.vault import Vault
from tests.faults.model import Operation

if TYPE_CHECKING:
    from tests.faults.clients import Town

OFFICERS = ("901", "902")
BOOKKEEPER = "601"
TAXED = "transaction.amount"
KEPT = ("contact.name", "contact.mobile", "transaction.order-lines", TAXED)
"""What the policy's rules keep of an order that was just closed, whoever asks for erasure: disputes, and tax."""
HELD_AT_ONCE = 5
ASKED_BY_THE_BOOKS = 20
"""At one rest: an hour's uses of one of the staff are limited."""

_SECTIONS = (
    "select s.record, s.category, s.sealed, r.slot, r.version, p.slot as person_slot from sections s"
    " join records r on r.id = s.record join persons p on p.id = s.person where s.person = $1"
)


@dataclass(slots=True)
class Held:
    """Somebody whose data an authority holds, by a hold that was acknowledged."""

    id: str
    order: Operation
    erased: bool = False
    ending: bool = False
    over: bool = False

    @property
    def person(self) -> str:
        return str(self.order.answer["person"])


class Duties:
    """The clients' memory of what must be kept, and how to look whether it is."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self._employed: set[str] = set()
        self.held: list[Held] = []
        self.taxed: dict[str, Operation] = {}
        """Orders that were closed and whose people were erased afterwards, both acknowledged, by person."""
        self.amounts_read = 0

    # The clients --------------------------------------------------------------------------------------------------

    async def leave(self, number: int) -> None:
        """Somebody orders and is erased: in the middle of it, or once the order is closed."""
        town = self._town
        order = await town.someone(number, 1.0)
        if order is None:
            return
        person = order.answer["person"]
        register, consent = ("held", person), ("consent:marketing-sms", person)
        wants = {"purpose": consent[0].partition(":")[2], "person": person}
        given = await town.ask("consent", consent, "given", "/v1/consents", {**wants, "state": "given"})
        if given.outcome != "ok":
            return
        # an open order keeps what its delivery needs; nothing keeps it for marketing
        closed = town.chance.random() < 0.5 and await self._close(order)
        await town.ask("market", register, "", "/v1/use", wants)
        if await self._erase(person) and closed:
            self.taxed[person] = order
        await town.ask("market", register, "", "/v1/use", wants)

    async def hold(self, number: int) -> None:
        """Somebody's order is held by an authority, closed, and they are erased; some holds end, by two officers."""
        if not all([await self._employ(ref, "privacy-officer") for ref in OFFICERS]):
            return
        standing = [one for one in self.held if not one.over]
        if len(standing) >= HELD_AT_ONCE:
            await self._end(self._town.chance.choice(standing))
        else:
            await self._place(number)

    async def _place(self, number: int) -> None:
        order = await self._town.someone(number, 1.0)
        if order is None:
            return
        review = datetime.now(UTC) + timedelta(days=90)
        body = {"scope": "person", "target": order.answer["person"], "authority": "Toshkent shahar sudi, 12-345"}
        body |= {"review-at": review.isoformat(), "may-tell": False, "on-behalf-of": OFFICERS[0]}
        placed = await self._town.ask("hold", None, "", "/v1/holds", body, by="officer")
        if placed.outcome != "ok":
            return
        held = Held(placed.answer["id"], order)
        self.held.append(held)
        await self._approve(held)  # it stands for three days without
        # not before it is held: the address goes with the order, as soon as the sweeper comes by
        held.erased = await self._close(order) and await self._erase(held.person)

    async def _end(self, held: Held) -> None:
        held.ending = True
        body = {"on-behalf-of": OFFICERS[0]}
        asked = await self._town.ask("end-hold", None, "", f"/v1/holds/{held.id}/end", body, by="officer")
        if asked.outcome == "ok":
            held.over = await self._approve(held)
        elif asked.code == "hold-over":  # an approval was cut off, and happened
            held.over = True

    async def _approve(self, held: Held) -> bool:
        body = {"on-behalf-of": OFFICERS[1]}
        return (await self._said("approve-hold", f"/v1/holds/{held.id}/approve", body)).outcome == "ok"

    async def _close(self, order: Operation) -> bool:
        done = await self._town.ask("close", ("case", order.about), "closed", f"/v1/cases/{order.about}/close", {})
        return done.outcome == "ok"

    async def _erase(self, person: str) -> bool:
        town = self._town
        done = await town.ask("erase", ("held", person), "no", "/v1/erasures", {"person": person}, by="officer")
        if done.outcome == "ok":
            town.erased[done.answer["id"]] = person
        return done.outcome == "ok"

    async def _said(self, act: str, path: str, body: Mapping[str, Any]) -> Operation:
        return await self._town.ask(act, None, "", path, body, by="officer")

    async def _employ(self, ref: str, role: str) -> bool:
        """Put somebody on the staff, until it is acknowledged."""
        if ref not in self._employed:
            until = (datetime.now(UTC) + timedelta(days=300)).isoformat()
            body = {"name": f"Xodim {ref}", "role": role, "trained-until": until}
            done = await self._town.ask("employ", None, "", f"/v1/staff/{ref}", body, put="officer")
            self._employed |= {ref} if done.outcome == "ok" else set()
        return ref in self._employed

    # What must be so ----------------------------------------------------------------------------------------------

    async def outlived(self, owner: asyncpg.Connection, vault: Vault) -> list[str]:
        """What stayed though its hold is over. The sweeper follows in its own time: ask again. Names no value."""
        found = []
        for held in self.held:
            if held.over and held.erased and (left := (await opened(owner, vault, held.person)).keys() - {*KEPT}):
                found.append(f"{', '.join(sorted(left))} outlived a hold")
        return found

    async def lost(self, owner: asyncpg.Connection, vault: Vault) -> list[str]:
        """What a duty keeps and isn't there any more as it was sent, read from the tables with the keys that are."""
        must = [(held.order, list(held.order.sent), "held") for held in self.held if not held.ending]
        must += [(order, list(KEPT), "kept by a rule") for order in self.taxed.values()]
        found = []
        for order, items, why in must:
            there = await opened(owner, vault, order.answer["person"])
            found += [f"{item} was {why} and is lost" for item in items if there.get(item) != order.sent[item]]
        return found

    async def books(self) -> list[str]:
        """What the tax office may ask for is given out, whole; nothing else of who was erased. Only at rest."""
        if not await self._employ(BOOKKEEPER, "finance"):
            return ["the bookkeeper could not be employed"]
        found = []
        for person in list(self.taxed)[-ASKED_BY_THE_BOOKS:]:
            body = {"purpose": "tax-reporting", "person": person, "on-behalf-of": BOOKKEEPER}
            read = await self._town.ask("tax", None, "", "/v1/use", body, by="books")
            items = read.answer.get("items") if read.outcome == "ok" else read.code
            if items != {TAXED: self.taxed[person].sent[TAXED]}:
                found.append(f"the books were given {sorted(items) if isinstance(items, dict) else items}")
            self.amounts_read += 1
        return found


async def opened(owner: asyncpg.Connection, vault: Vault, person: str) -> Mapping[str, Any]:
    """Every item that is held of somebody, by its name, whether or not anybody may use it."""
    found: dict[str, Any] = {}
    for row in await owner.fetch(_SECTIONS, person):
        section = vault.open_section(
            person=person, person_slot=row["person_slot"], record=row["record"], record_slot=row["slot"],
            category=row["category"], version=row["version"], sealed=row["sealed"],
        )  # fmt: skip
        found |= {f"{row['category']}.{name}": value for name, value in section.items()}
    return found
