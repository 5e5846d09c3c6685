"""Ten clients of the real service, each with people of its own, and what they were told (`model.History`).

0, 1  take orders, use and close them            4  restricts people and lifts it
2     gives and withdraws consents by the API    5  ends a courier's role and gives it back
3     newsletters: sends, unsubscribes by link   6  signs in with codes
7     writes messages about orders, each said twice
8     orders, and is erased, in the middle of it or once the order is closed (`duties`)
9     orders, is held by an authority and erased; some of these holds end (`duties`)
"""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.faults.duties import Duties
from tests.faults.model import History, Operation, Register
from tests.faults.outside import Outside
from tests.whole.load import spelled
from tests.whole.serving import Service

KEPT = 6
"""People or orders a client works with at a time; older ones are left alone."""
PATIENCE = 15.0
SIGN_INS = 50
"""As many as one network address is allowed in an hour, and a few less."""

Body = Mapping[str, Any]


class Town:
    """All clients together. Their names, numbers and addresses occur nowhere else in the world."""

    def __init__(self, credentials: Mapping[str, str], outside: Outside, *, seed: int, pause: float) -> None:
        self.history = History()
        self.outside = outside
        self.readers: dict[str, str] = {}
        """People of the newsletter by their address."""
        self.service: Service | None = None
        self.mark = spelled(26**7 + uuid4().int % 26**7)
        """In every name and address the clients send, and nowhere else."""
        self._credentials = credentials
        self._pause = pause
        self.chance = random.Random(seed)
        self._numbers = uuid4().int % 9_000_000
        self._count = 0
        self._mine: list[list[Operation]] = [[] for _ in range(10)]
        self.erased: dict[str, str] = {}
        """Erasures that were acknowledged, and of whom."""
        self.duties = Duties(self)
        self._sign_ins = 0
        self._clients: dict[tuple[str, int], httpx.AsyncClient] = {}
        self._busy = 0
        self._going = asyncio.Event()
        self._going.set()

    @asynccontextmanager
    async def at_work(self) -> Any:
        """The clients work while the block runs; afterwards every request has ended."""
        stop = asyncio.Event()
        parts = (self._shop, self._shop, self._consent, self._newsletter,
                 self._restrict, self._staff, self._sign_in, self._message,
                 self.duties.leave, self.duties.hold)  # fmt: skip
        async with asyncio.TaskGroup() as group:
            for number, part in enumerate(parts):
                group.create_task(self._work(part, number, stop))
            try:
                yield
            finally:
                stop.set()

    @asynccontextmanager
    async def at_rest(self) -> Any:
        """Nothing new is asked while the block runs, and all that was asked has ended."""
        self._going.clear()
        while self._busy:  # noqa: ASYNC110 - ten parts, each with its own end
            await asyncio.sleep(0.01)
        self.history.end_round(time.monotonic())
        try:
            yield
        finally:
            self._going.set()

    async def _work(self, part: Callable[[int], Awaitable[None]], number: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._going.wait()
            self._busy += 1
            try:
                await part(number)
            finally:
                self._busy -= 1
            await asyncio.sleep(self._pause * self.chance.uniform(0.5, 1.5))

    # What each of them does ---------------------------------------------------------------------------------------

    async def _shop(self, number: int) -> None:
        order = await self.someone(number, 0.3)
        if order is None:
            return
        if self.chance.random() < 0.75:
            await self.use_order(order)
        else:
            self._mine[number].remove(order)
            await self.ask("close", ("case", order.about), "closed", f"/v1/cases/{order.about}/close", {})
            await self.use_order(order)

    async def _consent(self, number: int) -> None:
        order = await self.someone(number, 0.1)
        if order is None:
            return
        person = order.answer["person"]
        about = ("consent:marketing-sms", person)
        if self.chance.random() < 0.5:
            state = self.chance.choice(["given", "withdrawn"])
            body = {"person": person, "purpose": "marketing-sms", "state": state}
            await self.ask("consent", about, state, "/v1/consents", body)
        await self.ask("market", about, "", "/v1/use", {"purpose": "marketing-sms", "person": person})

    async def _restrict(self, number: int) -> None:
        order = await self.someone(number, 0.1)
        if order is None:
            return
        if self.chance.random() < 0.5:
            state = self.chance.choice(["given", "withdrawn"])
            about = ("restriction", order.answer["person"])
            value = "restricted" if state == "given" else "lifted"
            await self.ask("restrict", about, value, "/v1/restrictions", {"person": about[1], "state": state})
        await self.use_order(order, ("restriction", order.answer["person"]))

    async def _staff(self, number: int) -> None:
        order = await self.someone(number, 0.0)
        if order is None:
            return
        if not order.key.startswith("assigned"):
            done = await self.ask("assign", None, "", f"/v1/cases/{order.about}", {"assigned": ["204"]}, put="panel")
            if done.outcome != "ok":
                return
            order.key = "assigned"
        if self.chance.random() < 0.5:
            state, now = self.chance.choice(["held", "ended"]), datetime.now(UTC)
            until = now + timedelta(days=300 if state == "held" else -1)
            body = {"name": "Xodim 204", "role": "courier", "trained-until": (now + timedelta(days=300)).isoformat()}
            body |= {"role-until": until.isoformat()}
            await self.ask("role", ("role", "204"), state, "/v1/staff/204", body, put="officer")
        use = {"purpose": "deliver-order", "case": order.about, "on-behalf-of": "204"}
        await self.ask("deliver", ("role", "204"), "", "/v1/use", use, by="panel", sent=order.sent)

    async def _newsletter(self, number: int) -> None:
        if len(self._mine[number]) < 3:
            await self._subscribe(number)
            return
        reader = self.chance.choice(self._mine[number])
        person, address = reader.answer["person"], reader.about
        about = ("consent:marketing-email", person)
        match self.chance.choice(["write", "write", "leave", "again"]):
            case "write":
                self._count += 1
                body = {"person": person, "template": "newsletter-welcome", "purpose": "marketing-email"}
                body |= {"channel": "email", "once": f"campaign-{self._count}"}
                for _ in range(2):  # said twice, as a campaign that was begun anew does
                    await self.ask("write", None, "", "/v1/messages", body, by="campaigns")
            case "leave":
                found = [re.search(r"/unsubscribe/\S+", x.text) for x in self.outside.letters if x.to == address]
                if links := [match[0] for match in found if match]:
                    await self.ask("unsubscribe", about, "withdrawn", links[-1], None)
            case _:
                body = {"person": person, "purpose": "marketing-email", "state": "given"}
                await self.ask("consent", about, "given", "/v1/consents", body)
        seen = await self.ask("market", about, "", "/v1/use", {"purpose": "marketing-email", "person": person})
        if seen.code == "person-unknown":  # nothing keeps a reader who has left: somebody else comes
            self._mine[number].remove(reader)

    async def _subscribe(self, number: int) -> None:
        self._count += 1
        address = f"{self.mark}{spelled(self._count)}@mail.example"
        items = {"contact.email": address, "contact.name": f"Oysuluv {self.mark.title()}{spelled(self._count)}"}
        body = {"service": "newsletter", "items": items, "version": "1", "accepted": True}
        body |= {"consents": {"marketing-email": True}}
        done = await self.repeat("subscribe", address, "/v1/collect", body, items)
        if done.outcome == "ok":
            self.readers[address] = done.answer["person"]
            self._mine[number].append(done)
            given = Operation("subscribe", ("consent:marketing-email", self.readers[address]), done.asked, "given")
            given.told, given.outcome = done.told, "ok"
            self.history.operations.append(given)

    async def _sign_in(self, number: int) -> None:
        order = await self.someone(number, 0.5)
        if order is None or self._sign_ins >= SIGN_INS:
            return
        self._sign_ins += 1
        mobile = order.sent["contact.mobile"]
        cookies: dict[str, str] = {}
        before = len(self.outside.codes_of(mobile))
        asked = await self._form("ask-code", "/me", {"who": mobile}, cookies)
        for _ in range(80):
            if asked.outcome != "ok" or len(self.outside.codes_of(mobile)) > before:
                break
            await asyncio.sleep(0.05)
        if asked.outcome == "ok" and (codes := self.outside.codes_of(mobile)[before:]):
            entered = await self._form("enter-code", asked.answer["to"], {"code": codes[-1]}, cookies)
            if entered.outcome == "ok":
                await self._form("see", "/me/data", None, cookies)

    async def _message(self, number: int) -> None:
        order = await self.someone(number, 0.3)
        if order is None:
            return
        params = {"order": order.about.partition(":")[2], "delivery": 1, "total": 4_500_000}
        body = {"person": order.answer["person"], "template": "order-confirmation", "purpose": "order-messages"}
        body |= {"channel": "sms", "case": order.about, "params": params, "once": "confirmation"}
        for _ in range(2):
            await self.ask("write", None, "", "/v1/messages", body)

    # How they ask -------------------------------------------------------------------------------------------------

    async def use_order(self, order: Operation, about: Register | None = None) -> Operation:
        """All that delivering an order needs."""
        register = about or ("case", order.about)
        body = {"purpose": "deliver-order", "case": order.about}
        return await self.ask("deliver", register, "", "/v1/use", body, sent=order.sent)

    async def someone(self, number: int, new: float) -> Operation | None:
        """One of the client's own orders, or with a chance of `new`, and at first, a new one."""
        mine = self._mine[number]
        if mine and self.chance.random() >= new:
            return self.chance.choice(mine)
        self._count += 1
        n = self._count
        items: dict[str, Any] = {
            "contact.name": f"Oysuluv {self.mark.title()}{spelled(n)} Qoʻldosheva",
            "contact.mobile": f"+99890{self._numbers + n:07d}",
            "contact.postal-address": f"Toshkent, {self.mark}-mavze, {n}-uy",
            "transaction.order-lines": [{"item": "Osh", "count": 1, "price": 4_500_000}],
            "transaction.amount": 4_500_000,
        }
        case = f"order:{self.mark}-{n}"
        body = {"service": "order", "items": items, "version": "1", "case": case, "accepted": True}
        done = await self.repeat("collect", case, "/v1/collect", body, items)
        if done.outcome == "ok":
            mine.append(done)
            del mine[:-KEPT]
        return done if done.outcome == "ok" else None

    async def repeat(self, act: str, about: str, path: str, body: Body, items: Body) -> Operation:
        """A collection, said again under its key until it is answered."""
        key, done = uuid4().hex, None
        for _ in range(40):
            again = await self.ask(act, None, "", path, body, sent=items, key=key)
            again.about = about
            if done is not None:
                again.asked = done.asked  # it may have been done by the first one
                done.act = f"{act}-cut-off"
            done = again
            if done.outcome != "unknown":
                break
            await asyncio.sleep(0.1)
        assert done is not None
        return done

    async def ask(
        self, act: str, about: Register | None, value: str, path: str, body: Body | None, *,
        by: str = "site", put: str = "", sent: Body | None = None, key: str = "",
    ) -> Operation:  # fmt: skip
        """One request, noted. `put` names who puts; without a body it is a button in a letter that is pressed."""
        operation = self.history.ask(Operation(act, about, time.monotonic(), value, sent=sent or {}))
        headers = {} if path == "/v1/use" or body is None else {"idempotency-key": key or uuid4().hex}
        try:
            if body is None:
                reply, answer = await self._http(by).post(path, data={"List-Unsubscribe": "One-Click"}), {}
            else:
                reply = await self._http(put or by).request("PUT" if put else "POST", path, json=body, headers=headers)
                answer = reply.json()
        except (httpx.TransportError, ValueError):
            await asyncio.sleep(0.2)  # as a client waits before it tries again
            return operation
        return _told(operation, reply.status_code, answer)

    async def _form(self, act: str, path: str, fields: Body | None, cookies: dict[str, str]) -> Operation:
        """A page of the Privacy Center. Cookies are kept by hand: a browser takes `__Host-` from localhost."""
        operation = self.history.ask(Operation(act, None, time.monotonic()))
        assert self.service is not None
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        headers |= {"origin": f"http://localhost:{self.service.port}"}
        try:
            reply = await self._http("site").request(
                "GET" if fields is None else "POST", path, data=fields, headers=headers
            )
        except httpx.TransportError:
            return operation
        for cookie in reply.headers.get_list("set-cookie"):
            name, _, rest = cookie.partition("=")
            cookies[name] = rest.partition(";")[0]
        wrong = {401: "code-wrong", 303: ""}.get(reply.status_code, "") if fields is not None else ""
        return _told(operation, reply.status_code, {"to": reply.headers.get("location", ""), "code": wrong})

    def _http(self, by: str) -> httpx.AsyncClient:
        """Requests in one system's name. Each is a connection of its own: any worker may get it."""
        assert self.service is not None
        at = self.service.port
        if (by, at) not in self._clients:
            headers = {"authorization": f"Bearer {self._credentials[by]}", "host": f"localhost:{at}"}
            self._clients[by, at] = httpx.AsyncClient(
                base_url=self.service.url, headers=headers | {"accept-language": "en"}, timeout=PATIENCE,
                trust_env=False, limits=httpx.Limits(max_keepalive_connections=0),
            )  # fmt: skip
        return self._clients[by, at]


def _told(operation: Operation, status: int, answer: Body) -> Operation:
    if status >= 500:
        operation.code = str(answer.get("code", status))
        if status != 503:
            operation.code = f"fault-{operation.act}-{status}-{operation.code}"
        return operation
    operation.told, operation.answer = time.monotonic(), answer
    operation.outcome = "ok" if status < 400 else "refused"
    operation.code = "" if status < 400 else str(answer.get("code", status))
    return operation
