"""What several operations share in the documentation: example ids, and errors of the same kind of request."""

from typing import Any, Final

PERSON: Final = "per_7qk3n5u2zj4wv6xg2m5tq3rbya"
EVIDENCE: Final[dict[str, Any]] = {
    "id": "ev_b3l6k2w7p5yq4nqz2t6xh3vdoe",
    "leaf": "5f1d0cb6c1d1f9a1be4b5b7f06d1bb2f6a3a5a1f7a6e2f5d3f2c1b0a99887766",
    "due": "2026-12-01T09:00:10.000000Z",
    "receipt": "omr1.AAYxK…",
}
ACKNOWLEDGED: Final = {"evidence": EVIDENCE}
CASE: Final = {"kind": "order", "reference": "41877"}
CHOICE_ERRORS: Final = ("purpose-unknown", "version-unknown", "person-unknown", "permission-not-yours")
CASE_ERRORS: Final = ("case-malformed", "no-open-case", "source-not-named", "person-unknown")
