"""Whatever happens in whatever order, cut off wherever: the read refuses exactly what is due, the sweeper removes
exactly that, and an older dump opens nothing more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import OmonatError, Refused
from omonat.base.instants import DAY, Instant
from omonat.flows.cases import CaseEvent
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase import Erase, ErasureRequest
from omonat.flows.sweep import Sweeper
from tests.erasure.stories import ordered, swept
from tests.flows.conftest import Shop, street

__all__ = ["street"]

ITEMS = (
    *("contact.name", "contact.mobile", "contact.postal-address", "contact.landmark"),
    *("transaction.order-lines", "transaction.amount"),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 2)),
        st.tuples(st.just("close"), st.integers(0, 5)),
        st.tuples(st.just("complain"), st.integers(0, 5)),
        st.tuples(st.just("forward"), st.sampled_from([1, 29, 31, 180, 366, 1900])),
        st.tuples(st.just("erase"), st.integers(0, 2)),
        st.tuples(st.just("erase-record"), st.integers(0, 5)),
        st.tuples(st.just("erase-items"), st.integers(0, 5)),
        st.tuples(st.just("cut"), st.integers(0, 3)),
        st.tuples(st.just("sweep"), st.just(0)),
    ),
    min_size=4,
    max_size=14,
)

SEALED = "select sealed from sections where record = $1"


class Cut(Exception):
    """The process died here."""


def cut_after(steps: int) -> Callable[[str], None]:
    left = iter(range(steps))

    def reached(step: str) -> None:
        if next(left, None) is None:
            raise Cut(step)

    return reached


@dataclass
class Order:
    """One order as a child would keep it: what was given, and what happened to it."""

    answer: CollectAnswer
    anchors: dict[str, Instant]
    closed: bool = False
    gone: set[str] = field(default_factory=set)


@dataclass
class Person:
    """Somebody, and their orders."""

    id: str | None = None
    erased: bool = False
    orders: list[Order] = field(default_factory=list)


class Town:
    """Three people of this example, what should be known of them, and every dump a thief took."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.people = [Person() for _ in range(3)]
        self.dumped: list[Any] = []

    async def do(self, action: str, which: int) -> None:
        if action == "forward":
            self.shop.clock.forward(which * DAY)
        elif action == "sweep":
            await self.sweep()
            await self.check_swept()
        elif action == "cut":
            await self.cut(which)
        elif action in ("order", "erase"):
            await (self.order if action == "order" else self.erase)(self.people[which])
        else:
            orders = [(person, order) for person in self.people for order in person.orders]
            if orders:
                person, order = orders[which % len(orders)]
                await self.change(action, person, order)

    async def sweep(self) -> None:
        await swept(self.shop)
        for order in (order for person in self.people for order in person.orders):
            order.gone |= set(ITEMS) - self.kept(order)

    async def order(self, person: Person) -> None:
        if person.erased:
            return
        try:
            answer = await ordered(self.shop, person=person.id)
        except Refused:  # swept away meanwhile: of whom nothing is held, nobody is
            assert not any(self.lives(order) for order in person.orders)
            person.erased = True
            return
        person.id = answer.person
        now = self.shop.clock.now
        person.orders.append(Order(answer, {"collected": now, "case-opened": now}))

    async def erase(self, person: Person) -> None:
        if person.id is None or person.erased:
            return
        try:
            await self.shop.house.erase(ErasureRequest(person=person.id))
        except Refused:
            assert not any(self.lives(order) for order in person.orders)
        person.erased = True
        for order in person.orders:
            self.ask(order, leaving=True)

    def ask(self, order: Order, *, leaving: bool, item: str = "") -> None:
        now = self.shop.clock.now
        if item:
            order.anchors.setdefault("erasure", Instant(0))
            order.anchors.setdefault(f"erasure:{item}", now)
        else:
            order.anchors["erasure"] = order.anchors.get("erasure") or now
        if leaving:
            order.anchors.setdefault("account-closed", now)
            order.anchors.setdefault("consent-withdrawn", now)
        order.gone |= set(ITEMS) - self.kept(order)

    async def change(self, action: str, person: Person, order: Order) -> None:
        now, case = self.shop.clock.now, order.answer.case
        assert case is not None
        if action == "close" and not order.closed:
            await self.event(case, "case-closed")
            order.closed, order.anchors["case-closed"] = True, now
        elif action == "complain":
            await self.sweep()  # a complaint keeps what is there still; what is gone is gone
            await self.event(case, "last-complaint")
            order.anchors["last-complaint"] = now
        elif action.startswith("erase-") and not person.erased:
            item = "contact.landmark" if action == "erase-items" else ""
            request = ErasureRequest(
                person=order.answer.person, record=order.answer.record, items=(item,) if item else ()
            )
            try:
                await self.shop.house.erase(request)
            except Refused:
                assert not self.lives(order)
            self.ask(order, leaving=False, item=item)

    async def event(self, case: str, name: str) -> None:
        await self.shop.house.cases.event(CaseEvent(credential=self.shop.credentials["panel"], case=case, name=name))

    async def cut(self, steps: int) -> None:
        grounds = self.shop.house.grounds
        reached = cut_after(steps)
        sweeper = Sweeper(grounds, Erase(grounds, reached=reached), reached=reached)
        try:
            await sweeper.confirm_clock(by="test")
            await sweeper.round()
        except Cut:
            return

    # What must be true ------------------------------------------------------------------------------------------

    def kept(self, order: Order) -> set[str]:
        law = self.shop.house.grounds.law.history()[-1]
        now = self.shop.clock.now
        return {item for item in ITEMS if law.due("order", item, order.anchors).instant > now} - order.gone

    def lives(self, order: Order) -> bool:
        return bool(self.kept(order))

    async def check_read(self) -> None:
        for person in self.people:
            if person.id is None:
                continue
            expected = {(o.answer.record, item) for o in person.orders for item in self.kept(o)}
            try:
                seen = {(h.record, h.item) for h in (await self.shop.house.my_data(person.id)).held}
            except Refused:
                assert person.erased or not expected
                continue
            assert not person.erased
            assert seen == expected

    async def check_swept(self) -> None:
        stored: set[tuple[str, str]] = set()
        for row in await self.rows():
            stored |= {(row["record"], f"{row['category']}.{name}") for name in self.opened(row)}
        orders = [order for person in self.people for order in person.orders]
        assert stored == {(o.answer.record, item) for o in orders for item in self.kept(o)}
        for row in self.dumped:
            try:
                found = {(row["record"], f"{row['category']}.{name}") for name in self.opened(row)}
            except OmonatError:
                continue
            assert found <= stored

    async def rows(self) -> list[Any]:
        rows: list[Any] = await self.shop.house.grounds.database.pool.fetch(
            "select s.record, s.category, s.person, s.sealed, r.slot, r.version, p.slot as person_slot"
            "  from sections s join records r on r.id = s.record join persons p on p.id = s.person"
            " where s.person = any($1)",
            [person.id for person in self.people if person.id is not None],
        )
        return rows

    def opened(self, row: Any) -> Iterator[str]:
        return iter(
            self.shop.house.grounds.vault.open_section(
                person=row["person"], person_slot=row["person_slot"], record=row["record"], record_slot=row["slot"],
                category=row["category"], version=row["version"], sealed=row["sealed"],
            )
        )  # fmt: skip


async def settled(shop: Shop) -> CollectAnswer:
    """A neighbour nobody touches."""
    request = CollectRequest(
        credential=shop.credentials["site"], service="newsletter", items={"contact.email": "neighbour@example.com"},
        version="1", consents={"marketing-email": True},
    )  # fmt: skip
    return await shop.house.collect(request)


@settings(max_examples=20)
@given(actions=ACTIONS)
async def test_R3_read_and_sweeper_agree_to_the_item_whatever_happens(
    street: Shop, actions: list[tuple[str, int]]
) -> None:
    shop, near, began = street, await settled(street), street.clock.now
    before = await shop.house.grounds.database.pool.fetchval(SEALED, near.record)
    assert before
    town = Town(shop)
    for action, which in actions:
        await town.do(action, which)
        await town.check_read()
        town.dumped += await town.rows()
    await town.sweep()
    await town.check_read()
    await town.check_swept()
    after = await shop.house.grounds.database.pool.fetchval(SEALED, near.record)
    law = shop.house.grounds.law.history()[-1]
    due = law.due("newsletter", "contact.email", {"collected": began}).instant
    assert after == (before if shop.clock.now < due else None)
    assert await shop.house.grounds.database.pool.fetchval("select count(*) from erasures where swept_at is null") == 0
