"""Form tokens: which version was shown with a form, in words only this house can have written (C4, P2).

    token = "omf1." base64url(payload) "." base64url(keyed digest of the payload)
    payload = service "\\n" version "\\n" issued (µs)

Signed, so that a page can carry it through a browser and nobody can claim to have been shown another version.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import Final, Protocol

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, Instant

_PREFIX: Final = "omf1"
_CONTEXT: Final = "api-form"
VALID: Final = DAY
"""Microseconds a form may stay open before it is shown anew."""


class Digests(Protocol):
    """The part of the vault that signs form tokens and hides idempotency keys."""

    def keyed_digest(self, context: str, data: bytes) -> bytes:
        """32 bytes nobody without the vault can make."""
        ...


def issue(digests: Digests, *, service: str, version: str, now: Instant) -> str:
    """The token that goes out with a form."""
    payload = f"{service}\n{version}\n{now}".encode()
    return ".".join((_PREFIX, _text(payload), _text(digests.keyed_digest(_CONTEXT, payload))))


def shown_version(
    digests: Digests, token: str, *, service: str, now: Instant, valid: int = VALID, early: int = 0
) -> str:
    """The version that was shown. `early`: how far the clock of whoever filled it in may have been behind.

    Raises BadInput `form-invalid` (not ours, another service) or `form-expired`.
    """
    prefix, _, rest = token.partition(".")
    body, _, mark = rest.partition(".")
    try:
        payload, given = _bytes(body), _bytes(mark)
        named, version, issued = payload.decode().split("\n")
    except (ValueError, binascii.Error):
        raise BadInput("form-invalid") from None
    mine = compare_digest(given, digests.keyed_digest(_CONTEXT, payload))
    if not mine or prefix != _PREFIX or named != service:
        raise BadInput("form-invalid")
    if not int(issued) - early <= now < int(issued) + valid:
        raise BadInput("form-expired")
    return version


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
