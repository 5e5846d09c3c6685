"""Errors as answers: RFC 9457, one printer for everything that can go wrong.

The text comes from the registry of codes, in the caller's language; names are the policy's labels. Never a trace, never
a value, never a name that was made up. What nobody foresaw is `internal`, with the id under which the log tells more.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from omonat.api.answers import Problem, encode
from omonat.api.http import Reply
from omonat.api.speech import spoken
from omonat.base.codes import Code, advice, registry, sentence
from omonat.base.errors import BadInput, Fault, OmonatError, Refused, Unavailable
from omonat.base.logs import log
from omonat.policy.compiled import CompiledPolicy

if TYPE_CHECKING:
    from omonat.api.call import Operation

_log = log(__name__)

MEDIA_TYPE: Final = b"application/problem+json"

_TITLES: Final[Mapping[type[OmonatError], Mapping[str, str]]] = {
    BadInput: {"en": "Something in the request is wrong", "ru": "В запросе ошибка", "uz": "Soʻrovda xato bor"},
    Refused: {"en": "Not allowed", "ru": "Не разрешено", "uz": "Ruxsat etilmagan"},
    Unavailable: {"en": "Not possible just now", "ru": "Сейчас невозможно", "uz": "Hozircha mumkin emas"},
    Fault: {"en": "A fault on our side", "ru": "Сбой на нашей стороне", "uz": "Bizning tomonda nosozlik"},
}


def problem(error: Exception, *, language: str, policy: CompiledPolicy | None, instance: str) -> Problem:
    """The error in words. Anything that is no `OmonatError` is `internal`."""
    known = error if isinstance(error, OmonatError) else Fault("internal")
    code = registry().get(known.code)
    if code is None:
        known, code = Fault("internal"), registry()["internal"]
    about = spoken(known.about, policy, language)
    kind = next((k for k in _TITLES if isinstance(known, k)), Fault)
    return Problem(
        type=f"/v1/codes#{code.id}",
        title=_TITLES[kind][language],
        status=_status(code),
        detail=sentence(code.id, language, about),
        code=code.id,
        promise=code.promise,
        next=advice(code.id, language, about),
        at=about.get("at", ""),
        line=_number(about.get("line")),
        column=_number(about.get("column")),
        nearest=about.get("nearest", ""),
        item=_declared(known.about.get("item", ""), policy),
        instance=instance,
    )


def printed(error: Exception, *, language: str, policy: CompiledPolicy | None, instance: str) -> Reply:
    """The error as status, bytes and headers."""
    said = problem(error, language=language, policy=policy, instance=instance)
    headers = []
    match said.status:
        case 401:
            headers.append((b"www-authenticate", b"Bearer"))
        case 503:
            headers.append((b"retry-after", b"1"))
        case 405 if isinstance(error, OmonatError):
            headers.append((b"allow", error.about["allowed"].encode()))
    return Reply(said.status, encode(said), MEDIA_TYPE, headers)


def as_member(error: Exception, *, language: str, policy: CompiledPolicy | None, instance: str) -> msgspec.Raw:
    """The error as one member of a list of answers."""
    return msgspec.Raw(encode(problem(error, language=language, policy=policy, instance=instance)))


def log_fault(error: Exception, operation: "Operation | None", instance: str) -> None:
    """Note what is our fault or the world's, under the request's id; refusals stand in the evidence, not in the log."""
    if isinstance(error, BadInput | Refused):
        return
    about = {"request": instance}
    if operation is not None:
        about |= {"method": operation.method, "route": operation.path}
    if isinstance(error, Unavailable):
        _log.warning("request-unavailable", code=error.code, **about)
    else:
        _log.error("request-failed", exc_info=(type(error), error, error.__traceback__), **about)


def _status(code: Code) -> int:
    return code.status if 400 <= code.status <= 599 else 500


def _declared(item: str, policy: CompiledPolicy | None) -> str:
    """The item's id where the policy declares it; a made-up name is never repeated."""
    return item if policy is not None and item in policy.items else ""


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
