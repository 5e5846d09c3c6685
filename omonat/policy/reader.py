"""Read a policy: YAML bytes in, a typed frozen document out, or every complaint with file, line, column and fix.

One pass turns nodes into values by the shapes of the model; a second resolves names; a third (`checks`) asks what only
the whole document can answer. Nothing is guessed and nothing is read twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from omonat.base.errors import BadInput
from omonat.policy import shapes
from omonat.policy.checks import check
from omonat.policy.complaints import Complaints, InvalidPolicy, Place, nearest
from omonat.policy.model import Policy
from omonat.policy.nodes import Map, Node, Scalar, Seq, is_null, parse
from omonat.policy.scalars import expected, scalar
from omonat.policy.shapes import Shape, has_own_id, keys_of

M = TypeVar("M")
Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A policy together with where each of its parts stands: paths such as `("purposes", "deliver-order", "basis")`."""

    policy: Policy
    file: str
    places: Mapping[Path_, Place]

    def place(self, *path: str) -> Place:
        """Where `path` stands, or its nearest parent that has a place."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))


def read_policy(text: bytes | str, name: str = "policy.yaml") -> Document:
    """Read and check one document. Raises InvalidPolicy with every complaint."""
    complaints = Complaints(name)
    found, places = read_as(Policy, text, complaints, names=_declared)
    if found is None or complaints:
        raise InvalidPolicy(list(complaints))
    document = Document(found, name, places)
    check(found, document.place, complaints)
    if complaints:
        raise InvalidPolicy(list(complaints))
    return document


def read_policy_file(path: Path) -> Document:
    """As `read_policy`, from a file. Raises BadInput `policy-file-unreadable` when there is none."""
    return read_policy(file_bytes(path), str(path))


def file_bytes(path: Path) -> bytes:
    """The bytes of a policy file. Raises BadInput `policy-file-unreadable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput("policy-file-unreadable", file=str(path), why=error.strerror or type(error).__name__) from None


def read_as(
    model: type[M],
    text: bytes | str,
    complaints: Complaints,
    names: "Callable[[Map], dict[str, list[str]]]" = lambda _: {},
) -> tuple[M | None, Mapping[Path_, Place]]:
    """Read `text` into `model` and resolve its references against `names(root)`; None when something is wrong."""
    root = parse(text.encode() if isinstance(text, str) else text, complaints)
    if root is None:
        return None, {}
    if not isinstance(root, Map):
        complaints.add(root.place, "policy-not-a-mapping", path="the document")
        return None, {}
    reading = _Reading(complaints)
    value = reading.structure(model, root, ())
    reading.resolve(names(root))
    return (value if value is not _BAD else None), MappingProxyType(reading.places)


def _declared(root: Map) -> dict[str, list[str]]:
    """What the document declares, by table; also declarations with other faults, so one fault is one complaint."""
    tables = ("promises", "sections", "categories", "cases", "sources", "roles", "purposes", "services")
    names = {table: _names(root, table) for table in (*tables, "retention", "disclosure", "recipients")}
    names["items"] = []
    for category, (_, node) in _entries(root, "categories"):
        if isinstance(node, Map):
            names["items"] += [f"{category}.{item}" for item in _names(node, "items")]
    return names


def _names(parent: Map, table: str) -> list[str]:
    return [name for name, _ in _entries(parent, table)]


def _entries(parent: Map, table: str) -> Iterable[tuple[str, tuple[Place, Node]]]:
    node = parent.entries.get(table, (None, None))[1]
    return node.entries.items() if isinstance(node, Map) else ()


_BAD: Any = object()


class _Reading:
    """One pass over the nodes of one file."""

    def __init__(self, complaints: Complaints) -> None:
        self.places: dict[Path_, Place] = {}
        self._complaints = complaints
        self._references: list[tuple[str, str, Place]] = []

    def structure(self, model: type[Any], node: Node, path: Path_, own_id: str | None = None) -> Any:
        """A mapping read into `model`; _BAD after complaining."""
        self.places.setdefault(path, node.place)
        if not isinstance(node, Map):
            return self._bad(node.place, "policy-not-a-mapping", path=dotted(path))
        keys = {k.word: k for k in keys_of(model)}
        values: dict[str, Any] = {} if own_id is None else {"id": own_id}
        whole = True
        for word, (place, child) in node.entries.items():
            if word not in keys:
                whole = False
                near = nearest(word, list(keys))
                about = {"key": word, "path": dotted(path), "known": ", ".join(keys), "nearest": near}
                self._complaints.add(place, "policy-unknown-key", **about)
                continue
            values[keys[word].field] = value = self._value(keys[word].shape, child, (*path, word), own_id)
            whole = whole and value is not _BAD
            self.places[(*path, word)] = place
        for missing in (k for k in keys.values() if k.required and k.word not in node.entries):
            whole = False
            code = "policy-language-missing" if model.__name__ == "Words" else "policy-key-missing"
            self._complaints.add(node.place, code, key=missing.word, path=dotted(path))
        return model(**values) if whole else _BAD

    def resolve(self, names: dict[str, list[str]]) -> None:
        """Hold every reference against what is declared."""
        known = {table: frozenset(found) for table, found in names.items()}
        for table, name, place in self._references:
            if name not in known.get(table, ()):
                near = nearest(name, names.get(table, []))
                self._complaints.add(place, "policy-unknown-name", name=name, table=table, nearest=near)

    def _bad(self, place: Place, code: str, **about: str) -> Any:
        self._complaints.add(place, code, **about)
        return _BAD

    def _value(self, shape: Shape, node: Node, path: Path_, parent: str | None = None) -> Any:
        if is_null(node):
            return self._bad(node.place, "policy-null", path=dotted(path))
        match shape:
            case shapes.Struct(model):
                return self.structure(model, node, path)
            case shapes.Table():
                return self._table(shape, node, path, parent)
            case shapes.Many():
                return self._list(shape, node, path)
            case shapes.RoleParts():
                return self._role_parts(node, path)
        if not isinstance(node, Scalar):
            return self._bad(node.place, "policy-not-a-word", path=dotted(path))
        return self._word(shape, node, path)

    def _word(self, shape: Shape, node: Scalar, path: Path_) -> Any:
        self.places.setdefault(path, node.place)
        if isinstance(shape, shapes.Ref):
            self._references.append((shape.to, node.value, node.place))
            return node.value
        try:
            return scalar(shape, node.value)
        except ValueError as error:
            fault = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
            known = fault.get("known", "")
            near = nearest(node.value, known.split(", ")) if known else ""
            about = {"path": dotted(path), "value": node.value[:60], "expected": expected(shape), "nearest": near}
            return self._bad(node.place, "policy-wrong-value", **about)

    def _list(self, shape: shapes.Many, node: Node, path: Path_) -> Any:
        if not isinstance(node, Seq):
            return self._bad(node.place, "policy-not-a-list", path=dotted(path))
        if len(node.members) < shape.least:
            return self._bad(node.place, "policy-list-too-short", path=dotted(path), least=str(shape.least))
        found = [self._value(shape.of, member, (*path, str(i))) for i, member in enumerate(node.members)]
        if any(value is _BAD for value in found):
            return _BAD
        for i, value in enumerate(found):
            if isinstance(value, str) and value in found[:i]:
                return self._bad(node.members[i].place, "policy-twice", path=dotted(path), name=value)
        return tuple(found)

    def _table(self, shape: shapes.Table, node: Node, path: Path_, parent: str | None) -> Any:
        if not isinstance(node, Map):
            return self._bad(node.place, "policy-not-a-mapping", path=dotted(path))
        found: dict[str, Any] = {}
        assert isinstance(shape.of, shapes.Struct)
        for word, (place, child) in node.entries.items():
            self._word(shape.key, Scalar(place, word, plain=True), (*path, word))
            if is_null(child):
                found[word] = self._bad(place, "policy-null", path=dotted((*path, word)))
                continue
            own_id = f"{parent}.{word}" if shape.joined else word
            found[word] = self.structure(shape.of.of, child, (*path, word), own_id if has_own_id(shape.of.of) else None)
        return _BAD if any(v is _BAD for v in found.values()) else MappingProxyType(found)

    def _role_parts(self, node: Node, path: Path_) -> Any:
        if isinstance(node, Seq):
            roles = self._list(shapes.Many(shapes.Ref("roles"), least=1), node, path)
            return _BAD if roles is _BAD else MappingProxyType(dict.fromkeys(roles))
        if not isinstance(node, Map) or not node.entries:
            return self._bad(node.place, "policy-role-parts", path=dotted(path))
        parts: dict[str, Any] = {}
        for role, (place, child) in node.entries.items():
            self._references.append(("roles", role, place))
            self.places[(*path, role)] = place
            whole = isinstance(child, Scalar) and child.value == "all"
            items = shapes.Many(shapes.Ref("items"), least=1)
            parts[role] = None if whole else self._value(items, child, (*path, role))
        return _BAD if any(v is _BAD for v in parts.values()) else MappingProxyType(parts)


def dotted(path: Path_) -> str:
    """A path as people write it; the document itself for the empty one."""
    return ".".join(path) or "the document"
