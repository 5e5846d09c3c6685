"""What a page still says in English: its words compared with the source sentences of every door."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from omonat.pages import extract

ROOT = Path(__file__).parents[2]
_GAP = re.compile(r"%\((\w+)\)[sd]")
_SAID_BY = frozenset({"N_", "_", "words", "gettext"})
SAYING = """[
  ...(function* () {
    const walk = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (!walk.currentNode.parentElement.closest('script, style, [lang=en]')) yield walk.currentNode.data;
    }
  })(),
  ...[...document.querySelectorAll('[aria-label], [title], [placeholder], [alt], [data-warning]')].flatMap(
    each => ['aria-label', 'title', 'placeholder', 'alt', 'data-warning', 'data-keep', 'data-closed']
      .map(name => each.getAttribute(name) || '')),
].map(said => said.replace(/\\s+/g, ' ').trim()).filter(said => /\\p{L}{2}/u.test(said))"""
"""In a browser: everything a page says, read or spoken, except what it marks as English itself."""


def left_in_english(language: str, said: Iterable[str]) -> list[str]:
    """Of what a page says, what is a source sentence, whole or with its gaps filled, and not also a translation."""
    sources, translated = _sentences(language)
    return sorted({text for text in said if sources.fullmatch(text) and not translated.fullmatch(text)})


@cache
def _sentences(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    messages = [m for door in extract.doors(ROOT) for m in extract.read(door, language) if m.id]
    sources = {one for message in messages for one in _all(message.id) if not _only_a_gap(one)}
    translated = {one for message in messages for one in _all(message.string) if not _only_a_gap(one)}
    return _any(sources), _any(translated)


def _all(said: object) -> Iterator[str]:
    yield from map(str, said) if isinstance(said, list | tuple) else [str(said)]


def _only_a_gap(said: str) -> bool:
    """A sentence of gaps, signs and short words would be found in everything."""
    return len(re.findall(r"[^\W\d_]{3,}", _GAP.sub("", said))) == 0


def _any(sentences: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all; a gap may hold anything, and a sentence ends where the text does."""
    parts = (".+?".join(map(re.escape, _GAP.split(each)[::2])) for each in sorted(sentences))
    return re.compile("|".join(parts))


def unlisted(door: Path) -> set[str]:
    """Sentences a module hands to be translated that the extraction doesn't see, so that no catalogue has them."""
    listed = {one for key in extract.sentences(door) for one in _all(key)}
    return {said for file in sorted(door.rglob("*.py")) for said in _spoken(file)} - listed


def _spoken(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and node.args and _speaks(node.func):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def _speaks(called: ast.expr) -> bool:
    """`_("…")`, `words("…")`, `visit.words("…")`, `N_("…")`, and `DOOR.words(language)("…")`."""
    match called:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _SAID_BY
        case ast.Call(func=ast.Attribute(attr="words")):
            return True
    return False


class _Said(HTMLParser):
    """The text of a page without a browser."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What is spoken of an element counts, what is in a script or sheet doesn't."""
        self._quiet += tag in {"script", "style"}
        self.said += [value or "" for name, value in attrs if name in {"aria-label", "title", "placeholder", "alt"}]

    def handle_endtag(self, tag: str) -> None:
        """A script or sheet is over."""
        self._quiet -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        """One piece of text."""
        if not self._quiet:
            self.said.append(data)


def said_in(html: str) -> list[str]:
    """Everything a page says, read or spoken."""
    page = _Said()
    page.feed(html)
    return [" ".join(said.split()) for said in page.said if re.search(r"[^\W\d_]{2}", said)]
