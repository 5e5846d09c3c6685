"""What is logged, caught."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from omonat.base.logs import configure


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    before, said = (logging.getLogger().handlers[:], logging.getLogger().level), structlog.get_config()
    configure(form="json", stream=stream)
    yield stream
    structlog.configure(**said)
    logging.captureWarnings(False)
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)
