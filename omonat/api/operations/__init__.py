"""The table of operations: each route once, with everything routing, checking and documentation need."""

from typing import Final

from omonat.api.operations.announcing import ANNOUNCING
from omonat.api.operations.business_clients import BUSINESS_CLIENTS
from omonat.api.operations.campaigning import CAMPAIGNING
from omonat.api.operations.children import CHILDREN
from omonat.api.operations.demographics import DEMOGRAPHICS
from omonat.api.operations.erasing import ERASING
from omonat.api.operations.holding import HOLDING
from omonat.api.operations.offline import OFFLINE
from omonat.api.operations.reading import READING
from omonat.api.operations.receipts import RECEIPTS
from omonat.api.operations.reporting import REPORTING
from omonat.api.operations.telling_many import TELLING_MANY
from omonat.api.operations.unsealing import UNSEALING
from omonat.api.operations.using import USING

OPERATIONS: Final = (
    USING
    + OFFLINE
    + REPORTING
    + RECEIPTS
    + DEMOGRAPHICS
    + CAMPAIGNING
    + CHILDREN
    + ERASING
    + HOLDING
    + ANNOUNCING
    + TELLING_MANY
    + BUSINESS_CLIENTS
    + READING
    + UNSEALING
)
SEALED: Final = frozenset({"health", "unsealing", "unseal"})
"""What is answered before the keys are open."""
EVERYWHERE: Final = ("query-unknown", "header-twice", "headers-too-large", "internal")
"""Errors any operation can answer."""
WITH_BODY: Final = (
    "body-malformed", "body-not-utf8", "body-too-large", "body-too-deep", "body-too-branched", "body-slow",
    "media-type-wrong", "key-duplicate", "key-unknown", "key-missing", "type-wrong", "value-wrong",
    "number-too-large", "number-not-finite", "text-too-long", "text-not-text", "card-code-refused",
)  # fmt: skip
"""Errors any operation with a body can answer."""
WITH_CREDENTIAL: Final = (
    "credential-refused", "sealed", "no-policy", "policy-changing", "database-unavailable", "database-busy",
    "database-full", "disk-full", "evidence-unavailable",
)  # fmt: skip
WITH_KEY: Final = ("key-malformed", "key-reused", "key-busy")
