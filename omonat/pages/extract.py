"""`python -m omonat.pages.extract`: bring every door's catalogues up to date with its templates and modules.

Walks the kit, the doors and `examples/*`, collects `_("…")`, `words("…")`, `ngettext(…)`, `N_("…")`, `{% trans %}`, and
rewrites `locale/uz.po` and `locale/ru.po` beside each door: translations are kept, sentences nobody uses any more are
dropped, new ones appear empty, or filled where another door already translated the same sentence. What the kit already
translates is not repeated. `--check` writes nothing and fails when something is missing or stale.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from omonat.pages.words import KIT, LANGUAGES, SOURCE_LANGUAGE, paragraphs

TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)
DOORS = ("api", "site", "center", "desk", "mail", "cli")
BELOW = {"cli": ("database", "../examples/demo.py")}
"""Who speaks through a door: the lines they `tell` while something takes longer."""
SAME_IN_ENGLISH = frozenset({"Omonat"})
_PYTHON_KEYWORDS = {"_": 1, "words": 1, "N_": 1, "tell": 1, "_tell": 1, "ngettext": 2}
"""Who is given sentences, and how many."""
_TEMPLATE_KEYWORDS: Mapping[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2)}
_TEMPLATE_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do", "silent": "false"}

Key = str | list[str] | tuple[str, ...]


def doors(root: Path) -> list[Path]:
    """The kit first, then every door there is: only they say something to a person in interface words."""
    places = [root / "omonat" / name for name in DOORS] + sorted((root / "examples").glob("*/"))
    return [KIT, *(place for place in places if place.is_dir())]


def sentences(door: Path) -> set[Key]:
    """Every sentence of a door."""
    found: set[Key] = set()
    for file, method in _sources(door):
        if method == "python":
            module = ast.parse(file.read_text("utf-8"))
            found.update(_said(module), _helps(module))
            continue
        for _, message, _, _ in extract_from_file(method, file, keywords=_TEMPLATE_KEYWORDS, options=_TEMPLATE_OPTIONS):
            found.add(tuple(message) if isinstance(message, list | tuple) else message)
    return found


def _said(module: ast.Module) -> Iterator[Key]:
    """The sentences of a module, those inside f-strings too, which Babel's own reader passes over."""
    for call in (each for each in ast.walk(module) if isinstance(each, ast.Call)):
        count = _PYTHON_KEYWORDS.get(str(getattr(call.func, "id", getattr(call.func, "attr", ""))), 0)
        values = [each.value for each in call.args[:count] if isinstance(each, ast.Constant)]
        texts = [value for value in values if isinstance(value, str) and value]
        if count and len(texts) == count:
            yield texts[0] if count == 1 else tuple(texts)


def _helps(module: ast.Module) -> Iterator[str]:
    """The help of a command line, a paragraph each: every `help="…"`, and the docstrings of its commands."""
    if "typer" not in {name.name for each in module.body if isinstance(each, ast.Import) for name in each.names}:
        return
    functions = {each.name: each for each in module.body if isinstance(each, ast.FunctionDef)}
    commands = {name for name, each in functions.items() if any(map(_adds_command, each.decorator_list))}
    for call in (each for each in ast.walk(module) if isinstance(each, ast.Call)):
        for keyword in call.keywords:
            if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                yield from paragraphs(str(keyword.value.value))
        if _adds_command(call.func):
            commands |= {each.id for each in call.args if isinstance(each, ast.Name)}
    for name in commands:
        yield from paragraphs(ast.get_docstring(functions[name]) or "")


def _adds_command(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "command"


def _sources(door: Path) -> Iterator[tuple[Path, str]]:
    below = [door.parent / place for place in BELOW.get(door.name, ())]
    for file in sorted({*door.rglob("*"), *(file for place in below for file in (place, *place.rglob("*")))}):
        if file.suffix == ".py":
            yield file, "python"
        elif "templates" in file.parts and file.suffix in {".html", ".txt"}:
            yield file, "jinja2"


def read(door: Path, language: str) -> Catalog:
    """A door's catalogue as it stands; an empty one where there is none."""
    file = door / "locale" / f"{language}.po"
    if not file.is_file():
        return Catalog(locale=language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def updated(door: Path, language: str, known: Mapping[Key, Message]) -> Catalog:
    """The catalogue as it should stand: today's sentences, with every translation anybody already made."""
    fresh = Catalog(locale=language, fuzzy=False, charset="utf-8")
    before = read(door, language)
    for key in sorted(sentences(door), key=str):
        one = key if isinstance(key, str) else key[0]
        old = before.get(one)
        if door != KIT and one in known and (old is None or not _whole(old)):
            old = known[one]
        flags = {"python-format"} if "%(" in str(key) else set()
        fresh.add(key, old.string if old is not None else None, flags=flags)
    return fresh


def missing(catalogue: Catalog) -> list[str]:
    """Sentences without a whole translation, doubtful ones, and ones left in English."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and (not _whole(message) or message.fuzzy or _english(message))
    ]


def _whole(message: Message) -> bool:
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return bool(strings) and all(strings)


def _english(message: Message) -> bool:
    return message.string == message.id and message.id not in SAME_IN_ENGLISH


def run(root: Path, check: bool) -> list[str]:
    """Update (or only check) all doors below `root`; returns what is missing or stale, as sentences."""
    faults: list[str] = []
    for language in TRANSLATED:
        kit_words = {message.id: message for message in updated(KIT, language, {}) if message.id}
        shared = _shared(root, language)
        for door in doors(root):
            catalogue = updated(door, language, shared)
            if door != KIT:
                _leave_out(catalogue, set(map(_one, kit_words)))
            if len(catalogue) == 0:
                continue
            faults += [f"{door.name}/{language}: not translated: {text}" for text in missing(catalogue)]
            faults += _write(door, language, catalogue, check)
    return faults


def _one(key: Key) -> str:
    return key if isinstance(key, str) else key[0]


def _shared(root: Path, language: str) -> dict[Key, Message]:
    return {_one(m.id): m for door in reversed(doors(root)) for m in read(door, language) if m.id and _whole(m)}


def _leave_out(catalogue: Catalog, already: set[str]) -> None:
    for message in list(catalogue):
        if message.id and _one(message.id) in already:
            catalogue.delete(_one(message.id))


def _write(door: Path, language: str, catalogue: Catalog, check: bool) -> list[str]:
    text = BytesIO()
    write_po(text, catalogue, width=0, omit_header=False, sort_output=True, no_location=True)
    body = _plain_header(text.getvalue().decode(), catalogue)
    file = door / "locale" / f"{language}.po"
    if file.is_file() and file.read_text("utf-8") == body:
        return []
    if check:
        return [f"{door.name}/{language}: stale, run python -m omonat.pages.extract"]
    file.parent.mkdir(exist_ok=True)
    file.write_text(body, "utf-8")
    return []


def _plain_header(text: str, catalogue: Catalog) -> str:
    """A header without dates, names and tools, so that the file changes only when its sentences do."""
    _, _, rest = text.partition("\n\n")
    plural = f"nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr};"
    lines = ["Content-Type: text/plain; charset=utf-8", f"Language: {catalogue.locale}", f"Plural-Forms: {plural}"]
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n" + rest.rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Exit 0 when everything is said in every language, 1 otherwise."""
    faults = run(KIT.parent.parent, check="--check" in arguments)
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
