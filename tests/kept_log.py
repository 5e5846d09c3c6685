"""What this process logs, kept for a test to read; afterwards the log is as it was before."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from omonat.base import logs


@contextmanager
def kept_log(*, level: str = "debug") -> Iterator[io.StringIO]:
    """Every line from here on, one JSON object each, whoever of this process writes it.

    Tests share a process, so whoever turns its log elsewhere has to turn it back: another's search of the log would
    find nothing and call that good.
    """
    stream, root, said = io.StringIO(), logging.getLogger(), structlog.get_config()
    others, least = root.handlers[:], root.level
    logs.configure(level=level, stream=stream)
    ours = root.handlers[:]
    root.handlers += others
    try:
        yield stream
        assert ours[0] in root.handlers, "a framework set up a log of its own meanwhile: nothing was kept of libraries"
    finally:
        structlog.configure(**said)
        logging.captureWarnings(False)
        for handler in ours:
            root.removeHandler(handler)
        root.setLevel(least)
