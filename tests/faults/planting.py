"""Writes a marker into every place there is, through the doors; what people and the company write stands beside it.

A place has a name and what to look for on the disk. Those whose name begins with one of `LET_GO` are looked at and let
go, or kept as a commitment: nothing of them is written, so no search could find them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import uuid4

import httpx

from omonat.app import build
from omonat.base.instants import DAY, Instant
from omonat.database.embedded import Server
from omonat.flows.staff import Registration
from omonat.house import House, open_house, system_clock
from omonat.pages.http import SESSION_COOKIES, csrf_token
from omonat.policy.compiled import CompiledPolicy
from omonat.vault.root import RootKey
from tests.faults.markers import marked
from tests.whole.conftest import settings_of
from tests.whole.load import spelled
from tests.whole.serving import Installation

SOURCES: Final = ("site", "app", "call-centre", "counter", "camera", "server", "mailbox", "courier", "privacy-center")
ROLES: Final = {"officer": ("privacy-center", "privacy-officer"), "marketing": ("site", "marketing")}
"""Systems that act for somebody at the Desk: their source and their role."""
STAFF: Final = {
    "901": "privacy-officer", "902": "privacy-officer", "903": "management", "904": "marketing", "905": "call-centre",
    "906": "security",
}  # fmt: skip
LET_GO: Final = ("refused.", "typed.", "committed.")
LOCAL: Final = "http://localhost:8600"


@dataclass
class Planted:
    """What to look for, by the place it was written to; and the items that were taken in."""

    needles: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)  # what a digest would be of; a needle may be a part of it
    items: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    person: str = ""
    case: str = ""
    cases: dict[str, str] = field(default_factory=dict)
    """Every case that was opened, and the source that may close it."""
    records: list[tuple[str, str, str]] = field(default_factory=list)
    """Person, record and item of everything that was taken in."""
    destroyed: set[bytes] = field(default_factory=set)
    living: set[bytes] = field(default_factory=set)
    """Key slots as they lay in their file: of whom and what was erased, and of whatever is kept."""

    @property
    def written(self) -> set[str]:
        """The places of which something was written: items that were taken in, and all else that wasn't let go."""
        others = {place for place in self.needles if not place.startswith(LET_GO)} - self.items
        return others | (self.kept & self.needles.keys())


@dataclass(frozen=True)
class Kept:
    """Somebody who was taken in, with the record, its case and what was given."""

    person: str
    record: str
    case: str
    items: Mapping[str, Any]


@asynccontextmanager
async def open_doors(of: Installation) -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    """The installation's database, its house, and its doors in this very process."""
    server = Server.start(of.home)
    try:
        settings = settings_of(of.home, of.root_key, server.dsn)
        app = build(settings, RootKey.from_file(of.root_key))
        async with open_house(settings, clock=system_clock) as house, app.lifespan():
            transport = httpx.ASGITransport(app=app)
            headers = {"accept-language": "en"}
            async with httpx.AsyncClient(transport=transport, base_url=LOCAL, headers=headers) as http:
                yield house, http
        await asyncio.to_thread(server.stop)  # in order: with a last checkpoint
    finally:
        server.stop(at_once=True)


class Planter:
    """A hand that writes, at the API and at the doors of people and staff."""

    def __init__(self, house: House, http: httpx.AsyncClient) -> None:
        self.house, self.http, self.planted = house, http, Planted()
        self.credentials: dict[str, str] = {}
        self.staff: dict[str, str] = {}
        self._number = uuid4().int % 1_000

    async def employ(self) -> None:
        """The systems that write, and the staff."""
        systems = {source: (source, "system") for source in SOURCES} | ROLES
        for name, (source, role) in systems.items():
            self.credentials[name] = await self.house.clients.issue(name=f"of-{name}", source=source, roles=[role])
        trained = Instant(system_clock() + 300 * DAY)
        for ref, role in STAFF.items():
            member = Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained)
            self.staff[ref] = await self.house.staff.put(member, by="test")

    def mark(self, place: str = "") -> str:
        """A word that occurs nowhere else; looked for in this place, where one is named."""
        self._number += 1
        found = spelled(26**12 + self._number * 104_729)
        if place:
            assert place not in self.planted.needles, place
            self.planted.needles[place] = found
        return found

    def email(self, place: str) -> str:
        """An address that occurs nowhere else, for this place."""
        return f"{self.mark(place)}@mail.example"

    def phone(self) -> str:
        """A number of its own."""
        self._number += 1
        return f"+998{97_9_000_000 + self._number}"

    # Items -----------------------------------------------------------------------------------------------------------

    async def items(self) -> None:
        """Every item of the policy."""
        policy = await self.house.grounds.law.current()
        for item in policy.items:
            await self._item(policy, item)

    async def _item(self, policy: CompiledPolicy, name: str) -> None:
        """One item, at the first service that takes it; those that don't have refused it with the value in hand."""
        value, needle = marked(policy.item(name), self.mark(), self._number)
        self.planted.items.add(name)
        for service in policy.services:
            form = policy.form(service)
            if name not in (*form.required, *form.optional, *form.offered):
                continue
            answer = await self._collect(policy, service, {name: value})
            if needle:
                self.planted.needles[name] = needle
                self.planted.whole |= {str(value), json.dumps(value)}
            if answer.status_code == 201:
                self.planted.kept.add(name)
                self.planted.records.append((answer.json()["person"], answer.json()["record"], name))
                return

    async def _collect(self, policy: CompiledPolicy, service: str, items: Mapping[str, Any]) -> httpx.Response:
        """What the form asks, and the consents these items wait for with what those need."""
        form = policy.form(service)
        purposes = {purpose for item in items for purpose in form.offered.get(item, ())}
        needed = {*form.required, *(item for purpose in purposes for item in form.needs_of.get(purpose, ()))}
        others = {name: marked(policy.item(name), self.mark(), self._number)[0] for name in sorted(needed)}
        case = f"{form.case}:{self.mark()}" if form.case else None
        body = {"service": service, "items": others | items, "version": policy.version, "accepted": True}
        body["consents"] = dict.fromkeys(purposes, True)
        source = next(source for source in SOURCES if source in form.sources)
        answer = await self.post("/v1/collect", body | ({"case": case} if case else {}), source)
        if answer.status_code == 201 and case:
            self.planted.cases[case] = source
        if answer.status_code == 201 and service == "order":
            self.planted.person, self.planted.case = answer.json()["person"], str(case)
        return answer

    async def somebody(self, service: str, **items: Any) -> Kept:
        """Somebody more, whom the erasures are to reach as well; `contact_name` stands for `contact.name`."""
        policy = await self.house.grounds.law.current()
        given = {name.replace("_", ".", 1).replace("_", "-"): value for name, value in items.items()}
        answer = await self._collect(policy, service, given)
        assert answer.status_code == 201, answer.text
        said = answer.json()
        self.planted.records.append((said["person"], said["record"], next(iter(given))))
        return Kept(said["person"], said["record"], said.get("case") or "", given)

    async def close_cases(self) -> None:
        """What the open cases alone kept may go; a complaint or a request is closed by whoever answered it."""
        for case, source in self.planted.cases.items():
            if not case.startswith(("complaint:", "request:")):
                await self.done(f"/v1/cases/{case}/close", {}, source)

    # Doors -----------------------------------------------------------------------------------------------------------

    async def post(
        self, path: str, body: Mapping[str, Any], source: str, key: str = "", method: str = "POST"
    ) -> httpx.Response:
        """One request of a system."""
        headers = {"authorization": f"Bearer {self.credentials[source]}"}
        if path != "/v1/use":
            headers["idempotency-key"] = key or uuid4().hex
        return await self.http.request(method, path, json=body, headers=headers)

    async def done(self, path: str, body: Mapping[str, Any], source: str, method: str = "POST") -> Any:
        """One request of a system that is answered with what was asked for."""
        answer = await self.post(path, body, source, method=method)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    async def fill(self, path: str, cookie: str = "", **fields: str) -> httpx.Response:
        """A form of somebody who isn't signed in; `ask_born` stands for `ask-born`."""
        data = {name.replace("_", "-"): value for name, value in fields.items()}
        return await self.http.post(path, data=data, headers={"origin": LOCAL, "cookie": cookie})

    async def press(
        self, door: Literal["center", "desk"], holder: str, path: str, *, cookie: str = "", **fields: str
    ) -> httpx.Response:
        """A form of a person, or of a member of staff by their number, at their door; whatever it answers."""
        who = self.staff[holder] if door == "desk" else holder
        token = await self.house.sessions.open("desk" if door == "desk" else "me", who)
        key = self.house.inner_secret(f"{door}-forms").encode()
        cookies = f"{SESSION_COOKIES[door]}={token}" + (f"; {cookie}" if cookie else "")
        answer = await self.fill(path, cookies, csrf=csrf_token(key, token), **fields)
        assert answer.status_code < 500, (path, answer.status_code)
        assert answer.status_code != 405, path  # no such form
        return answer

    async def led(self, door: Literal["center", "desk"], holder: str, path: str, **fields: str) -> httpx.Response:
        """A form that does what it is for: it leads on."""
        answer = await self.press(door, holder, path, **fields)
        assert answer.status_code == 303, (path, answer.status_code, answer.text[-3000:])
        return answer


def cookies_of(answer: httpx.Response) -> str:
    """What the browser keeps of an answer, as it sends it back."""
    return "; ".join(each.partition(";")[0] for each in answer.headers.get_list("set-cookie"))
