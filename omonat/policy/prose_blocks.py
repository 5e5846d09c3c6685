"""The notice as a structured document: chapters of clauses, tables and facts, in one language, without any markup.

Doors decide how it looks; a letter, a page and a printed leaflet are made of the same blocks. Every string is ready to
be read by a person, every id is one of the policy document.
"""

from dataclasses import dataclass

from omonat.base.instants import Instant


@dataclass(frozen=True, slots=True)
class How:
    """How a promise is kept: in which way, who answers for it, by which rules, and what needs to be said openly."""

    keeping: tuple[str, ...]
    owner: str
    rules: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One promise: its id stands in the margin."""

    id: str
    title: str
    text: str
    how: How


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a first line, and lines that explain it."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `id` is the id of what it is about, the first cell is its heading."""

    id: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together under a promise; without a title they simply follow."""

    rows: tuple[Row, ...]
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Things that compare."""

    id: str
    caption: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, in order."""
        return tuple(row for group in self.groups for row in group.rows)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of one thing; `remark` explains the value, `link` leads to where one can act on it."""

    term: str
    value: str
    remark: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """One thing's facts."""

    id: str
    rows: tuple[Fact, ...]


Block = Clause | Table | Facts


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter of the leaflet."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """The whole notice in one language."""

    language: str
    policy: str
    version: str
    effective: Instant
    controller: str
    title: str
    summary: tuple[str, ...]
    chapters: tuple[Chapter, ...]

    def text(self) -> str:
        """Every word of it, one line per sentence: for plain-text letters, search and tests."""
        lines = [self.title, *self.summary]
        for chapter in self.chapters:
            lines.append(chapter.title)
            for block in chapter.blocks:
                lines += _lines(block)
        return "\n".join(line for line in lines if line)


def _lines(block: Block) -> list[str]:
    if isinstance(block, Clause):
        how = (*block.how.keeping, block.how.owner, *block.how.rules, *block.how.remarks)
        return [f"{block.id}  {block.title}", block.text, *how]
    if isinstance(block, Facts):
        return [part for fact in block.rows for part in (f"{fact.term}: {fact.value}", fact.remark)]
    cells = [cell for row in block.rows for cell in row.cells]
    return [block.caption, *block.columns, *(part for cell in cells for part in (cell.text, *cell.notes))]
