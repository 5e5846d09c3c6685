"""Rendering: one `Door` per door, one template environment per language, nothing shared that can be changed.

A door's folder holds `templates/`, `locale/` and `static/`; the kit's templates (`base.html`, `kit.html`) stand behind
its own. Autoescape is on and an undefined name is an error, so a page never quietly shows nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from omonat.base.codes import advice, sentence
from omonat.base.instants import Instant, to_rfc3339
from omonat.pages import formats, requests
from omonat.pages.compiled import Compiled, never_foreseen
from omonat.pages.files import assets
from omonat.pages.girih import brand_sign, girih
from omonat.pages.masks import mask
from omonat.pages.words import KIT, LANGUAGES, OWN_NAMES, Words, words_of


@dataclass(frozen=True, slots=True)
class Nav:
    """One link of a door's navigation; `label` is already in the page's language."""

    href: str
    label: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The checkpoint a page was verified by: its number, when it was signed, its digest, where the proof lies."""

    number: int
    at: Instant
    digest: bytes
    href: str


@dataclass(frozen=True)
class Door:
    """A door's pages. `name` marks its static files' addresses; `folder` is the door's package folder."""

    name: str
    folder: Path
    zone: ZoneInfo = formats.TASHKENT

    def words(self, language: str) -> Words:
        """The interface words of this door; call them `_` so that extraction finds the sentences."""
        return words_of(language, (self.folder,))

    def render(self, template: str, *, language: str, now: Instant, **context: Any) -> str:
        """The page as text. Every page can use `now`; what else `base.html` reads is listed in docs/pages.md.

        Raises jinja2.TemplateNotFound and jinja2.UndefinedError: both are our own faults.
        """
        environment = self._environments[language]
        return environment.get_template(template).render(now=now, **context)

    def warm(self) -> None:
        """Read catalogues and templates now, so that the first reader doesn't wait for them."""
        for environment in self._environments.values():
            for template in environment.list_templates(extensions=["html", "txt"]):
                environment.get_template(template)

    @property
    def static(self) -> tuple[str, Path]:
        """What `static_handler` needs to serve this door's own files."""
        return self.name, self.folder / "static"

    def asset(self, name: str) -> str:
        """The address of a static file: `kit/…` from the kit, anything else from this door. Raises KeyError."""
        if name.startswith("kit/"):
            return assets("kit", KIT / "static")[name.removeprefix("kit/")].address
        return assets(*self.static)[name].address

    @cached_property
    def _environments(self) -> Mapping[str, Environment]:
        return {language: self._environment(language) for language in LANGUAGES}

    @cached_property
    def _compiled(self) -> Compiled:
        return Compiled(self.folder / "__pycache__", alike=_ALIKE)

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader([self.folder / "templates", KIT / "templates"]),
            autoescape=select_autoescape(default=True, disabled_extensions=["txt"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            auto_reload=False,
            bytecode_cache=self._compiled,
        )
        words = self.words(language)
        environment.policies["ext.i18n.trimmed"] = True
        environment.install_gettext_callables(words.raw, words.raw_plural, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(_globals(self, words))
        environment.filters.update(never_foreseen(_filters(words, self.zone)))
        environment.globals["kit"] = environment.get_template("kit.html").module
        return environment


KIT_STATIC = ("kit", KIT / "static")
_ALIKE: Final = Path(__file__).read_bytes()
"""The settings of every environment stand here: when they change, what was compiled before is compiled anew."""


def _globals(door: Door, words: Words) -> dict[str, Any]:
    return {
        "language": words.language,
        "languages": OWN_NAMES,
        "asset": door.asset,
        "in_language": in_language,
        "request_kinds": requests.KINDS,
        "request_states": requests.STATES,
        "request_marks": requests.MARKS,
        "request_outcomes": requests.OUTCOMES,
        "request_reasons": requests.REASONS,
        "request_settled": requests.SETTLED,
        "request_kept_still": requests.KEPT_STILL,
        "girih": _girih,
        "sign": _sign,
        "mark": lambda name, size: _girih(sha256(name.encode()).digest(), size),
        "hue": lambda name: sha256(name.encode()).digest()[0] % 6,
        "current": current,
        "policy_href": lambda promise: f"/page/privacy-policy#{promise}",
        "says": lambda code, about=(): sentence(code, words.language, dict(about)),
        "advice": lambda code, about=(): advice(code, words.language, dict(about)),
    }


def _filters(words: Words, zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    def day(when: Instant | date) -> str:
        return formats.day(words, when, zone)

    def clock(when: Instant) -> str:
        return formats.clock(when, zone)

    def day_and_clock(when: Instant) -> str:
        return formats.day_and_clock(words, when, zone)

    def distance(when: Instant, now: Instant) -> str:
        return formats.distance(words, when, now, zone)

    return {
        "day": day,
        "clock": clock,
        "day_and_clock": day_and_clock,
        "distance": distance,
        "number": partial(formats.number, words),
        "money": partial(formats.money, words),
        "phone": formats.phone,
        "several": partial(formats.several, words),
        "short_digest": formats.short_digest,
        "rfc3339": to_rfc3339,
        "mask": lambda value, kind: mask(words, kind, value),
    }


def in_language(path: str, language: str) -> str:
    """The same page in another language: `?lang` set, the rest of the query kept."""
    place, _, query = path.partition("?")
    pairs = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key != "lang"]
    return f"{place}?{urlencode([*pairs, ('lang', language)])}"


def current(path: str, nav: Sequence[Nav]) -> str | None:
    """Which link of the navigation the page belongs to: the longest that the path begins with."""
    place = path.partition("?")[0]
    homes = [link.href for link in nav if place == link.href or place.startswith(link.href.rstrip("/") + "/")]
    return max(homes, key=len, default=None)


@lru_cache(maxsize=8)
def _sign(size: int) -> Markup:
    return Markup(brand_sign(size))  # noqa: S704  (our own drawing)


@lru_cache(maxsize=512)
def _girih(digest: bytes, size: int, title: str = "") -> Markup:
    return Markup(girih(digest, size, title))  # noqa: S704  (our own drawing; its title is escaped there)
