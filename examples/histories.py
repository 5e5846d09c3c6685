"""What made-up people did with the company: registered, ordered, were delivered to, asked, subscribed, left again."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal, cast

from omonat.base.instants import DAY, HOUR, MINUTE, Instant, to_datetime

if TYPE_CHECKING:
    from examples.population import MadeUp

Action = Literal["put-case", "collect", "assign", "close", "withdraw"]

WORDS: Mapping[str, Any] = tomllib.loads((Path(__file__).parent / "population.toml").read_text("utf-8"))
_BANDS = ((14, "14-17"), (18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))
_BROWSERS = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/143.0",
)
_PAGES = ("/", "/menu", "/menu/osh", "/order", "/page/privacy-policy", "/newsletter")
_DELIVERY_FEE = 15_000_00  # tiyin
_LONGEST = 400 * DAY


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a source system, `at` its instant. `body` is the JSON it sends, without person, version and key."""

    at: Instant
    person: int
    action: Action
    source: str
    service: str = ""
    case: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


class History:
    """What one person did with the company, oldest first."""

    def __init__(self, person: "MadeUp", rng: Random, now: Instant, couriers: Sequence[str]) -> None:
        self._person = person
        self._rng = rng
        self._now = now
        self._couriers = couriers
        self._steps: list[Step] = []
        self._cases = 0
        self._band = band(person.born, to_datetime(now).date())

    def steps(self, *, grown_up: bool) -> tuple[Step, ...]:
        rng = self._rng
        came = self._ago(rng.randint(3 * DAY, _LONGEST))
        self._register(came)
        if rng.random() < 0.55:
            self._visit(self._after(came))
        if grown_up:
            for _ in range(min(8, int(rng.expovariate(0.55)))):
                self._order(self._after(came))
            if rng.random() < 0.02:
                self._order(self._ago(rng.randint(5 * MINUTE, 70 * MINUTE)))
            if rng.random() < 0.28:
                self._loyalty(self._after(came))
            if self._person.email and rng.random() < 0.4:
                self._newsletter(self._after(came))
        if rng.random() < 0.06:
            self._inquire(self._after(came))
        return tuple(sorted(self._steps, key=lambda step: step.at))

    def _register(self, at: Instant) -> None:
        items = self._reach() | {"relationship.age-band": self._band}
        if self._rng.random() < 0.6 or self._band == "14-17":
            items["relationship.birth-date"] = self._person.born.isoformat()
        self._collect(at, "registration", items, {"marketing-email": False})

    def _visit(self, at: Instant) -> None:
        rng = self._rng
        page, address = rng.choice(_PAGES), f"198.51.100.{rng.randint(1, 254)}"
        items = {
            "online.ip-address": address if rng.random() < 0.85 else f"2001:db8::{rng.randint(1, 65_535):x}",
            "online.server-log": f"GET {page} 200",
            "online.browser": rng.choice(_BROWSERS),
        }
        self._collect(at, "site-visit", items, {}, source="server")

    def _order(self, at: Instant) -> None:
        rng = self._rng
        case, source = self._new_case("order", at), rng.choices(("site", "app", "call-centre"), (55, 30, 15))[0]
        lines = _basket(rng)
        items = self._reach() | {
            "contact.postal-address": dict(self._person.address),
            "transaction.order-lines": lines,
            "transaction.amount": sum(line["count"] * line["price"] for line in lines),
        }
        if rng.random() < 0.35:
            landmarks = WORDS["landmarks"]["ru" if self._person.language == "ru" else "uz"]
            items["contact.landmark"] = rng.choice(landmarks).format(n=rng.randint(1, 320))
        if rng.random() < 0.2:
            items["transaction.comment"] = rng.choice(WORDS["comments"][self._person.language])
        if rng.random() < 0.45:
            items |= {
                "financial.card-token": f"tok_{rng.getrandbits(96):024x}",
                "financial.card-brand": rng.choices(("uzcard", "humo", "visa"), (50, 42, 8))[0],
                "financial.card-last-four": f"{rng.randint(0, 9999):04}",
            }
        self._open(at, case, "order", source)
        self._collect(at, "order", items, {"marketing-email": False, "marketing-sms": False}, case=case, source=source)
        self._deliver(Instant(at + rng.randint(4 * MINUTE, 12 * MINUTE)), case, source)

    def _deliver(self, at: Instant, case: str, source: str) -> None:
        rng = self._rng
        if at >= self._now:
            return
        courier = rng.choice(self._couriers)
        self._steps.append(Step(at, self._person.number, "assign", source, case=case, body={"assigned": [courier]}))
        done = Instant(at + rng.randint(25 * MINUTE, 80 * MINUTE))
        if done < self._now:
            self._close(done, case, source)

    def _loyalty(self, at: Instant) -> None:
        items = {
            "contact.name": self._person.typed_name,
            "contact.mobile": _as_typed(self._rng, self._person.mobile),
            "relationship.age-band": self._band,
            "transaction.account-number": f"BQ-{self._person.number:06}",
            "transaction.loyalty-points": self._rng.randint(0, 900) * 10,
        }
        self._collect(at, "loyalty-account", items, {"personalisation": self._rng.random() < 0.3})

    def _newsletter(self, at: Instant) -> None:
        items = {"contact.email": self._person.email, "contact.name": self._person.typed_name}
        self._collect(at, "newsletter", items, {"marketing-email": True})
        if self._rng.random() < 0.12:
            left = self._after(at)
            body = {"purpose": "marketing-email"}
            self._steps.append(Step(left, self._person.number, "withdraw", "privacy-center", body=body))

    def _inquire(self, at: Instant) -> None:
        rng = self._rng
        case = self._new_case("inquiry", at)
        items = self._reach() | {"transaction.inquiry": rng.choice(WORDS["inquiries"][self._person.language])}
        self._open(at, case, "information-request", "site")
        self._collect(at, "information-request", items, {"marketing-email": False}, case=case)
        answered = Instant(at + rng.randint(20 * MINUTE, 30 * HOUR))
        if answered < self._now:
            self._close(answered, case, "site")

    def _reach(self) -> dict[str, Any]:
        """Name, number and perhaps an e-mail address, as typed this time."""
        reach: dict[str, Any] = {
            "contact.name": self._person.typed_name,
            "contact.mobile": _as_typed(self._rng, self._person.mobile),
        }
        if self._person.email:
            reach["contact.email"] = self._person.email
        return reach

    def _open(self, at: Instant, case: str, service: str, source: str) -> None:
        self._steps.append(Step(at, self._person.number, "put-case", source, service=service, case=case))

    def _close(self, at: Instant, case: str, source: str) -> None:
        body = {"name": "case-closed"}
        self._steps.append(Step(at, self._person.number, "close", source, case=case, body=body))

    def _collect(
        self,
        at: Instant,
        service: str,
        items: Mapping[str, Any],
        consents: Mapping[str, bool],
        *,
        case: str | None = None,
        source: str = "site",
    ) -> None:
        body = {
            "service": service,
            "items": items,
            "consents": consents,
            "language": self._person.language,
            "accepted": True,
        }
        self._steps.append(Step(at, self._person.number, "collect", source, service, case, body))

    def _new_case(self, kind: str, at: Instant) -> str:
        self._cases += 1
        return f"{kind}:{to_datetime(at):%y%m}-{self._person.number:05}-{self._cases}"

    def _ago(self, span: int) -> Instant:
        return Instant(self._now - span)

    def _after(self, moment: Instant) -> Instant:
        """Some instant between `moment` and two hours ago."""
        return Instant(moment + int((self._now - 2 * HOUR - moment) * self._rng.random()))


def band(born: date, today: date) -> str:
    """The age band a form asks for, as of `today`."""
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return next(band for least, band in reversed(_BANDS) if age >= least)


def _as_typed(rng: Random, mobile: str) -> str:
    operator, subscriber = mobile[4:6], mobile[6:]
    grouped = f"{subscriber[:3]}-{subscriber[3:5]}-{subscriber[5:]}"
    forms = (
        mobile,
        f"{operator} {grouped}",
        f"998{operator}{subscriber}",
        f"({operator}) {grouped}",
        f"8 {operator} {grouped}",
    )
    return rng.choices(forms, (50, 22, 14, 8, 6))[0]


def _basket(rng: Random) -> list[dict[str, Any]]:
    menu = WORDS["menu"]
    lines = [
        {"item": dish["name"], "count": 1 + int(rng.random() * dish["most"]), "price": dish["price"] * 100}
        for dish in menu
        if rng.random() * 70 < dish["often"]
    ]
    if not lines:
        lines.append({"item": menu[0]["name"], "count": 2, "price": menu[0]["price"] * 100})
    return cast(list[dict[str, Any]], [*lines, {"item": "Yetkazib berish", "count": 1, "price": _DELIVERY_FEE}])
