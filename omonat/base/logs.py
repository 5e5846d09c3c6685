"""Logs: a line is an event's name and fields from an allow-list. Nothing else gets out, whoever logs it.

A deny-list would have to know every way personal data can look; an allow-list need not (facts: security, 1.8). So:
an event is a name made of small letters and hyphens, a field's name must be listed, its value must have that
field's form: a small number, a yes or no, a short technical name. An exception is its class and the places it passed,
never its message. What other libraries log through the standard library is reduced to who spoke and where.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

_SLUG: Final = re.compile(r"[a-z]+([.-][a-z]+)*")
_PLACE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(:[0-9]{1,5})?")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    # what happened, in which part of the machine
    **dict.fromkeys(("level", "code", "worker", "act", "kind", "state"), _SLUG),
    **dict.fromkeys(("logger", "place", "error"), _PLACE),
    "trail": re.compile(r"([A-Za-z0-9_.<>]+:[0-9]{1,6} ?){0,12}"),
    "promise": re.compile(r"[A-Z][0-9]{1,2}"),
    "version": re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}"),
    "signal": re.compile(r"SIG[A-Z0-9]{2,8}"),
    "request": re.compile(r"req_[0-9a-f]{16}"),
    # requests: the route's pattern, never the address that was asked for
    "method": re.compile(r"[A-Z]{3,7}"),
    "route": re.compile(r"(/(v[0-9]|[a-z.-]+|(\{[a-z_:-]+\}:?)+)?)+"),
    # work, named as the policy and the program name it
    **dict.fromkeys(("policy", "purpose", "service", "role", "lease", "template", "channel", "queue"), _SLUG),
    "migration": re.compile(r"[0-9]{4}_[a-z0-9_]+|[0-9]{1,4}"),
}
_NUMBERS: Final = frozenset(
    (
        *("attempt", "times", "count", "size", "milliseconds", "pid", "port", "exit", "status", "workers"),
        *("fence", "ordinal", "waiting", "migration", "index"),
    )
)
ALLOWED: Final = _NUMBERS | frozenset(_FORMS) | {"event", "time", "withheld"}
"""Every field that can appear in a line; `withheld` names the listed ones whose value was refused."""

_EVENT: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_LONGEST: Final = 80
_UNNAMED: Final = "unnamed-event"

Line = MutableMapping[str, Any]


def configure(*, level: str = "info", form: str = "json", stream: TextIO | None = None) -> None:
    """Set up logging for this process: `form` is `json` (one object a line) or `human`. `stream` is stderr if None."""
    out = stream or sys.stderr
    number = getattr(logging, level.upper())
    render: Any = structlog.processors.JSONRenderer(sort_keys=True)
    if form == "human":
        render = structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24, timestamp_key="time")
    structlog.configure(
        processors=_steps(render),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Reduce()]
    root.setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)


def _steps(render: Any) -> list[Any]:
    return [
        structlog.stdlib.add_log_level,
        _with_speaker,
        _with_error,
        only_allowed,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        render,
    ]


def log(name: str) -> Any:
    """The logger of one part of the house: `log(__name__).info("worker-started", worker="web", pid=7)`."""
    return structlog.get_logger(speaker=name)  # stays lazy: `bind` would keep what was configured at import


def only_allowed(_logger: Any, _method: str, line: Line) -> Line:
    """Keep what the allow-list knows; name the fields that were left out, if the names themselves are plain."""
    event = line.get("event")
    kept: Line = {"event": event if isinstance(event, str) and _EVENT.fullmatch(event) else _UNNAMED}
    withheld = set()
    for name, value in line.items():
        if name == "event":
            continue
        if _harmless(name, value):
            kept[name] = value
        else:
            withheld.add(name if name in ALLOWED else "unlisted")
    if withheld:
        kept["withheld"] = ",".join(sorted(withheld))
    return kept


def _harmless(name: str, value: Any) -> bool:
    if name not in ALLOWED or name == "withheld":
        return False
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return name in _NUMBERS and abs(value) < 1e9  # a count, a status, a port: shorter than a telephone number
    if not isinstance(value, str) or name not in _FORMS:
        return False
    return (name == "trail" or len(value) <= _LONGEST) and _FORMS[name].fullmatch(value) is not None


def _with_speaker(_logger: Any, _method: str, line: Line) -> Line:
    if "speaker" in line:
        line["logger"] = line.pop("speaker")
    return line


def _with_error(_logger: Any, _method: str, line: Line) -> Line:
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line.update(described(error))
    return line


def described(error: BaseException) -> Mapping[str, str]:
    """An exception without its words: its class, and the functions and lines it passed, innermost last."""
    described: dict[str, str] = {"error": type(error).__qualname__, "trail": _trail(error.__traceback__)}
    code = getattr(error, "code", None)
    if isinstance(code, str):
        described["code"] = code
    return described


def _trail(trace: TracebackType | None) -> str:
    frames = traceback.walk_tb(trace)
    steps = [f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{number}" for frame, number in frames]
    return " ".join(steps[-12:])


class _Reduce(logging.Handler):
    """Other libraries' messages may hold anything: only who spoke, where, and the class of an exception pass."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"place": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            fields.update(described(record.exc_info[1]))
        structlog.get_logger().log(record.levelno, "library-message", logger=record.name, **fields)


if not structlog.is_configured():  # the library's own default prints every local variable of a traceback
    structlog.configure(
        processors=_steps(structlog.processors.JSONRenderer(sort_keys=True)),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
