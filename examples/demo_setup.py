"""What an operator does with the house itself: publish the policy, issue credentials, register staff.

Everything else in the demo goes through the API. Doing it again changes nothing but the secrets, which are shown anew.
"""

import asyncio
import re
import secrets
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from examples.demo_home import DemoHome, SetUp, Staff
from examples.demo_procedure import tell_clients_by
from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, Instant, to_datetime
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import House, set_up_doors
from omonat.policy.reader import read_policy

POLICIES = Path(__file__).parent.parent / "policies"
AUTHOR, APPROVER = "staff:102", "staff:101"

CLIENTS = {
    "site": ("site", ("system",)),
    "app": ("app", ("system",)),
    "server": ("server", ("system",)),
    "system": ("site", ("system",)),
    "panel": ("counter", ("counter", "courier", "call-centre")),
    "counter": ("counter", ("counter",)),
    "courier": ("courier", ("courier",)),
    "call-centre": ("call-centre", ("call-centre",)),
    "marketing": ("site", ("marketing",)),
    "finance": ("counter", ("finance",)),
    "quality": ("call-centre", ("quality",)),
    "security": ("camera", ("security",)),
    "management": ("privacy-center", ("management",)),
    "privacy-officer": ("privacy-center", ("privacy-officer",)),
    "auditor": ("privacy-center", ("auditor",)),
}
"""The company's systems: the source each stands for, and the roles it may act in. Each role has one of its own name."""

STAFF = (
    ("101", "Zuhra Yoʻldosheva", "management", "zuhra"),
    ("102", "Ulugʻbek Qodirov", "privacy-officer", "ulugbek"),
    ("103", "Nodira Aliyeva", "privacy-officer", "nodira"),  # approves what the other wrote
    ("204", "Jasur Toshmatov", "courier", "jasur"),
    ("205", "Тимур Ким", "courier", "timur"),
    ("206", "Behruz Saidov", "courier", "behruz"),
    ("301", "Nilufar Ergasheva", "counter", "nilufar"),
    ("401", "Madina Rasulova", "call-centre", "madina"),
    ("501", "Анна Лебедева", "marketing", "anna"),
    ("601", "Otabek Nazarov", "finance", "otabek"),
    ("701", "Feruza Gʻulomova", "quality", "feruza"),
    ("801", "Rustam Hamidov", "security", "rustam"),
    ("901", "Kamola Sobirova", "auditor", "kamola"),
)
SECURITY = "801"
COURIERS = tuple(ref for ref, _, role, _ in STAFF if role == "courier")
_TRAINED = 365 * DAY


async def set_up(house: House, home: DemoHome, now: Instant) -> SetUp:
    """Set everything up and keep what was made. A kill half-way is mended by doing it again."""
    began = Instant(home.began(now))
    version = await _publish(house, began)
    await set_up_doors(house)
    clients = {
        name: await house.clients.issue(name=name, source=source, roles=roles)
        for name, (source, roles) in CLIENTS.items()
    }
    staff = await asyncio.gather(*(_register(house, each, now) for each in STAFF))
    await tell_clients_by(house)
    await _register_places(house)
    made = SetUp(began=began, version=version, clients=clients, staff=staff)
    home.keep(made)
    return made


async def _register_places(house: House) -> None:
    """This machine and a room for it stand in the register, and whoever looks after them has looked."""
    rooms = [("room", "demo-room", "", "Dalolatnoma 7/2026")]
    hosts = [("host", name, "demo-room", "Inventar 14") for name in await house.places.unregistered()]
    for kind, name, room, proof in rooms + hosts:
        with suppress(BadInput):  # a kill half-way: it stands there already
            await house.places.add(kind, name, room=room, proof=proof, by=SECURITY)
    await house.safeguards.review("server-room", kept=True, proof="Dalolatnoma 7/2026", by=SECURITY)


async def _publish(house: House, began: Instant) -> str:
    document, packs = policy_dated(began)
    try:
        law, _ = await house.publish(Publication(document=document, packs=packs, author=AUTHOR, approver=APPROVER))
    except Refused as refused:
        if refused.code != "version-published":
            raise
        law = await house.grounds.law.current()
    return law.version


def policy_dated(began: Instant) -> tuple[str, dict[str, str]]:
    """The policy with its packs, in force since before the first made-up person came: all dates are relative here."""
    document = (POLICIES / "beshqozon.yaml").read_text("utf-8")
    since = first_of_month(to_datetime(began).date() - timedelta(days=430))
    dated, changed = re.subn(
        r"^effective: \S+$", f"effective: {since}T00:00:00+05:00", document, count=1, flags=re.MULTILINE
    )
    if changed != 1:
        raise ValueError("the policy names no day from which it is in force")
    laws = read_policy(dated).policy.controller.laws
    return dated, {law: (POLICIES / "packs" / f"{law}.yaml").read_text("utf-8") for law in laws}


def first_of_month(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


async def _register(house: House, member: tuple[str, str, str, str], now: Instant) -> Staff:
    ref, name, role, login = member
    registration = Registration(ref=ref, name=name, role=role, trained_until=Instant(now + _TRAINED), login=login)
    await house.staff.put(registration, by="demo")
    password = secrets.token_urlsafe(12)
    totp = await house.staff.set_secrets(ref, password)
    return Staff(ref=ref, name=name, role=role, login=login, password=password, totp=totp)
