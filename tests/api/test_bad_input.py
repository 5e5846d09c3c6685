"""Bad input: each is told clearly what is wrong and what to do; nothing of what was refused stays anywhere.

One open order, one good request for each address; every row spoils it in one way. The good request succeeds before and
after, so the door is unharmed.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Any

import httpx
import pytest
import pytest_asyncio

from omonat.api.body import parse
from omonat.api.door import Api
from omonat.api.ports import Ports
from omonat.base.errors import OmonatError
from omonat.flows.use import UseAnswer, UseRequest
from tests.api.conftest import Door, delivery, everything_written, order_body

MARK = "Zulmat9431"
"""Stands in every refused value; nobody may find it anywhere afterwards."""


@dataclass(frozen=True)
class Spoiled:
    """One bad request: `raw` is sent as it is; `code` and `status` are what must come back."""

    name: str
    code: str
    status: int
    path: str = "/v1/collect"
    raw: "bytes | None" = None
    spoil: Callable[[dict[str, Any]], Any] = lambda body: body
    by: str = "site"
    headers: dict[str, str] = field(default_factory=dict)
    nearest: str = ""
    at: str = ""


def _item(name: str, value: Any = MARK) -> Callable[[dict[str, Any]], Any]:
    return lambda body: body | {"items": body["items"] | {name: value}}


def _without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda body: body | {"items": {item: value for item, value in body["items"].items() if item != name}}


def _with(**more: Any) -> Callable[[dict[str, Any]], Any]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return lambda body: body | named


ROWS = [
    Spoiled("an undeclared item", "item-unknown", 422, spoil=_item("contact.nmae"), nearest="contact.name"),
    Spoiled("an undeclared item named by a value", "item-unknown", 422, spoil=_item(f"contact.{MARK}")),
    Spoiled("an unneeded item", "item-not-collected", 422, spoil=_item("relationship.interests", ["x" + MARK])),
    Spoiled("a CVV", "card-code-refused", 422, spoil=_item("financial.cvv")),
    Spoiled("a CVV beside the items", "card-code-refused", 422, spoil=_with(CVC2=MARK)),
    Spoiled(
        "a CVV deep inside an item",
        "card-code-refused",
        422,
        spoil=_item("transaction.order-lines", [{"item": "Osh", "Card Security-Code": MARK}]),
    ),
    Spoiled("a CVV in wide letters", "card-code-refused", 422, spoil=_item("financial.ＣＶＶ２")),
    Spoiled(
        "a CVV asked for", "card-code-refused", 422, path="/v1/use", by="courier-app",
        spoil=_with(items=["contact.name", "financial.cvv"]),
    ),
    Spoiled("a wrong type", "value-type", 422, spoil=_item("transaction.amount", MARK)),
    Spoiled("a number for a string", "type-wrong", 422, spoil=_with(version=94319431), at="$.version"),
    Spoiled("a number for an item's text", "value-type", 422, spoil=_item("contact.name", 94319431)),
    Spoiled("a text for a yes", "type-wrong", 422, spoil=_with(accepted=MARK), at="$.accepted"),
    Spoiled("a telephone number that is none", "value-malformed", 422, spoil=_item("contact.mobile", MARK)),
    Spoiled("an unknown service", "service-unknown", 422, spoil=_with(service="ordr"), nearest="order"),
    Spoiled("an unknown service named by a value", "service-unknown", 422, spoil=_with(service=MARK)),
    Spoiled(
        "an unknown purpose", "purpose-unknown", 422, path="/v1/use", by="courier-app",
        spoil=_with(purpose="deliver-ordr"), nearest="deliver-order",
    ),
    Spoiled(
        "an unknown item asked for", "item-unknown", 422, path="/v1/use", by="courier-app",
        spoil=_with(items=["contact.nam"]), nearest="contact.name",
    ),
    Spoiled("an unknown key", "key-unknown", 422, spoil=_with(itemz={MARK: MARK}), nearest="items", at="$"),
    Spoiled("an unknown key named by a value", "key-unknown", 422, spoil=lambda body: body | {MARK: 1}, at="$"),
    Spoiled("a missing key", "key-missing", 422, spoil=lambda body: {k: v for k, v in body.items() if k != "items"}),
    Spoiled(
        "a foreign case", "no-open-case", 403, path="/v1/use", by="courier-app", spoil=_with(case=f"order:{MARK}")
    ),
    Spoiled("a case of another kind", "case-malformed", 422, spoil=_with(case=f"call:{MARK}")),
    Spoiled("no case where one is needed", "case-needed", 422, spoil=_with(case=None)),
    Spoiled("an unknown version", "version-unknown", 422, spoil=_with(version=MARK)),
    Spoiled(
        "a form token nobody signed", "form-invalid", 422,
        spoil=lambda body: {k: v for k, v in body.items() if k != "version"} | {"form": f"omf1.{MARK}.{MARK}"},
    ),
    Spoiled("an unknown person", "person-unknown", 404, spoil=_with(person=f"per_{MARK}")),
    Spoiled(
        "an unknown person asked about", "person-unknown", 404, path="/v1/use", by="campaigns",
        spoil=lambda _: {"purpose": "marketing-email", "person": f"per_{MARK}", "on-behalf-of": "501"},
    ),
    Spoiled("a consent nobody offers", "consent-not-offered", 422, spoil=_with(consents={"survey": True})),
    Spoiled("required data withheld", "required-withheld", 422, spoil=_without("contact.name")),
    Spoiled("required data left null", "value-type", 422, spoil=_item("contact.name", None)),
    Spoiled("nobody named", "nobody-named", 422, path="/v1/use", by="courier-app", spoil=_with(case=None)),
    Spoiled("two megabytes", "body-too-large", 413, raw=b'{"items": {"contact.name": "' + MARK.encode() * 220_000),
    Spoiled("depth 1000", "body-too-deep", 400, raw=b'{"a":' + b"[" * 1000 + MARK.encode() + b"]" * 1000 + b"}"),
    Spoiled("depth 1000 of objects", "body-too-deep", 400, raw=b'{"a":' * 1000 + b'"x"' + b"}" * 1000),
    Spoiled("depth 33", "body-too-deep", 400, raw=b'{"a":' * 33 + b'"x"' + b"}" * 33),
    Spoiled("duplicate keys", "key-duplicate", 400, raw=f'{{"service": "order", "service": "{MARK}"}}'.encode()),
    Spoiled(
        "duplicate keys, one of them escaped", "key-duplicate", 400,
        raw=rf'{{"service": "order", "servic\u0065": "{MARK}"}}'.encode(),
    ),
    Spoiled("invalid UTF-8", "body-not-utf8", 400, raw=b'{"service": "' + MARK.encode() + b'\xff"}'),
    Spoiled("NaN", "number-not-finite", 400, raw=b'{"service": NaN}'),
    Spoiled("infinity", "number-not-finite", 400, raw=b'{"service": -Infinity}'),
    Spoiled("a huge number", "number-too-large", 422, raw=b'{"service": 1e999}'),
    Spoiled("a long number", "number-too-large", 422, raw=b'{"service": ' + b"9431" * 1200 + b"}"),
    Spoiled("NUL", "text-not-text", 422, raw=rf'{{"service": "{MARK}\u0000"}}'.encode()),
    Spoiled("half a surrogate", "text-not-text", 422, raw=rf'{{"service": "{MARK}\ud800"}}'.encode()),
    Spoiled("a long text", "text-too-long", 422, raw=b'{"service": "' + MARK.encode() * 1100 + b'"}'),
    Spoiled("no JSON", "body-malformed", 400, raw=MARK.encode()),
    Spoiled("nothing", "body-malformed", 400, raw=b""),
    Spoiled("a list", "type-wrong", 422, raw=f'["{MARK}"]'.encode(), at="$"),
    Spoiled("another content type", "media-type-wrong", 415, raw=b"<xml/>", headers={"content-type": "text/xml"}),
    Spoiled("Latin-1", "media-type-wrong", 415, headers={"content-type": "application/json; charset=latin-1"}),
    Spoiled("foreign credentials", "credential-refused", 401, headers={"authorization": f"Bearer omk_{MARK}_{MARK}"}),
    Spoiled(
        "credentials of nobody", "credential-refused", 401,
        headers={"authorization": "Bearer omk_aaaaaaaaaaaaaaaaaaaaaaaaaa_" + "A" * 43},
    ),
    *(
        Spoiled(
            f"credentials of nobody, before a body that is {what}", "credential-refused", 401, raw=raw,
            headers={"authorization": f"Bearer omk_{'a' * 26}_{'A' * 43}"},
        )
        for what, raw in {
            "too long": b'"' + b"x" * 2_000_000 + b'"',
            "too deep": b"[" * 1_000,
            "not text": b"\xff\xfe",
            "cut off": b'{"a":1,',
        }.items()
    ),
    Spoiled("another kind of credentials", "credential-refused", 401, headers={"authorization": f"Basic {MARK}"}),
    Spoiled("a bad idempotency key", "key-malformed", 400, headers={"idempotency-key": "x" * 201}),
    Spoiled("a parameter in the address", "query-unknown", 422, path=f"/v1/collect?phone={MARK}"),
    Spoiled("a doubled slash", "route-unknown", 404, path="/v1//collect"),
    Spoiled("an encoded letter", "route-unknown", 404, path="/v1/c%6fllect"),
    Spoiled("a way round", "route-unknown", 404, path="/v1/health/%2e%2e/collect"),
    Spoiled("a slash at the end", "route-unknown", 404, path="/v1/collect/"),
    Spoiled("an address nobody has", "route-unknown", 404, path=f"/v1/{MARK}"),
    Spoiled("huge headers", "headers-too-large", 431, headers={"x-more": MARK * 2000}),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def order(door: Door) -> dict[str, Any]:
    return await door.order()


async def _send(door: Door, order: dict[str, Any], row: Spoiled) -> httpx.Response:
    good: dict[str, Any] = delivery(order["case"], "contact.name")
    if row.path.startswith("/v1/collect"):
        good = order_body(order["case"])
    spoiled = row.spoil(good)
    raw = row.raw if row.raw is not None else json.dumps(spoiled, ensure_ascii=False).encode()
    headers = door.bearer(row.by, **{"content-type": "application/json"}) | row.headers
    return await door.http.post(row.path, content=raw, headers=headers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_bad_input_is_told_what_is_wrong_and_what_to_do(
    door: Door, order: dict[str, Any], row: Spoiled, language: str
) -> None:
    answer = await _send(door, order, replace(row, headers=row.headers | {"accept-language": language}))
    assert answer.status_code == row.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = answer.json()
    assert problem["code"] == row.code
    assert problem["type"] == f"/v1/codes#{row.code}"
    assert problem["status"] == row.status
    assert problem["title"]
    assert problem["detail"]
    assert problem["next"]
    assert MARK not in answer.text
    assert "9431" not in answer.text.replace(problem["instance"], "")
    assert "Traceback" not in answer.text
    assert "{" not in problem["detail"] + problem["next"]
    if row.nearest:
        assert row.nearest in problem["nearest"]
    if row.at:
        assert problem["at"] == row.at
    if row.status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problem["instance"] == answer.headers["x-request-id"]


async def test_what_was_refused_is_nowhere_afterwards_and_the_door_still_works(
    door: Door, order: dict[str, Any]
) -> None:
    for row in ROWS:
        await _send(door, order, row)
    written = await everything_written(door.house.grounds.database)
    assert order["record"] in written
    assert MARK not in written
    assert MARK.encode().hex() not in written
    logged = door.logged.getvalue()
    assert MARK not in logged
    assert "9431" not in re.sub(r'"time": "[^"]*"', "", logged)
    assert '"level": "error"' not in logged
    for path in door.house.settings.home.rglob("*"):
        assert not path.is_file() or MARK.encode() not in path.read_bytes()
    again = await door.ask("/v1/use", delivery(order["case"], "contact.name"), by="courier-app")
    assert again.status_code == 200


async def test_S4_a_closed_case_answers_nothing_more_and_takes_nothing_more(door: Door) -> None:
    order = await door.order()
    case = order["case"]
    assert (await door.ask("/v1/use", delivery(case), by="courier-app")).status_code == 200
    assert (await door.ask(f"/v1/cases/{case}/close", {}, by="panel")).status_code == 200
    after = await door.ask("/v1/use", delivery(case), by="courier-app")
    assert (after.status_code, after.json()["code"]) == (403, "no-open-case")
    more = await door.ask("/v1/collect", order_body(case))
    assert (more.status_code, more.json()["code"]) == (403, "no-open-case")


async def test_a_case_of_somebody_else_is_not_given_to_another(door: Door) -> None:
    mine, yours = await door.order(), await door.order()
    body = order_body(mine["case"]) | {"person": yours["person"]}
    answer = await door.ask("/v1/collect", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "no-open-case")


async def test_what_nobody_foresaw_is_one_sentence_and_an_id_that_is_in_the_log(
    door: Door,
) -> None:
    async def broken(_: UseRequest) -> UseAnswer:
        raise RuntimeError(MARK)

    api = Api(replace(Ports.of(door.house), use=broken))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://localhost") as http:
        answer = await http.post("/v1/use", json=delivery("order:1"), headers=door.bearer("courier-app"))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "internal")
    assert MARK not in answer.text
    assert "RuntimeError" not in answer.text
    line = next(line for line in door.logged.getvalue().splitlines() if problem["instance"] in line)
    assert json.loads(line)["error"] == "RuntimeError"
    assert MARK not in line


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * (1 << 20),
        b'"' + b'\\"' * 500_000,
        b"[" + b"[],[]," * 170_000 + b"[]]",
        b'{"a":[' + b'{"b":1},' * 120_000 + b"1]}",
        b'"' + b"\\u0041" * 170_000 + b'"',
        b"1" * (1 << 20),
    ],
    ids=["brackets", "quotes", "lists", "objects", "escapes", "digits"],
)
def test_a_megabyte_meant_to_hurt_is_read_in_well_under_a_second(raw: bytes) -> None:
    start = process_time()
    with suppress(OmonatError):
        parse(raw)
    assert process_time() - start < 1.0
