"""Measure everything, print the table, write `build/bench.json`.

    python -m bench [--long] [--tiny]

`--long` measures longer and in larger sizes (a million people, a person with 100,000 records); `--tiny` only shows that
everything runs: its figures mean nothing. Ends with 1 when a gate was missed by a comparable row.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from bench import (
    copies,
    decisions,
    doors,
    erasing,
    gdpr,
    growth,
    leaving,
    notices,
    pages,
    proof,
    purposes,
    reads,
    removing,
    taking,
    witness,
)  # fmt: skip
from bench.figures import Figure, flush_us, table
from bench.town import BUILD, Town, folder_on_disk, town

RESULT = BUILD / "bench.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: people of the large and the small town, rounds of pairs, seconds of one measurement,
    decisions in one; people who ask for their ten records; records of one whole copy; people erased by how many
    records they have; records that expire in one round; records that are due in either town; rows a purpose is written
    into; people whose records are weighed; people who are told of something; records of GDPRbench's workloads, and
    operations of each in one round."""

    people: int
    small: int
    rounds: int
    seconds: float
    decisions: int
    access: int
    copied: int
    erased: dict[int, int]
    expiring: int
    due: int
    purposed: int
    weighed: int
    told: int
    studied: int
    studies: int


USUAL = Size(
    people=100_000, small=10_000, rounds=15, seconds=0.5, decisions=1_000, access=1_000,
    copied=1_000, erased={10: 15, 1_000: 15}, expiring=2_000, due=1_000, purposed=4_000, weighed=500, told=10_000,
    studied=10_000, studies=40,
)  # fmt: skip
LONG = Size(
    people=1_000_000, small=10_000, rounds=15, seconds=1.0, decisions=1_000, access=10_000,
    copied=1_000, erased={10: 30, 1_000: 15, 100_000: 15}, expiring=50_000, due=2_500, purposed=400_000, weighed=5_000,
    told=100_000, studied=100_000, studies=40,
)  # fmt: skip
TINY = Size(
    people=300, small=30, rounds=2, seconds=0.1, decisions=100, access=10,
    copied=40, erased={2: 4, 20: 2}, expiring=40, due=10, purposed=20, weighed=3, told=30,
    studied=250, studies=20,
)  # fmt: skip


def measured(size: Size, folder: Path) -> list[Figure]:
    """Every row. Raises AssertionError when anything measured was not also correct."""
    rows = Rows(flush_us(folder))
    say("the policy and its decisions")
    rows += pages.figures(rounds=size.rounds)
    rows += decisions.figures(pages.compiled(), pairs=size.rounds, count=size.decisions)
    uvloop.run(in_towns(size, folder, rows))
    uvloop.run(in_notices(size, folder, rows))
    uvloop.run(in_studies(size, folder, rows))
    return rows


class Rows(list[Figure]):
    """The rows so far; each is told and written as soon as it is there: a run that is ended loses none."""

    def __init__(self, flush: tuple[float, float]) -> None:
        super().__init__()
        self._flush = flush

    def __iadd__(self, figures: Iterable[Figure]) -> "Rows":  # type: ignore[override, misc]
        for figure in figures:
            say(f"    {figure.name}: {figure.value:.3g} {figure.unit}")
            self.append(figure)
        write(self, before=self._flush, after=None)
        return self


async def in_towns(size: Size, folder: Path, rows: Rows) -> None:
    """The rows that need people."""
    say(f"making a town of {size.people:,} people and one of {size.small:,}")
    for name in ("large", "small"):
        (folder / name).mkdir(mode=0o711)
    async with town(folder / "large", people=size.people) as here:
        async with town(folder / "small", people=size.small) as small:
            await in_town(size, here, small, rows)
        say("over HTTP")
        rounds, seconds = size.rounds, size.seconds
        tokens = await leaving.readers(here, rounds=rounds, seconds=seconds)
        async with proof.sequencing(here):
            with doors.doors(here) as there:
                rows += await asyncio.to_thread(doors.figures, here, there, rounds=rounds, seconds=seconds)
                say("leaving")
                rows += await asyncio.to_thread(
                    leaving.figures, there, tokens, rounds=size.rounds, seconds=size.seconds
                )
        say("purposes")
        rows += await purposes.figures(here, rounds=size.rounds, rows=size.purposed)
        say("the log")
        await proof.check(here, there.answered)
        rows += await proof.figures(here, rounds=size.rounds)


async def in_town(size: Size, here: Town, small: Town, rows: Rows) -> None:
    """The rows of the house itself. Space comes first: it is weighed on tables from which nothing was removed."""
    rounds, seconds = size.rounds, size.seconds
    say("space")
    rows += await taking.space(here, people=size.weighed)
    say("reads")
    rows += await reads.figures(here, rounds=rounds, seconds=seconds)
    rows += await reads.access(here, people=size.access, rounds=rounds, seconds=seconds)
    say("copies")
    rows += await copies.figures(here, records=size.copied, rounds=min(rounds, 5))
    say("collecting")
    rows += await taking.figures(here, rounds=rounds, seconds=seconds)
    say("growth")
    rows += await growth.figures(small, here, rounds=rounds, seconds=seconds)
    say("entries")
    rows += await witness.figures(here, rounds=rounds, seconds=seconds)
    say("erasing")
    rows += await erasing.persons(here, rounds=rounds, sizes=size.erased)
    say("expiry")
    rows += await erasing.expiry(here, rounds=rounds, records=size.expiring)
    say("removing among more")
    rows += await removing.figures(small, here, rounds=rounds, due=size.due)


async def in_notices(size: Size, folder: Path, rows: Rows) -> None:
    """The rows of telling many people, in a town of its own."""
    say(f"telling {size.told:,} people")
    rows += await notices.figures(folder, people=size.told)


async def in_studies(size: Size, folder: Path, rows: Rows) -> None:
    """The rows of GDPRbench, in a house of its own."""
    say("GDPRbench's workloads")
    (folder / "studies").mkdir(mode=0o711)
    async with gdpr.studies(folder / "studies", records=size.studied) as here:
        rows += await gdpr.figures(here, rounds=size.rounds, operations=size.studies)


def say(what: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Measure, print, write; 1 when a gate was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="measure longer, in larger sizes")
    parser.add_argument("--tiny", action="store_true", help="only show that everything runs")
    chosen = parser.parse_args(arguments)
    with folder_on_disk() as folder:
        before = flush_us(folder)
        print(f"disk flush (8 KiB, fdatasync): p50 {before[0]:.0f} µs, p99 {before[1]:.0f} µs")
        figures = measured(TINY if chosen.tiny else LONG if chosen.long else USUAL, folder)
        after = flush_us(folder)
        print(f"disk flush afterwards: p50 {after[0]:.0f} µs, p99 {after[1]:.0f} µs\n")
    print(table(figures, max(before[0], after[0])))
    rows = write(figures, before=before, after=after)
    print(f"\nwritten to {RESULT.relative_to(BUILD.parent)}")
    return int(any(row["passed"] is False and row.get("comparable", True) for row in rows))


def write(
    figures: list[Figure], *, before: tuple[float, float], after: tuple[float, float] | None
) -> list[dict[str, Any]]:
    """`build/bench.json`; without `after` the run isn't done. The rows, as they are written."""
    flush = max(before[0], (after or before)[0])
    rows = [figure.as_json(flush) for figure in figures]
    written = {"flush": {"before": before, "after": after, "unit": "µs, p50 and p99"}, "figures": rows}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2))
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
