"""Putting a message into words: one source per language, from which the plain text, the HTML and the SMS are made.

`templates/<template>.<language>.jinja` holds blocks of plain words; the layouts `letter.txt` and `letter.html` set
them. So the text part says exactly what the HTML says, and no value can become markup: all of it is escaped
when they are set. Values are data, never templates; each is flattened to one line first (`answer` and `text` keep
their paragraphs), so that a value can't pretend to be a paragraph of ours.

Marketing is written in Uzbek, with a short translation in smaller type for those who read another language. How short,
the law packs say (`advertising`); the flow of campaigns refuses what is longer, and an SMS has no room for one.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from omonat.base.instants import SECOND, Instant
from omonat.pages import Words
from omonat.pages.formats import NBSP, day, money
from omonat.promises.messages import TEMPLATES, MessageClass, Value

STATE_LANGUAGE = "uz"
_TEMPLATES = Path(__file__).parent / "templates"
_MANY_LINES = frozenset({"answer", "text"})
_MONEY = frozenset({"total"})
_DAYS = frozenset({"due", "effective"})
_LONGEST_LINE = 300
_NAMES = frozenset({"what", "recipients", "ways"})
_AND_MORE = {"uz": "va boshqalar", "ru": "и другое", "en": "and more"}
_NAME = re.compile(r"[^\W\d_]+(?:(?:\.? |[-'’‘`])[^\W\d_]+)*\.?")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the controller's name and mailbox, as the policy has them."""

    name: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses a letter may point to. `follow`: where a request is followed with number and code. `confirm`,
    `preferences`, `parent`: a signed end, which the letter has, belongs behind them. `unsubscribe` is this person's
    signed one, for marketing alone. `desk`: where staff work on requests."""

    center: str
    policy: str
    follow: str
    unsubscribe: str | None = field(default=None, repr=False)
    confirm: str = ""
    preferences: str = ""
    parent: str = ""
    desk: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing a letter asks for."""

    label: str
    address: str


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """A message in words, not yet set. `translation` is empty but for marketing in another language than Uzbek."""

    language: str
    subject: str
    first: str
    greeting: str | None
    facts: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]
    action: Action | None
    translation: tuple[str, ...]
    translated_into: str | None
    foot: str

    def text(self) -> str:
        """The plain text part."""
        return _environment(html=False).get_template("letter.txt.jinja").render(letter=self).strip() + "\n"

    def html(self) -> str:
        """The HTML part: no script, no picture, nothing loaded from anywhere."""
        return _environment(html=True).get_template("letter.html.jinja").render(letter=self)


def write_letter(
    template: str,
    language: str,
    params: Mapping[str, Value],
    *,
    sender: Sender,
    links: Links,
    name: str | None = None,
) -> Letter:
    """The e-mail of a message. `name` greets the person where the template greets at all.

    Raises jinja2.UndefinedError where a parameter is missing: a fault of ours, the message is not sent half-worded.
    """
    body_language = _leading(template, language)
    values = _values(params, body_language, sender, links)
    words, common = _words(template, body_language), _words("common", body_language)
    greeted = greeting_name(name) if TEMPLATES[template].greets else None
    label = _line(words, "action", values)
    translated = body_language != language
    return Letter(
        language=body_language,
        subject=_line(words, "subject", values),
        first=_line(words, "first", values),
        greeting=_line(common, "greeting", {**values, "name": greeted}) if greeted else None,
        facts=tuple(_fact(line) for line in _block(words, "facts", values).splitlines() if line.strip()),
        paragraphs=_paragraphs(_block(words, "body", values)),
        action=Action(label, _line(words, "link", values)) if label else None,
        translation=_paragraphs(_block(_words(template, language), "brief", values)) if translated else (),
        translated_into=language if translated else None,
        foot=_line(common, "foot", values),
    )


def write_sms(template: str, language: str, params: Mapping[str, Value], *, sender: Sender, links: Links) -> str:
    """The SMS of a message, on one line. Raises as `write_letter`.

    No-break spaces become plain ones: a single letter outside the GSM alphabet more than halves what fits.
    """
    leading = _leading(template, language)
    return _line(_words(template, leading), "sms", _values(params, leading, sender, links)).replace(NBSP, " ")


def greeting_name(name: str | None) -> str | None:
    """The name, when it reads like one; a link or a sentence typed into the name field greets nobody."""
    if name is None:
        return None
    flat = _flat(name)
    return flat if len(flat) <= _LONGEST_NAME and _NAME.fullmatch(flat) else None


def blocks_of(template: str, language: str) -> frozenset[str]:
    """The blocks a template file has; for the test that none is missing."""
    return frozenset(_words(template, language).blocks)


def _leading(template: str, language: str) -> str:
    """The language a message leads in."""
    return STATE_LANGUAGE if TEMPLATES[template].message_class is MessageClass.MARKETING else language


def _values(params: Mapping[str, Value], language: str, sender: Sender, links: Links) -> dict[str, object]:
    values: dict[str, object] = {"sender": sender.name, "mailbox": sender.mailbox, "links": links}
    for key, value in params.items():
        if key in _MONEY and isinstance(value, int):
            values[key] = money(Words(language), value)
        elif key in _DAYS and isinstance(value, int):
            values[key] = day(Words(language), Instant(value * SECOND)) if value else ""
        elif isinstance(value, int):
            values[key] = value
        elif key in _MANY_LINES:
            values[key] = "\n\n".join(_flat(paragraph) for paragraph in re.split(r"\n\s*\n", value))
        elif key in _NAMES:
            values[key] = _names(_flat(value), language)
        else:
            values[key] = _flat(value)[:_LONGEST_LINE]
    return values


def _names(text: str, language: str) -> str:
    """Names in a row, cut after a whole one, and then it says that there are more."""
    if len(text) <= _LONGEST_LINE:
        return text
    more = _AND_MORE[language]
    whole, _, _ = text[: _LONGEST_LINE - len(more)].rpartition(", ")
    return f"{whole} {more}".strip()


def _flat(text: str) -> str:
    """One line: control and format characters (line breaks, direction overrides) become spaces."""
    visible = (" " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in text)
    return re.sub(" +", " ", "".join(visible)).strip()


def _fact(line: str) -> tuple[str, str]:
    label, _, value = line.partition(": ")
    return label.strip(), value.strip()


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split("\n")).strip() for part in re.split(r"\n\s*\n", text) if part.strip())


def _line(words: Template, block: str, values: Mapping[str, object]) -> str:
    return " ".join(_block(words, block, values).split("\n")).strip()


def _block(words: Template, block: str, values: Mapping[str, object]) -> str:
    if block not in words.blocks:
        return ""
    return "".join(words.blocks[block](words.new_context(dict(values))))


def _words(template: str, language: str) -> Template:
    return _environment(html=False).get_template(f"{template}.{language}.jinja")


@cache
def _environment(*, html: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=html,  # noqa: S701 - off for plain text only
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
