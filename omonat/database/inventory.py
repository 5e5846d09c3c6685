"""The inventory: what is kept in which column and file, about whom, what for, how long, how it goes (bar a1).

It is data (`inventory.toml`), read strictly. A test compares it with the catalog of a migrated database, the start
asks it which columns must stay out of the server's statistics, and docs/inventory.md is written from it.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

FORMS: Final = frozenset(
    {
        *("id", "reference", "name", "number", "instant", "names"),
        *("keyed-digest", "secret-digest", "commitment-hash", "sealed", "entry", "public"),
    }
)
QUIET: Final = frozenset({"sealed", "keyed-digest", "secret-digest", "entry"})
"""Forms whose values stay out of the server's statistics, unless the column says why not."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column. `why` says why a value of its form may stand in the statistics."""

    form: str
    statistics: Literal["on", "off"] = "on"
    why: str = ""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose room it is in the house, about whom it tells, what for, how long it is kept and how it goes."""

    room: str
    about: str
    purpose: str
    kept: str
    erase: str
    where: str = ""
    columns: Mapping[str, Column | str] = {}


class Inventory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tables by name, and every other place by a name of its own."""

    tables: Mapping[str, Place]
    places: Mapping[str, Place]

    def columns(self) -> dict[str, Column]:
        """Every column as `table.column`, in the file's order."""
        return {
            f"{table}.{name}": Column(column) if isinstance(column, str) else column
            for table, place in self.tables.items()
            for name, column in place.columns.items()
        }


def read(text: str) -> Inventory:
    """Read an inventory. Raises ValueError for what isn't one, a form nobody knows, an empty word, a wrong place."""
    found = msgspec.convert(tomllib.loads(text), Inventory)
    for name, column in found.columns().items():
        if column.form not in FORMS:
            raise ValueError(f"{name}: no form is called {column.form}")
        if column.form in QUIET and column.statistics == "on" and not column.why:
            raise ValueError(f"{name}: {column.form} stands in the statistics, and nobody says why")
    for name, place in (*found.tables.items(), *found.places.items()):
        if not all((place.room, place.about, place.purpose, place.kept, place.erase)):
            raise ValueError(f"{name}: something is left out")
        if bool(place.columns) == bool(place.where):
            raise ValueError(f"{name}: a table has columns, a place says where it is")
    return found


@lru_cache(maxsize=1)
def inventory() -> Inventory:
    """The one of this program."""
    return read(files("omonat.database").joinpath("inventory.toml").read_text("utf-8"))


def columns_without_statistics() -> frozenset[str]:
    """The columns (`table.column`) whose values must not be copied into the server's statistics."""
    return frozenset(name for name, column in inventory().columns().items() if column.statistics == "off")
