"""Eight clients that order, look, consent, withdraw and close, and write down what they were told."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.whole.history import History, Operation
from tests.whole.serving import Service

PURPOSE = "marketing-sms"
PATIENCE = 15.0
SHARED = 4
"""People whose consent several clients change at the same time."""


class Town:
    """All clients together. Their names, numbers and addresses occur nowhere else in the world."""

    def __init__(self, credentials: Mapping[str, str], *, clients: int = 8, seed: int = 1) -> None:
        self.history = History()
        self.credentials = credentials
        self._random = [random.Random(seed * 1000 + n) for n in range(clients)]
        self._open: list[list[Operation]] = [[] for _ in range(clients)]
        self._closed: list[list[str]] = [[] for _ in range(clients)]
        self._shared: list[str] = []
        self.mark = spelled(26**7 + uuid4().int % 26**7)
        """In every name and address the clients send, and nowhere else."""
        self._series = uuid4().hex[:8]
        self._numbers = uuid4().int % 9_000_000
        self._orders = 0

    def values(self) -> list[str]:
        """Every value of personal data the clients ever sent."""
        found = {v for o in self.history.of("collect") for v in o.sent.values() if isinstance(v, str)}
        return sorted(found)

    @asynccontextmanager
    async def at_work(self, service: Service, pause: float = 0.0) -> Any:
        """The clients work while the block runs; afterwards every request has ended."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(len(self._random)):
                group.create_task(self._client(service, number, stop, pause))
            try:
                yield
            finally:
                stop.set()

    async def _client(self, service: Service, number: int, stop: asyncio.Event, pause: float) -> None:
        chance = self._random[number]
        async with connected(service, self.credentials["site"]) as http:
            while not stop.is_set():
                operation = await self._something(http, number, chance)
                if operation.outcome == "unknown":
                    await asyncio.sleep(0.05)  # as a client waits before it tries again
                await asyncio.sleep(pause)

    async def _something(self, http: httpx.AsyncClient, number: int, chance: random.Random) -> Operation:
        orders, closed = self._open[number], self._closed[number]
        if len(orders) < 3 or chance.random() < 0.25:
            return await self._order(http, number)
        order = chance.choice(orders)
        person = chance.choice(self._shared) if self._shared and chance.random() < 0.5 else order.answer["person"]
        match chance.choices(["use", "market", "give", "withdraw", "close", "closed"], [4, 4, 2, 2, 1, 1])[0]:
            case "use":
                return await self.use(http, order.about)
            case "market":
                return await self.market(http, person)
            case "give" | "withdraw" as act:
                return await self.choose(http, person, act)
            case "closed" if closed:
                return await self.use(http, chance.choice(closed))
            case _:
                orders.remove(order)
                closed.append(order.about)
                return await self._asked(http, "close", order.about, f"/v1/cases/{order.about}/close", {}, uuid4().hex)

    async def _order(self, http: httpx.AsyncClient, number: int) -> Operation:
        self._orders += 1
        n = self._orders
        items: dict[str, Any] = {
            "contact.name": f"Oysuluv {self.mark.title()}{spelled(n)} Qoʻldosheva",
            "contact.mobile": f"+99890{self._numbers + n:07d}",
            "contact.postal-address": f"Toshkent, {self.mark}-mavze, {n}-uy",
            "transaction.order-lines": [{"item": "Osh", "count": 1, "price": 4_500_000}],
            "transaction.amount": 4_500_000,
        }
        case = f"order:{self._series}-{n}"
        body = {"service": "order", "items": items, "version": "1", "case": case, "accepted": True}
        done = await self._asked(http, "collect", case, "/v1/collect", body, uuid4().hex, sent=items)
        self.note_order(done, number)
        return done

    def note_order(self, done: Operation, number: int = 0) -> None:
        """From now on its client uses the order."""
        if done.outcome == "ok":
            self._open[number].append(done)
            if len(self._shared) < SHARED:
                self._shared.append(done.answer["person"])

    async def repeat(self, http: httpx.AsyncClient, collect: Operation) -> Operation:
        """Say a collection that was cut off once more, under its key."""
        body = {"service": "order", "items": collect.sent, "version": "1", "case": collect.about, "accepted": True}
        answer, outcome, code = await _ask(http, "/v1/collect", body, collect.key)
        if outcome != "unknown":
            collect.told, collect.answer, collect.outcome, collect.code = time.monotonic(), answer, outcome, code
        self.note_order(collect)
        return collect

    async def use(self, http: httpx.AsyncClient, case: str) -> Operation:
        """All that delivering an order needs."""
        return await self._asked(http, "use-order", case, "/v1/use", {"purpose": "deliver-order", "case": case})

    async def market(self, http: httpx.AsyncClient, person: str) -> Operation:
        """A use that rests on consent."""
        return await self._asked(http, "use-marketing", person, "/v1/use", {"purpose": PURPOSE, "person": person})

    async def choose(self, http: httpx.AsyncClient, person: str, act: Any) -> Operation:
        """Give or withdraw consent."""
        state = "given" if act == "give" else "withdrawn"
        body = {"person": person, "purpose": PURPOSE, "state": state}
        return await self._asked(http, act, person, "/v1/consents", body, uuid4().hex)

    async def _asked(  # noqa: PLR0917 - what a request consists of, in the order it is said
        self, http: httpx.AsyncClient, act: Any, about: str, path: str, body: Any, key: str = "", sent: Any = None
    ) -> Operation:
        operation = Operation(act, about, time.monotonic(), sent=sent or {}, key=key)
        self.history.operations.append(operation)
        answer, outcome, code = await _ask(http, path, body, key)
        if outcome != "unknown":
            operation.told = time.monotonic()
        operation.answer, operation.outcome, operation.code = answer, outcome, code
        return operation


def connected(service: Service, credential: str) -> httpx.AsyncClient:
    """An HTTP client without any repeating of its own."""
    headers = {"authorization": f"Bearer {credential}", "host": f"localhost:{service.port}", "accept-language": "en"}
    return httpx.AsyncClient(base_url=service.url, headers=headers, timeout=PATIENCE, trust_env=False)


async def _ask(http: httpx.AsyncClient, path: str, body: Any, key: str) -> tuple[Any, Any, str]:
    headers = {"idempotency-key": key} if key else {}
    try:
        reply = await http.post(path, json=body, headers=headers)
        answer = reply.json()
    except (httpx.TransportError, ValueError):
        return {}, "unknown", "cut-off"
    if reply.status_code == 503:
        return {}, "unknown", answer["code"]
    if reply.is_success:
        return answer, "ok", ""
    return {}, "refused", answer.get("code", str(reply.status_code))


def spelled(number: int) -> str:
    """A number in letters, as names have none."""
    letters = ""
    while True:
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
        if not number:
            return letters


async def each(work: Callable[[Any], Any], many: list[Any], at_once: int = 8) -> None:
    """Do something with each, a few at a time."""
    waiting = list(reversed(many))

    async def one() -> None:
        while waiting:
            await work(waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(one())
