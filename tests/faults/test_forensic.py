"""Every writable place gets a marker, through the doors; then every byte on the disk is searched (S2; bar a3).

A place is an item of the policy, or whatever else people and systems write: keys of requests, free words of a message,
names and passwords of staff, what is looked up, what is refused. The same is done with the encryption switched off, and
then the search finds it: a search that finds nothing is worth something only if it could have.
"""

import asyncio
import io
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from omonat.app import build
from omonat.base.instants import DAY, Instant
from omonat.base.logs import log
from omonat.database import embedded
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.flows.erase import ErasureRequest
from omonat.flows.staff import Registration
from omonat.house import House, open_house, system_clock
from omonat.policy.compiled import CompiledPolicy
from omonat.vault.box import Box
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from omonat.vault.verify_only import SecretHasher
from tests.faults.markers import marked
from tests.whole.conftest import furnish, new_key, settings_of
from tests.whole.load import spelled
from tests.whole.search import digests, files_with
from tests.whole.serving import Installation

SOURCES = ("site", "app", "call-centre", "counter", "camera", "server", "mailbox", "courier", "privacy-center")


@dataclass
class Planted:
    """What to look for, by the place it was written to; and the items that were taken in."""

    needles: dict[str, str] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)  # what a digest would be of; a needle may be a part of it
    kept: set[str] = field(default_factory=set)
    person: str = ""
    case: str = ""
    records: list[tuple[str, str, str]] = field(default_factory=list)
    """Person, record and item of everything that was taken in."""


@pytest.fixture
def uncompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole pages lie in the write-ahead log as they are: nothing hides in a compressed one."""
    monkeypatch.setitem(embedded._HOUSE_SETTINGS, "wal_compression", "off")


@pytest.fixture
def without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is sealed, digested or hashed is what it was before."""
    monkeypatch.setattr(Box, "seal", lambda _, plaintext, context: b"open:" + plaintext)
    monkeypatch.setattr(Box, "open", lambda _, sealed, context: bytes(sealed)[5:])
    monkeypatch.setattr(Vault, "keyed_digest", lambda _, context, data: context.encode() + b":" + data)
    monkeypatch.setattr(SecretHasher, "hash", lambda _, secret: secret.encode())
    monkeypatch.setattr(Vault, "lookup_digest", lambda _, kind, value, epoch=None: sha256(value.encode()).digest())


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
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost:8600", headers=headers
            ) as http:
                yield house, http
        await asyncio.to_thread(server.stop)  # in order: with a last checkpoint
    finally:
        server.stop(at_once=True)


class Planter:
    """Writes a marker into every place there is."""

    def __init__(self, house: House, http: httpx.AsyncClient) -> None:
        self.house, self.http, self.planted = house, http, Planted()
        self.credentials: dict[str, str] = {}
        self._number = uuid4().int % 1_000

    async def plant(self) -> Planted:
        """All of them, one after the other."""
        for source in SOURCES:
            self.credentials[source] = await self.house.clients.issue(
                name=f"of-{source}", source=source, roles=["system"]
            )
        policy = await self.house.grounds.law.current()
        for item in policy.items:
            await self._item(policy, item)
        await self._staff()
        await self._words()
        await self._requests()
        return self.planted

    def _mark(self) -> str:
        self._number += 1
        return spelled(26**12 + self._number * 104_729)

    async def _item(self, policy: CompiledPolicy, name: str) -> None:
        """One item, at the first service that takes it; those that don't have refused it with the value in hand."""
        value, needle = marked(policy.item(name), self._mark(), self._number)
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
        others = {name: marked(policy.item(name), self._mark(), self._number)[0] for name in sorted(needed)}
        case = f"{form.case}:{self._mark()}" if form.case else None
        body = {"service": service, "items": others | items, "version": "1", "accepted": True}
        body["consents"] = dict.fromkeys(purposes, True)
        source = next(source for source in SOURCES if source in form.sources)
        answer = await self.post("/v1/collect", body | ({"case": case} if case else {}), source)
        if answer.status_code == 201 and service == "order":
            self.planted.person, self.planted.case = answer.json()["person"], str(case)
        return answer

    async def _staff(self) -> None:
        marks = {f"staff.{what}": self._mark() for what in ("name", "login", "password")}
        trained = Instant(system_clock() + 300 * DAY)
        member = Registration(
            ref="777", name=marks["staff.name"], role="courier", trained_until=trained, login=marks["staff.login"]
        )
        await self.house.staff.put(member, by="test")
        marks["staff.totp"] = await self.house.staff.set_secrets("777", marks["staff.password"])
        self.planted.needles |= marks

    async def _words(self) -> None:
        """Free words and amounts of messages; they wait, for nobody carries them."""
        marks = {f"message.{what}": self._mark() for what in ("title", "text")}
        notice = {"template": "service-notice", "purpose": "service-notices", "channel": "sms"}
        params = {"kind": "service-change", "title": marks["message.title"], "text": marks["message.text"]}
        total = 91_234_560_000 + self._number
        confirmation = {"template": "order-confirmation", "purpose": "order-messages", "channel": "sms"}
        confirmation |= {"case": self.planted.case}
        for body in (
            {**notice, "params": params},
            {**confirmation, "params": {"order": "1", "delivery": 1, "total": total}},
        ):
            answer = await self.post("/v1/messages", {"person": self.planted.person, **body}, "site")
            assert answer.status_code == 202, answer.text
        self.planted.needles |= marks | {"message.total": str(total)}

    async def _requests(self) -> None:
        """Keys of requests, what is looked up, who is asked for at the door, what nobody understands."""
        key, number, nonsense = self._mark(), 97_8_000_000 + self._number, self._mark()
        choice = {"person": self.planted.person, "purpose": "marketing-sms", "state": "given"}
        assert (await self.post("/v1/consents", choice, "site", key=key)).status_code == 201
        lookup = {"purpose": "identify-and-contact", "item": "contact.mobile", "value": f"+998{number}"}
        await self.post("/v1/lookups", lookup, "privacy-center")
        for path, body in (
            ("/v1/collect", {"service": nonsense, "items": {nonsense: nonsense}}),
            ("/v1/use", {"purpose": nonsense, "person": nonsense}),
            (f"/v1/cases/order:none/close?{nonsense}", {nonsense: nonsense}),
        ):
            assert (await self.post(path, body, "site")).status_code >= 400
        email = f"{self._mark()}@mail.example"
        asked = await self.http.post("/me", data={"who": email}, headers={"origin": "http://localhost:8600"})
        assert asked.status_code == 303
        await self.house.sessions.open("me", self.planted.person, (state := self._mark()).encode())
        self.planted.needles |= {"request.key": key, "session.state": state}
        self.planted.needles |= {"refused.lookup": str(number), "refused.nonsense": nonsense, "refused.email": email}

    async def post(self, path: str, body: Mapping[str, Any], source: str, key: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {self.credentials[source]}"}
        if path != "/v1/use":
            headers["idempotency-key"] = key or uuid4().hex
        return await self.http.post(path, json=body, headers=headers)


async def planted_in(of: Installation, *, erased: bool = False) -> Planted:
    async with open_doors(of) as (house, http):
        planted = await Planter(house, http).plant()
        if erased:
            await erase_by_every_route(house, planted)
        return planted


async def erase_by_every_route(house: House, planted: Planted) -> None:
    """Each of those taken in goes by one of the routes there are, and what is due goes by itself."""
    routes = (
        lambda person, _record, _item: ErasureRequest(person=person),
        lambda person, record, _item: ErasureRequest(person=person, record=record),
        lambda person, record, item: ErasureRequest(person=person, record=record, items=(item,)),
        lambda person, _record, _item: ErasureRequest(person=person, cause="child"),
        lambda person, _record, item: ErasureRequest(person=person, items=(item,), cause="inaccurate"),
    )
    for number, found in enumerate(planted.records):
        await house.erase(routes[number % len(routes)](*found))
    for _ in range(50):
        if not (await house.sweeper.round()).more:
            break
    async with house.grounds.database.connection() as connection:
        left = await connection.fetchval("select count(*) from erasures where destroyed_at is null or swept_at is null")
    assert left == 0


def found_by(planted: Planted, places: list[Path]) -> set[str]:
    """The places whose marker lies on the disk; `digest` when one of a value does, made without key and salt."""
    values = planted.whole | set(planted.needles.values())
    hashed = files_with(places, [digest for value in values for digest in digests(value).values()])
    files = list(map(Path, files_with(places, planted.needles.values())))  # those alone are searched for each
    found = {place for place, needle in planted.needles.items() if files and files_with(files, [needle])}
    return found | ({"digest"} if hashed else set())


def all_said(to: Path, capfd: pytest.CaptureFixture[str], logged: io.StringIO) -> Path:
    """What was printed and logged, as a file."""
    log(__name__).warning("searched")  # the rest is silent; a log turned elsewhere would be, too
    to.write_text("".join(capfd.readouterr()) + logged.getvalue())
    assert "searched" in to.read_text()
    return to


@pytest.mark.usefixtures("uncompressed")
async def test_S2_of_everything_anybody_writes_nothing_lies_readable_in_any_file(
    installation: Installation, capfd: pytest.CaptureFixture[str], logged: io.StringIO, tmp_path: Path
) -> None:
    planted = await planted_in(installation)
    said = all_said(tmp_path / "said", capfd, logged)
    assert len(planted.kept) >= 45, planted.kept
    assert len(planted.needles) >= 50
    assert found_by(planted, [installation.home, said]) == set()


@pytest.mark.usefixtures("uncompressed")
async def test_R3_what_was_erased_by_any_route_lies_in_no_file_of_data_keys_or_log(
    installation: Installation,
    capfd: pytest.CaptureFixture[str],
    logged: io.StringIO,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)  # asked for anew
    planted = await planted_in(installation, erased=True)
    said = all_said(tmp_path / "said", capfd, logged)
    assert len({person for person, _, _ in planted.records}) >= 40
    assert found_by(planted, [installation.home, said, temporary]) == set()


@pytest.mark.usefixtures("uncompressed", "without_encryption")
async def test_S2_with_the_encryption_off_the_same_search_finds_what_was_written(short_folder: Path) -> None:
    home, key = short_folder / "w-open", new_key(short_folder / "w-open.key")
    server = Server.start(home)
    try:
        await migrate(server.dsn)
        async with open_house(settings_of(home, key, server.dsn), clock=system_clock) as house:
            of = await furnish(house)
    finally:
        server.stop()
    try:
        planted = await planted_in(of, erased=True)  # a row that is removed stays in the file for a while
        found = found_by(planted, [of.home])
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert "digest" in found
    written = {place for place in planted.needles if not place.startswith("refused.")} & (
        planted.kept
        | {place for place in planted.needles if place.partition(".")[0] in ("staff", "message", "request", "session")}
    )
    assert len(found & written) >= 0.95 * len(written), written - found
