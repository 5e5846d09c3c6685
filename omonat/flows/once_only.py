"""What is taken in once only: a request under its idempotency key, and a sealed form under its id (S1).

Both stand in the transaction of the collection itself, so that they are there with it or not at all.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

from omonat.base.errors import Refused
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.collecting import OvertakenError
from omonat.flows.handed_in import CollectAnswer, CollectRequest, Parsed

_queries = load("omonat.flows", "collect.sql")


async def remember_keys(connection: Any, keyed: Sequence[tuple[Parsed, CollectAnswer]], now: Instant) -> None:
    """Keep what was answered under a key. Raises OvertakenError when another worker answered it a moment ago."""
    try:
        await _queries.insert_answers(
            connection,
            client=[p.request.credential.client for p, _ in keyed],
            key=[p.key for p, _ in keyed],
            request=[p.body_digest for p, _ in keyed],
            answer=[_as_json(a) for _, a in keyed],
            at=[now] * len(keyed),
        )
    except asyncpg.UniqueViolationError as error:
        raise OvertakenError(None) from error


async def note_forms(connection: Any, forms: Sequence[tuple[CollectRequest, CollectAnswer]], now: Instant) -> None:
    """Sealed forms are taken in with their collection or not at all; in one order, as keys are.

    Raises OvertakenError for a form that was taken in before.
    """
    rows = sorted(
        (sealed.id, request.credential.client, sealed.digest, str(answer.evidence["id"]), sealed.kept_until)
        for request, answer in forms
        if (sealed := request.sealed) is not None
    )
    try:
        await _queries.insert_sealed_forms(
            connection,
            id=[row[0] for row in rows],
            device=[row[1] for row in rows],
            digest=[row[2] for row in rows],
            entry=[row[3] for row in rows],
            kept_until=[row[4] for row in rows],
            now=now,
        )
    except asyncpg.UniqueViolationError as error:
        raise OvertakenError(Refused("form-taken")) from error


def _as_json(answer: CollectAnswer) -> dict[str, Any]:
    return {
        "person": answer.person,
        "record": answer.record,
        "case": answer.case,
        "version": answer.version,
        "evidence": dict(answer.evidence),
    }
