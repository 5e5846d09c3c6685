"""A shelf with two published versions of the shipped policy, and the door on it."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from omonat.base.instants import Instant, from_rfc3339
from omonat.pages import Proof
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.policy.reader import read_policy
from omonat.site import SITE, Edition, Shelf, Standing, site_routes

SOURCE = (Path(__file__).parents[2] / "policies" / "beshqozon.yaml").read_bytes()
NOW = from_rfc3339("2026-12-08T12:00:00+05:00")
HOME = "/page/privacy-policy"


def edition(ordinal: int, source: bytes = SOURCE) -> Edition:
    """The shipped policy as version `ordinal`, published a day apart."""
    text = source.replace(b'version: "1"', f'version: "{ordinal}"'.encode(), 1)
    published = Instant(from_rfc3339("2026-11-20T10:00:00+05:00") + ordinal * 86_400_000_000)
    standings = {"P3": Standing.KEPT, "R3": Standing.BROKEN, "B3": Standing.CANNOT_TELL}
    return Edition(read_policy(text).policy, ordinal, text, published, standings=standings)


@pytest.fixture(name="editions", scope="session")
def the_editions() -> list[Edition]:
    return [edition(1), edition(2)]


@pytest.fixture(name="app", scope="session")
def the_app(editions: list[Edition]) -> Litestar:
    proof = Proof(18204, Instant(NOW - 12_000_000), sha256(b"checkpoint").digest(), "/v1/evidence/checkpoint")
    routes = site_routes(Shelf(editions, proof), now=lambda: NOW, https=lambda: True)
    return Litestar([*routes, static_handler([KIT_STATIC, SITE.static])], openapi_config=None, logging_config=None)


@pytest.fixture(name="reader")
def a_reader(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app) as client:
        yield client
