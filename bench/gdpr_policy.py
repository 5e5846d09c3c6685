"""The policy of GDPRbench's records: twenty-five purposes, each with a form of its own, and nothing it doesn't need.

Written as JSON, as programs write documents; people's YAML is read by the same reader, some forty times slower.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from bench.gdpr_work import CATEGORIES, SOURCES, VALUES, Terms, category_of
from omonat.base.instants import Instant, to_rfc3339

DECISIONS = "decisions-by-machine"
_PROMISES = ("U1", "R1", "R3", "Q2", "X1")


def document(terms: Sequence[Terms], *, version: int, effective: Instant) -> str:
    """The document under which these terms hold."""
    made = _STANDING | {
        "version": str(version),
        "effective": to_rfc3339(effective),
        "purposes": {f"study-{n}": _purpose(n, each) for n, each in enumerate(terms)} | {DECISIONS: _DECISIONS},
        "services": {f"form-{n}": _service(n) for n in range(len(terms))},
        "retention": {f"records-{n}": _schedule(n, each) for n, each in enumerate(terms)},
        "recipients": {f"recipient-{n}": _recipient(n, terms) for n in range(VALUES)},
    }
    return msgspec.json.encode(made).decode()


def _words(uz: str, ru: str = "", en: str = "") -> dict[str, str]:
    return {"uz": uz, "ru": ru or uz, "en": en or uz}


def _purpose(number: int, terms: Terms) -> dict[str, Any]:
    return {
        "says": _words(f"Study {number}"),
        "tells": _words("Oʻrganamiz.", "Изучаем.", "We study."),
        "refuses": _words("Kerak emas: {item}.", "Не нужно: {item}.", "Not needed: {item}."),
        "promises": ["U1"],
        "basis": "legitimate-interest",
        "interest": _words("Sifat", "Качество", "Quality"),
        "roles": [terms.roles, "program"],
        "cases": ["order"],
        "needs": [f"{category_of(number)}.text"],
    }


def _service(number: int) -> dict[str, Any]:
    return {
        "says": _words(f"Form {number}"),
        "case": "order",
        "for": [f"study-{number}"],
        "offers": [DECISIONS],
        "keeps": f"records-{number}",
        "sources": list(SOURCES),
    }


def _schedule(number: int, terms: Terms) -> dict[str, Any]:
    kept = {"after": "collected", "keep": f"P{terms.term}D"}
    return {
        "says": _words(f"Records {number}"),
        "rules": [{"factor": factor, **kept} for factor in ("relevance", "interest")],
        "at-most": {"after": "collected", "keep": "P1Y"},
    }


def _recipient(number: int, terms: Sequence[Terms]) -> dict[str, Any]:
    """Those whom no purpose names at the moment receive for none, and are listed all the same."""
    purposes = [n for n, each in enumerate(terms) if each.recipient == f"recipient-{number}"]
    return {
        "says": _words(f"Recipient {number}"),
        "kind": "processor",
        "country": "uz",
        "ground": "X1",
        "purposes": [f"study-{n}" for n in purposes],
        "items": sorted({f"{category_of(n)}.text" for n in purposes}),
    }


_DECISIONS = {
    "says": _words("Mashina qarorlari", "Решения машины", "Decisions by machine"),
    "tells": _words("Rozilik bilan.", "С согласия.", "With consent."),
    "refuses": _words("Kerak emas: {item}.", "Не нужно: {item}.", "Not needed: {item}."),
    "promises": ["U1"],
    "basis": "consent",
    "roles": ["program"],
    "cases": ["order"],
    "needs": ["kind-0.text"],
    "may-use": [f"kind-{n}.text" for n in range(1, CATEGORIES)],
}
_STANDING: dict[str, Any] = {
    "policy": "studies",
    "controller": {
        "name": "Studies", "country": "uz", "mailbox": "hello@studies.test", "laws": ["uz"],
        "time-zone": "Asia/Tashkent",
    },
    "summary": [_words("Oʻrganamiz.", "Изучаем.", "We study.")],
    "sections": {"use": {"says": _words("Foydalanish", "Использование", "Use")}},
    "promises": {
        name: {
            "section": "use", "owner": "manager", "keeping": ["enforced"], "says": _words(name), "tells": _words(name),
        }
        for name in _PROMISES
    },
    "categories": {
        f"kind-{n}": {
            "group": "U1", "says": _words(f"Kind {n}"),
            "items": {"text": {"kind": "text", "says": _words(f"Text {n}")}},
        }
        for n in range(CATEGORIES)
    },
    "cases": {"order": {"says": _words("Buyurtma", "Заказ", "Order")}},
    "sources": {source: {"says": _words(source)} for source in SOURCES},
    "roles": {
        **{f"role-{n}": {"says": _words(f"Role {n}"), "cases": "open"} for n in range(VALUES)},
        "manager": {"says": _words("Rahbar", "Руководитель", "Manager"), "cases": "none"},
        "program": {"says": _words("Dastur", "Программа", "Program"), "cases": "open", "kind": "system"},
    },
    "disclosure": {
        "X1": {
            "says": _words("Xizmat", "Услуга", "Service"),
            "tells": _words("Xizmat uchun.", "Для услуги.", "For the service."),
            "proof": ["processing-contract", "case"],
            "recipients": [f"recipient-{n}" for n in range(VALUES)],
        }
    },
    "children": {"under": "16", "images-under": "16", "promises": ["U1"]},
    "consent-needed": [DECISIONS],
}  # fmt: skip
