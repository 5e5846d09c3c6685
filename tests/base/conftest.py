"""What is logged, caught."""

import io
from collections.abc import Iterator

import pytest

from tests.kept_log import kept_log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    with kept_log(level="info") as stream:
        yield stream
