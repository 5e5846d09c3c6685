"""Measure everything, print the table, write `build/bench.json`.

    python -m bench [--long] [--tiny]

`--long` takes four times the rounds; `--tiny` only shows that everything runs: its figures mean nothing. Ends with 1
when a gate was missed by a comparable row.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

from bench import decisions, doors, pages, proof, reads
from bench.figures import Figure, flush_us, table
from bench.town import BUILD, folder_on_disk, town

RESULT = BUILD / "bench.json"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: people, rounds of pairs, seconds of one measurement, decisions in one, rounds of pages."""

    people: int
    rounds: int
    seconds: float
    decisions: int
    pages: int


USUAL = Size(people=100_000, rounds=15, seconds=1.5, decisions=1_000, pages=15)
LONG = Size(people=100_000, rounds=60, seconds=1.5, decisions=1_000, pages=60)
TINY = Size(people=300, rounds=2, seconds=0.1, decisions=100, pages=2)


def measured(size: Size, folder: Path) -> list[Figure]:
    """Every row. Raises AssertionError when anything measured was not also correct."""
    say("the policy and its decisions")
    figures = pages.figures(rounds=size.pages)
    figures += decisions.figures(pages.compiled(), pairs=size.rounds, count=size.decisions)
    return figures + uvloop.run(in_town(size, folder))


async def in_town(size: Size, folder: Path) -> list[Figure]:
    """The rows that need people."""
    say(f"making a town of {size.people:,} people")
    async with town(folder, people=size.people) as here:
        say("reading in process")
        figures = await reads.figures(here, rounds=size.rounds, seconds=size.seconds)
        say("asking over HTTP")
        with doors.doors(here) as there:
            figures += await asyncio.to_thread(doors.figures, here, there, rounds=size.rounds, seconds=size.seconds)
        say("checking that all of it is in the log")
        await proof.check(here, there.answered)
    return figures


def say(what: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Measure, print, write; 1 when a gate was missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--long", action="store_true", help="four times the rounds")
    parser.add_argument("--tiny", action="store_true", help="only show that everything runs")
    chosen = parser.parse_args(arguments)
    with folder_on_disk() as folder:
        before = flush_us(folder)
        print(f"disk flush (8 KiB, fdatasync): p50 {before[0]:.0f} µs, p99 {before[1]:.0f} µs")
        figures = measured(TINY if chosen.tiny else LONG if chosen.long else USUAL, folder)
        after = flush_us(folder)
        print(f"disk flush afterwards: p50 {after[0]:.0f} µs, p99 {after[1]:.0f} µs\n")
    flush = max(before[0], after[0])
    print(table(figures, flush))
    rows = [figure.as_json(flush) for figure in figures]
    written = {"flush": {"before": before, "after": after, "unit": "µs, p50 and p99"}, "figures": rows}
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(written), indent=2))
    print(f"\nwritten to {RESULT.relative_to(BUILD.parent)}")
    return int(any(row["passed"] is False and row.get("comparable", True) for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
