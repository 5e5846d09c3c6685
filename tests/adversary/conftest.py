"""The house as somebody with bad intentions meets it: real systems, real rows, and a hand that changes them."""
# ruff: noqa: F401, F811 - fixtures

from typing import Any

from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.promises.messages import sealing_context, unpack
from tests.flows.conftest import Clock, Shop, clock, house, settings, shop

PHONE = "+998901234567"


async def ordered(shop: Shop, *, system: str = "site", mobile: str | None = PHONE, **more: Any) -> CollectAnswer:
    """An order taken in by one of the systems."""
    shop.orders += 1
    given: dict[str, Any] = {
        "service": "order", "version": "1", "consents": {}, "case": f"order:{41876 + shop.orders}", "accepted": True,
        "items": shop.order_items(**{"contact.mobile": mobile}), **more,
    }  # fmt: skip
    return await shop.house.collect(CollectRequest(credential=shop.credentials[system], **given))


async def acts(shop: Shop) -> list[str]:
    """The acts in evidence, oldest first."""
    return [row["act"] for row in await shop.house.grounds.database.pool.fetch("select act from entries order by txid")]


async def codes_waiting(shop: Shop) -> list[tuple[str, str]]:
    """For whom codes wait in the outbox, and the codes, oldest first."""
    rows = await shop.house.grounds.database.pool.fetch(
        "select o.id, o.person, o.sealed, p.slot from outbox o join persons p on p.id = o.person"
        " where o.template = 'sign-in-code' order by o.created_at, o.id"
    )
    vault = shop.house.grounds.vault
    return [
        (r["person"], str(unpack(vault.open_value(sealing_context(r["id"]), r["sealed"], slot=r["slot"]))["code"]))
        for r in rows
    ]
