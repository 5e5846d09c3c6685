"""Interface words: which language a page speaks, and its sentences in that language.

Message ids are the English source sentences; `locale/uz.po` and `locale/ru.po` beside each door hold the translations
and are read as they are, so a fresh clone needs no compile step. Policy words (labels, purposes, refusals) are data and
come from the policy document and `omonat.base.codes`, never from here.
"""

import gettext
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("uz", "ru", "en")
DEFAULT_LANGUAGE = "uz"
SOURCE_LANGUAGE = "en"
OWN_NAMES = {"uz": "Oʻzbekcha", "ru": "Русский", "en": "English"}
KIT = Path(__file__).parent


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for "translate later")
    """Mark a constant for extraction; it is translated where it is shown."""
    return message


class Words:
    """The sentences of one language. `words("Saved %(n)s files", n=3)`; a literal per cent sign is written `%%`."""

    def __init__(self, language: str, catalogues: Iterable[gettext.NullTranslations] = ()) -> None:
        self.language = language
        self._chain = gettext.NullTranslations()
        for catalogue in reversed(list(catalogues)):
            catalogue.add_fallback(self._chain)
            self._chain = catalogue

    def __call__(self, message: str, **about: Any) -> str:
        return self._chain.gettext(message) % about

    gettext = __call__

    def ngettext(self, one: str, many: str, num: int, **about: Any) -> str:
        """The form the language wants for `num`, which fills `%(num)s` unless `about` says otherwise."""
        return self._chain.ngettext(one, many, num) % {"num": num, **about}

    def raw(self, message: str) -> str:
        """The translation with its placeholders still in it (for the template engine)."""
        return self._chain.gettext(message)

    def raw_plural(self, one: str, many: str, num: int) -> str:
        """As `raw`, in the form for `num`."""
        return self._chain.ngettext(one, many, num)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a longer text, each in one line, as catalogues hold them."""
    return [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]


def catalogue(folder: Path, language: str) -> gettext.GNUTranslations | None:
    """The translations in `folder/locale/<language>.po`, or None where there are none (English never has any)."""
    file = folder / "locale" / f"{language}.po"
    if not file.is_file():
        return None
    with file.open("rb") as source:
        parsed = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, parsed)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def words_of(language: str, folders: tuple[Path, ...] = ()) -> Words:
    """The words of a door: its own catalogues first, the kit's behind them. Raises ValueError for another language."""
    if language not in LANGUAGES:
        raise ValueError(f"pages speak {', '.join(LANGUAGES)}, not `{language}`")
    found = [catalogue(folder, language) for folder in (*folders, KIT)]
    return Words(language, [each for each in found if each is not None])


def quoted(said: str, language: str) -> str:
    """Somebody else's word inside a sentence."""
    return f"«{said}»" if language == "ru" else f"“{said}”"


def language_of(query: str | None, cookie: str | None, header: str | None) -> str:
    """The page's language: `?lang`, then the saved choice, then Accept-Language, then Uzbek (design: Decided once).

    A value nobody speaks is passed over, never an error.
    """
    for said in (query, cookie):
        if said in LANGUAGES:
            return said
    return _accepted(header or "")


def _accepted(header: str) -> str:
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for part in header[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and best_weight < weight <= 1:
            best, best_weight = language, weight
    return best
