"""What is left behind: no value of anybody's data, no secret and no code, in any log or file (S2, P4; bars b7, e10).

People order, are delivered to, change their minds, are refused, write nonsense; staff sign in; codes are sent. Then
every file of the installation is searched, the database's own and its write-ahead log too, and all that was printed:
for the values, for what anybody could make of them without a key (they could be guessed back from it), and for the keys
themselves. The search is shown to find each of these, planted, and the one digest that is kept on purpose.
"""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Mapping
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from urllib.parse import urlencode

import asyncpg
import pyotp
import pytest

from omonat.base.instants import DAY, Instant
from omonat.database.home import OWNER, USER, address
from omonat.flows.staff import Registration
from omonat.house import open_house, system_clock
from tests.whole.conftest import settings_of
from tests.whole.lines import Line, one_to_each
from tests.whole.load import Town
from tests.whole.search import digests, encodings, files_with
from tests.whole.serving import Installation, Service, serving, until

PASSWORD = "Toʻrtta-uzun-oddiy-soʻz-41"
LOGIN = "sardorbek.kuryer"
CARD = "8600312455667781"
NONSENSE = "Abdulvohidova-Xurshidaxon"


class Phone:
    """Everybody's telephone: the SMS gateway's other side."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        phone = self

        class Gateway(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                phone.letters.append(body)
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Gateway)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def codes(self) -> list[str]:
        """The codes that came."""
        return [code for letter in self.letters for code in re.findall(r"(?<!\d)\d{6}(?!\d)", letter)]


@pytest.fixture
def phone() -> Iterator[Phone]:
    phone = Phone()
    yield phone
    phone.server.shutdown()
    phone.server.server_close()


class Visitor:
    """A browser without a window: cookies and forms."""

    def __init__(self, service: Service) -> None:
        self._at = service.port
        self.cookies: dict[str, str] = {}

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form; status and where it leads."""
        connection = HTTPConnection("127.0.0.1", self._at, timeout=20)
        origin = f"http://localhost:{self._at}"
        headers = {
            "Host": f"localhost:{self._at}",
            "Origin": origin,
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        connection.request("POST", path, urlencode(fields), headers)
        reply = connection.getresponse()
        reply.read()
        for cookie in reply.headers.get_all("set-cookie") or []:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        connection.close()
        return reply.status, reply.headers.get("location") or ""


async def employ(of: Installation) -> str:
    """Somebody with a name, a password and a second factor; the factor's secret."""
    async with open_house(settings_of(of.home, of.root_key, address(of.home).dsn()), clock=system_clock) as house:
        trained = Instant(house.grounds.clock() + 365 * DAY)
        await house.staff.put(
            Registration(ref="777", name="Sardorbek Kuryerov", role="courier", trained_until=trained, login=LOGIN),
            by="test",
        )
        return await house.staff.set_secrets("777", PASSWORD)


def nonsense(line: Line, of: Installation) -> None:
    """Refused in every way there is, with values in all the wrong places."""
    site = of.credentials["site"]
    order = {"service": "order", "version": "1", "case": "order:nonsense", "accepted": True}
    wrong = {"contact.name": [NONSENSE], NONSENSE: NONSENSE, "financial.cvv": "313", "contact.mobile": NONSENSE}
    for items in ({"financial.card-number": CARD}, wrong, {"contact.name": NONSENSE}, {NONSENSE: CARD}):
        assert line.post("/v1/collect", {**order, "items": items}, site).status in (400, 403, 422)
    assert line.post("/v1/collect", {"service": NONSENSE, "items": {}}, site).status >= 400
    assert line.use(site, purpose=NONSENSE, person=NONSENSE).status >= 400
    assert line.use(f"{site[:-4]}AAAA", purpose="deliver-order", case="order:x").status == 401
    found = line.post(
        "/v1/lookups",
        {"purpose": "identify-and-contact", "item": "contact.mobile", "value": "+998909998877"},
        of.credentials["officer"],
    )
    assert found.status in (200, 400, 403)


def sign_in(service: Service, phone: Phone, mobile: str) -> list[str]:
    """The person reads their own data, signed in with a code; what must not be found afterwards."""
    visitor = Visitor(service)
    status, leads = visitor.post("/me", who=mobile)
    assert status == 303, status
    until(lambda: bool(phone.codes()), 20, service.said)
    (code,) = phone.codes()
    assert visitor.post(leads, code="000000" if code != "000000" else "111111")[0] == 401
    assert visitor.post(leads, code=code)[0] == 303
    return [value for value in visitor.cookies.values() if len(value) >= 20]


async def keys_of(of: Installation) -> dict[str, bytes]:
    """The root, what it opens of lasting keys and of living people, and what the log's signatures are made with."""
    async with open_house(settings_of(of.home, of.root_key, address(of.home).dsn()), clock=system_clock) as house:
        vault = house.grounds.vault
        rows = await house.grounds.database.pool.fetch(
            "select unnest(array[p.slot, p.evidence_slot, r.slot]) as slot"
            " from persons p join records r on r.person = p.id where p.erased_at is null limit 12"
        )  # fmt: skip
        numbers = {**vault._keyring.ring().keys, **{f"slot {row['slot']}": row["slot"] for row in rows}}
        keys = {name: vault._slots.secret(number) for name, number in numbers.items()}
        for name in ("evidence-log", "evidence-clock", "receipts"):
            keys[f"seed of {name}"] = vault.signing_key(name).private_bytes_raw()
    return {"root": of.root_key.read_bytes(), **keys}


def guessed(town: Town) -> list[bytes]:
    """Digests of whole values, as they were written and as somebody may have made them alike before."""
    written = [v for o in islice(town.history.of("collect"), 4) for v in o.sent.values() if isinstance(v, str)]
    written += [PASSWORD, LOGIN, "Sardorbek Kuryerov", CARD, NONSENSE, "+998909998877"]
    alike = {form for v in written for form in (v, v.lower(), v.lstrip("+"), json.dumps(v))}
    return [digest for form in alike for digest in digests(form).values()]


async def test_S2_no_value_no_secret_and_no_code_is_left_in_any_file_or_log(
    installation: Installation, phone: Phone
) -> None:
    with serving(installation, SMS_GATEWAY=phone.url, LOG_LEVEL="debug") as service:
        town = Town(installation.credentials, seed=3)
        secret = await employ(installation)
        async with town.at_work(service):
            await asyncio.sleep(2)
        for line in one_to_each(service):
            nonsense(line, installation)
            line.close()
        mobile = town.history.acknowledged("collect")[0].sent["contact.mobile"]
        sessions = sign_in(service, phone, mobile)
        desk = Visitor(service)
        status, _ = desk.post("/desk/sign-in", login=LOGIN, password=PASSWORD, code=pyotp.TOTP(secret).now())
        assert status == 303
        sessions += [value for value in desk.cookies.values() if len(value) >= 20]
        assert len(sessions) >= 2

        mobiles = [o.sent["contact.mobile"] for o in town.history.of("collect")][:4]
        values: list[str | bytes] = [town.mark[1:], "Qoʻldosheva", *(number[4:] for number in mobiles)]  # or shortened
        values += [PASSWORD, LOGIN, "Sardorbek Kuryerov", secret, CARD, NONSENSE, "+998909998877"]
        values += [credential.split("_", 2)[2] for credential in installation.credentials.values()] + sessions
        keys, hashed = await keys_of(installation), guessed(town)
        assert len(keys) >= 16
        values += [*keys.values(), *hashed]
        places = [installation.home, installation.output]

        owner = await asyncpg.connect(address(installation.home).dsn(USER, user=OWNER))
        try:
            await owner.execute("checkpoint")
            assert await asyncio.to_thread(files_with, places, values) == []
            await the_search_can_find(owner, installation, keys)
        finally:
            await owner.close()
        assert service.stop() == 0
    assert phone.codes()[0] not in installation.output.read_text()
    assert files_with([installation.output, installation.home / "postgres.log"], values) == []


async def the_search_can_find(owner: asyncpg.Connection, of: Installation, keys: Mapping[str, bytes]) -> None:
    """Planted in a table, each way of writing is found by itself, and in the write-ahead log as well."""
    value = "Gulbadanbegim Ekilgan Qiymat"
    seed = keys["seed of evidence-log"]
    planted = [value, *digests(value).values(), keys["root"], seed]
    await owner.execute("create schema planted")
    await owner.execute("create table planted.one (value bytea)")
    for each in planted:
        for name, written in encodings(each).items():
            await owner.execute("truncate planted.one")
            await owner.execute("insert into planted.one values ($1)", b".." + written + b"..")
            await owner.execute("checkpoint")
            file = of.home / "postgres" / await owner.fetchval("select pg_relation_filepath('planted.one')")
            assert files_with([file], [each]) == [str(file)], name
        assert await asyncio.to_thread(files_with, [of.home / "postgres" / "pg_wal"], [each])
    await owner.execute("drop schema planted cascade")
    kept = sha256(of.credentials["site"].split("_", 2)[2].encode()).digest()  # of 256 random bits: nobody guesses them
    assert await asyncio.to_thread(files_with, [of.home / "postgres" / "base"], [kept])
