"""Omonat's client: collect and use personal data as far as the policy allows, from Python.

    from omonat_client import Client, NotAllowed

    with Client("https://privacy.example.uz", credential="omk_…") as omonat:
        order = omonat.collect("order", {"contact.name": "Gulnora Karimova", …}, version="1", case="order:41877")
        found = omonat.use("deliver-order", case="order:41877", on_behalf_of="204", items=["contact.name"])
        found.items["contact.name"]

`AsyncClient` has the same methods, awaited. Writes carry an idempotency key of their own, so that what was cut off is
safely said again. An item that isn't given is in `withheld`, with a stable `code` and a sentence for people.
"""

from omonat_client.answers import (
    Acknowledged,
    Checkpoint,
    Code,
    Codes,
    Collected,
    Erasure,
    ErasurePlan,
    Evidence,
    Field,
    FoundPeople,
    Health,
    Offer,
    PolicyDocument,
    Problem,
    Proof,
    Registered,
    ServiceForm,
    Staying,
    Used,
    Version,
    Versions,
    Why,
    Withheld,
)
from omonat_client.clients import AsyncClient, Client
from omonat_client.errors import NotAllowed, NotPossibleNow, OmonatProblem, WrongRequest
from omonat_client.requests import Use

__all__ = [
    "Acknowledged",
    "AsyncClient",
    "Checkpoint",
    "Client",
    "Code",
    "Codes",
    "Collected",
    "Erasure",
    "ErasurePlan",
    "Evidence",
    "Field",
    "FoundPeople",
    "Health",
    "NotAllowed",
    "NotPossibleNow",
    "Offer",
    "OmonatProblem",
    "PolicyDocument",
    "Problem",
    "Proof",
    "Registered",
    "ServiceForm",
    "Staying",
    "Use",
    "Used",
    "Version",
    "Versions",
    "Why",
    "Withheld",
    "WrongRequest",
]
