"""What anyone may read: the policy, a form and its token, evidence; and how the door behaves as HTTP."""

import httpx
import pytest

from omonat.api.door import Api
from omonat.base.instants import DAY, Instant
from omonat.evidence.proofs import TlogProof
from omonat.evidence.sequencer import Sequencer
from tests.api.conftest import Door, order_body


async def get(door: Door, path: str, **headers: str) -> httpx.Response:
    return await door.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_P1_the_policy_and_its_history_are_open_to_everybody(door: Door) -> None:
    policy = (await get(door, "/v1/policy")).json()
    assert policy["version"] == "1"
    assert policy["document"]["purposes"]["deliver-order"]["says"]["en"]
    versions = (await get(door, "/v1/policy/versions")).json()["versions"]
    assert [(row["version"], row["digest"], row["in-force"]) for row in versions] == [("1", policy["digest"], True)]


async def test_L2_a_form_says_what_is_required_and_why_in_every_language(door: Door) -> None:
    law = await door.house.grounds.law.current()
    for language in ("uz", "ru", "en"):
        form = (await get(door, f"/v1/services/order/form?lang={language}")).json()
        fields = {field["item"]: field for field in form["fields"]}
        assert fields["contact.name"]["ask"] == "required"
        assert fields["contact.landmark"]["ask"] == "optional"
        assert fields["relationship.location"]["ask"] == "with-consent"
        assert fields["relationship.location"]["consents"] == ["guide-courier"]
        assert fields["contact.name"]["label"] == law.label("item", "contact.name", language)
        assert all(field["why"] for field in form["fields"])
        assert all(field["kept"] for field in form["fields"])
        assert {offer["purpose"] for offer in form["offers"]} == set(law.form("order").offers)
    unknown = await get(door, "/v1/services/ordr/form")
    assert (unknown.status_code, unknown.json()["nearest"]) == (422, "order")


async def test_S4_a_form_says_which_people_see_an_item_and_for_what(door: Door) -> None:
    law = await door.house.grounds.law.current()
    form = (await get(door, "/v1/services/information-request/form?lang=en")).json()
    seen = {field["item"]: {why["purpose"]: why["seen-by"] for why in field["why"]} for field in form["fields"]}
    call_centre, counter = (law.label("role", role, "en") for role in ("call-centre", "counter"))
    assert seen["contact.mobile"]["answer-inquiry"] == [call_centre, counter]
    assert seen["contact.email"]["answer-inquiry"] == [call_centre]


async def test_K1_the_bands_of_an_age_begin_where_the_higher_of_policy_and_law_says(door: Door) -> None:
    law = await door.house.grounds.law.current()
    form = (await get(door, "/v1/services/registration/form?lang=en")).json()
    bands = next(field["choices"] for field in form["fields"] if field["item"] == "relationship.age-band")
    first = next(iter(bands))
    assert (first, bands[first]) == (f"under-{law.child_under}", f"0–{law.child_under - 1}")
    assert list(bands)[-1] == "65+"


async def test_C4_the_token_of_a_form_says_which_version_was_shown(door: Door) -> None:
    form = (await get(door, "/v1/services/order/form")).json()
    body = order_body(f"order:{next(door.numbers)}")
    del body["version"]
    taken = await door.ask("/v1/collect", body | {"form": form["form"]})
    assert (taken.status_code, taken.json()["version"]) == (201, "1")
    both = await door.ask("/v1/collect", body | {"form": form["form"], "version": "1"})
    assert both.json()["code"] == "form-and-version"
    swapped = form["form"][:-2] + ("AA" if not form["form"].endswith("AA") else "BB")
    assert (await door.ask("/v1/collect", body | {"form": swapped})).json()["code"] == "form-invalid"
    other = (await get(door, "/v1/services/delivery/form")).json()["form"]
    assert (await door.ask("/v1/collect", body | {"form": other})).json()["code"] == "form-invalid"
    shown = door.clock.now
    door.clock.now = Instant(shown + DAY)
    late = await door.ask("/v1/collect", body | {"form": form["form"]})
    door.clock.now = shown
    assert late.json()["code"] == "form-expired"


async def test_A1_the_proof_of_an_act_follows_and_holds_without_the_server(door: Door) -> None:
    house = door.house
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=door.clock, holder="test")
    order = await door.order()
    entry = order["evidence"]["id"]
    await sequencer.open()
    await sequencer.advance()
    answer = (await get(door, f"/v1/evidence/{entry}")).json()
    proved, checkpoint, _ = TlogProof.parse(answer["proof"].encode()).check(house.keys.pinned, house.keys.origin)
    assert (proved.id, proved.act) == (entry, "collect:record:accepted")
    newest = (await get(door, "/v1/evidence/checkpoint")).json()
    assert newest["size"] >= checkpoint.size > answer["index"]
    fresh = (await door.order())["evidence"]["id"]
    waiting = await get(door, f"/v1/evidence/{fresh}")
    assert waiting.json()["code"] == "evidence-proof-pending"
    nobody = await get(door, "/v1/evidence/ev_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "evidence-not-found")


async def test_health_is_open_and_says_when_the_house_is_sealed(door: Door) -> None:
    assert (await get(door, "/v1/health")).json() == {"status": "ok", "sealed": False, "policy": "1"}
    sealed = httpx.ASGITransport(app=Api(None))
    async with httpx.AsyncClient(transport=sealed, base_url="http://localhost") as http:
        assert (await http.get("/v1/health")).json() == {"status": "sealed", "sealed": True, "policy": None}
        refused = await http.post("/v1/use", json={}, headers=door.bearer())
        assert (refused.status_code, refused.json()["code"]) == (503, "sealed")
        assert refused.headers["retry-after"] == "1"
        assert (await http.get("/v1/codes")).json()["code"] == "sealed"


@pytest.mark.parametrize("path", ["/v1/health", "/v1/use", "/v1/nowhere", "/v1/openapi.json"])
async def test_every_answer_carries_the_same_careful_headers(door: Door, path: str) -> None:
    answer = await door.http.get(path, headers={"origin": "https://elsewhere.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"].startswith("req_")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "server" not in answer.headers


async def test_other_methods_do_nothing_and_say_which_there_are(door: Door) -> None:
    wrong = await door.http.delete("/v1/use", headers=door.bearer())
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "POST, OPTIONS"
    assert "POST" in wrong.json()["next"]
    options = await door.http.options("/v1/collect", headers={"origin": "https://elsewhere.example"})
    assert (options.status_code, options.headers["allow"], options.content) == (204, "POST, OPTIONS", b"")
    head, whole = await door.http.head("/v1/policy"), await get(door, "/v1/policy")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_a_case_may_be_spelled_with_an_encoded_colon_and_in_no_other_way(door: Door) -> None:
    number = next(door.numbers)
    plain = await door.ask(f"/v1/cases/order%3A{number}", {}, by="panel", method="PUT")
    assert plain.status_code == 200, plain.text
    for spelled in (f"order:{number}/", f"Order:{number}", f"order:%20{number}", f"order:{number}%00"):
        answer = await door.ask(f"/v1/cases/{spelled}", {}, by="panel", method="PUT")
        assert answer.json()["code"] == "route-unknown"


async def test_a_credential_that_ended_is_refused_with_the_next_request(door: Door) -> None:
    door.credentials["passing"] = await door.house.clients.issue(name="passing", source="site", roles=["system"])
    body = order_body(f"order:{next(door.numbers)}")
    assert (await door.ask("/v1/collect", body, by="passing")).status_code == 201
    await door.house.clients.end(name="passing")
    for path, again in (
        ("/v1/collect", body),
        ("/v1/use", {"purpose": "take-order", "case": body["case"]}),
        ("/v1/restrictions", {"person": "per_x"}),
    ):
        assert (await door.ask(path, again, by="passing")).status_code in (401, 403)
