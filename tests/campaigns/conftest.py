"""BESHQOZON with a marketer, readers of its newsletter, and real letters."""
# ruff: noqa: F401 - fixtures are imported to be found

from omonat.flows.campaigns import Marketer, Plan
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel
from tests.notice.conftest import (
    Town,
    catcher,
    catching,
    clock,
    drain,
    gateway,
    house,
    plain_settings,
    settings,
    shop,
    town,
)

MARKETER = Marketer(staff="501")
TEXTS = Texts(
    subject="Navroʻz sumalagi",
    text="Navroʻz kuni sumalak tekin.\n\nKeling, dasturxon yozamiz.",
    translations={"ru": "Сумаляк на Навруз бесплатно."},
)


def plan(name: str = "navroz", **changed: object) -> Plan:
    wanted = {"name": name, "purpose": "marketing-email", "channel": Channel.EMAIL, "texts": TEXTS, **changed}
    return Plan(**wanted)  # type: ignore[arg-type]
