"""The text fields of every door, walked from their declarations (S2).

A field is named after where it is declared: `RequestBody.text` of the API, `desk/child.html address` of a page,
`Letter.subject` of the mailbox, `omonat hold place authority` of the command line, `{reference}` of an address. Fields
that can hold none but listed words, numbers or days aren't walked: there is nothing to write in them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import typer
from msgspec import Struct

import omonat
from omonat.api.operations import OPERATIONS
from omonat.cli import build
from omonat.promises.mailbox import Letter, Report
from omonat.site.consent import ChoiceMade, Found

_CODE: Final = re.compile(r'kit\.code_entry\((?:name="([^"]*)")?')
_TYPED: Final = re.compile(r"kit\.field\((.*?)\)\s*}}", re.DOTALL)
_PLAIN: Final = re.compile(r"<(?:textarea|input)\b[^>]*>", re.DOTALL)
_KIND: Final = re.compile(r'\btype="([a-z-]+)"')
_NOT_WRITTEN_IN: Final = frozenset({"select", "date", "datetime-local", "hidden", "radio", "checkbox"})


def every_field() -> set[str]:
    """All of them."""
    found = {field for body in (*(each.body for each in OPERATIONS), ChoiceMade, Found) for field in _of(body, "")}
    found |= {f"{{{name}}}" for each in OPERATIONS for name in re.findall(r"{(\w+)}", each.path)}
    found |= {field for facts in (Letter, Report) for field in _of(facts, "")}
    return found | set(_of_pages()) | set(_of_commands(build(), "omonat"))


def _of(hint: Any, at: str) -> Iterator[str]:
    """The text in a type: strings, bytes, keys and values of objects, and whatever may be anything."""
    kind = get_origin(hint)
    if hint in (str, bytes, Any):
        yield at
    elif isinstance(hint, type) and (issubclass(hint, Struct) or is_dataclass(hint)):
        hints = get_type_hints(hint, include_extras=True)
        for name, said in _names(hint).items():
            yield from _of(hints[name], f"{hint.__name__}.{said}")
    elif kind is Annotated:
        yield from _of(get_args(hint)[0], at)
    elif kind is not Literal:
        for number, inner in enumerate(get_args(hint)):
            yield from _of(inner, f"{at} key" if kind is dict and number == 0 else at)


def _names(shape: Any) -> Mapping[str, str]:
    """The fields of a structure, and what each is called by whoever writes in it."""
    if is_dataclass(shape):
        return {each.name: each.name for each in fields(shape)}
    return dict(zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True))


def _of_pages() -> Iterator[str]:
    """What can be typed on a page of any door."""
    for page in sorted(Path(omonat.__file__).parent.glob("*/templates/*.html")):
        where, text = f"{page.parts[-3]}/{page.name}", page.read_text("utf-8")
        if where == "pages/kit.html":
            continue  # it draws the fields of the others
        for found in _TYPED.finditer(text):
            if not (kind := _KIND.search(found[1])) or kind[1] not in _NOT_WRITTEN_IN:
                yield f"{where} {found[1].partition(',')[0].strip()}".replace('"', "")
        yield from (f"{where} {name or 'code'}" for name in _CODE.findall(text))
        for tag in _PLAIN.findall(text):
            if not (kind := _KIND.search(tag)) or kind[1] not in _NOT_WRITTEN_IN:
                name = re.search(r'\bname="([^"]*)"', tag)
                yield f"{where} {name[1] if name else '?'}"


def _of_commands(app: typer.Typer, at: str) -> Iterator[str]:
    """What is written behind a command."""
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        hints = get_type_hints(command.callback, include_extras=True)
        for said, hint in hints.items():
            if said != "return":
                yield from _of(hint, f"{at} {name} {said.rstrip('_').replace('_', '-')}")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from _of_commands(group.typer_instance, f"{at} {group.name}" if group.name else at)
