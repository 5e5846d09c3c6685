"""The payment provider: where parents pay, and how its reports are told from anybody else's (K2).

Reports are Standard Webhooks, signed with Ed25519 (`v1a`) by the provider's key, as our own to others are by ours.
A signature covers id, time and body: whatever was changed on the way, or is older than minutes, is nobody's report.
"""

from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import MINUTE, SECOND, Instant
from omonat.promises.children.paying import Terms

CURRENCY: Final = "UZS"
_TOLERATED: Final = 5 * MINUTE
"""How far the provider's clock may be from ours, as Standard Webhooks proposes."""
_PREFIX: Final = "whpk_"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider of the setting `parent-payments`: its key, its page, and what a parent pays, in tiyin."""

    key: Ed25519PublicKey
    page: str
    total: int

    def address(self, terms: Terms, language: str) -> str:
        """Where exactly this is paid. It names the question and the notice's digest, nobody and nothing of anybody."""
        asked = {
            "order": terms.ask, "amount": terms.total, "currency": terms.currency, "notice": terms.notice,
            "lang": language,
        }  # fmt: skip
        return f"{self.page}?{urlencode(asked)}"


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """A report as it came: what was signed, and the signatures, as their headers and the body say."""

    id: str
    at: str
    signatures: str
    body: bytes


def provider_of(setting: str | None) -> Provider | None:
    """`whpk_… https://pay.example.uz/pay 1000`: key, page, soʻm. Raises BadInput `payments-misconfigured`; plain http
    only to this machine (S2)."""
    if setting is None:
        return None
    key, page, total = [*setting.split(), "", "", ""][:3]
    parts = urlsplit(page)
    schemes = {"http", "https"} if parts.hostname in _LOCAL else {"https"}
    right = parts.hostname and parts.scheme in schemes and not (parts.query or parts.fragment or parts.username)
    if (
        not right
        or not (total.isascii() and total.isdecimal() and 0 < int(total) <= 10**7)
        or len(setting.split()) != 3
    ):
        raise BadInput("payments-misconfigured")
    try:
        raw = b64decode(key.removeprefix(_PREFIX), validate=True) if key.startswith(_PREFIX) else b""
        return Provider(Ed25519PublicKey.from_public_bytes(raw), page, int(total) * 100)
    except (BadBase64, ValueError):
        raise BadInput("payments-misconfigured") from None


def require_signed(provider: Provider, report: Signed, now: Instant) -> None:
    """Raises Refused `payment-unsigned` for what isn't the provider's, or isn't of now."""
    digits = report.at.isascii() and report.at.isdecimal() and len(report.at) <= 12
    if not digits or abs(int(report.at) * SECOND - now) > _TOLERATED:
        raise Refused("payment-unsigned")
    signed = b".".join((report.id.encode(), report.at.encode(), report.body))
    if not any(_holds(provider.key, each, signed) for each in report.signatures.split()[:8]):
        raise Refused("payment-unsigned")


def _holds(key: Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    version, _, text = signature.partition(",")
    if version != "v1a":
        return False
    try:
        key.verify(b64decode(text, validate=True), signed)
    except (BadBase64, ValueError, InvalidSignature):
        return False
    return True
