"""How a figure is made: interleaved pairs, the median paired ratio with a bootstrap interval, a gate, a verdict.

Absolute rates of one machine prove nothing: two things done in turns in one run, in random order, do. A gate passes
when the bad end of the 95 % interval passes it.
"""

import asyncio
import math
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUICK_FLUSH_US = 200.0
"""Durable rows are comparable while the disk's flush takes no longer than this (docs/performance.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row. `value` is a ratio or an amount in `unit` with its 95 % `interval`; no `gate`: shown for information.

    `more` holds the absolute numbers beside it: true for this run on this machine, and for nothing else.
    """

    name: str
    value: float
    interval: tuple[float, float]
    unit: str = "×"
    gate: float | None = None
    at_most: bool = False
    durable: bool = False
    more: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        """Whether the bad end of the interval passes; None without a gate."""
        if self.gate is None:
            return None
        return self.interval[1] <= self.gate if self.at_most else self.interval[0] >= self.gate

    def as_json(self, flush_us: float) -> dict[str, Any]:
        """As written to `build/bench.json`; a durable row on a slow disk says why it proves nothing."""
        row: dict[str, Any] = {
            "name": self.name,
            "value": _short(self.value),
            "interval": [_short(end) for end in self.interval],
            "unit": self.unit,
            "gate": None if self.gate is None else f"{'≤' if self.at_most else '≥'} {self.gate:g} {self.unit}",
            "passed": self.passed,
            **{name: _short(value) for name, value in self.more.items()},
        }
        if self.durable:
            row["comparable"] = flush_us <= QUICK_FLUSH_US
            if not row["comparable"]:
                row["reason"] = f"a flush took {flush_us:.0f} µs (p50); durable rows need {QUICK_FLUSH_US:.0f} or less"
        return row


def ratio(name: str, pairs: Sequence[tuple[float, float]], **more: Any) -> Figure:
    """The figure of (ours, theirs) rates measured side by side: how many times theirs ours is."""
    return amount(name, [ours / theirs for ours, theirs in pairs], **more)


def amount(name: str, values: Sequence[float], **more: Any) -> Figure:
    """The figure of one quantity measured several times."""
    return Figure(name=name, value=statistics.median(values), interval=interval(values), **more)


def interval(values: Sequence[float], rounds: int = 2000) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median; the same values always give the same interval."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975) - 1]


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` of all lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_turns(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> list[tuple[float, float]]:
    """Measure both as often as asked, side by side, the order of each pair drawn by lot."""
    measured = []
    for _ in range(pairs):
        if random.random() < 0.5:
            first = ours()
            measured.append((first, theirs()))
        else:
            first = theirs()
            measured.append((ours(), first))
    return measured


async def in_rounds(ways: Mapping[str, Callable[[], Awaitable[float]]], rounds: int) -> dict[str, list[float]]:
    """As `in_turns`, for several ways that are awaited: every round measures each once, in an order drawn by lot."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name in random.sample(list(ways), len(ways)):
            measured[name].append(await ways[name]())
    return measured


async def rate(one: Callable[[], Awaitable[object]], in_flight: int, seconds: float) -> float:
    """Operations a second of a closed loop with so many in flight."""
    end, done = time.perf_counter() + seconds, 0

    async def loop() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await one()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(loop() for _ in range(in_flight)))
    return done / (time.perf_counter() - start)


def flush_us(folder: Path, times: int = 300) -> tuple[float, float]:
    """Microseconds (p50, p99) of an 8 KiB write and its fdatasync on this disk."""
    probe = folder / "flush-probe"
    descriptor = os.open(probe, os.O_RDWR | os.O_CREAT, 0o600)
    prices = []
    try:
        os.pwrite(descriptor, bytes(1 << 20), 0)
        os.fsync(descriptor)
        for turn in range(times):
            os.pwrite(descriptor, os.urandom(8192), 8192 * (turn % 128))
            start = time.perf_counter_ns()
            os.fdatasync(descriptor)
            prices.append((time.perf_counter_ns() - start) / 1000)
    finally:
        os.close(descriptor)
        probe.unlink()
    return statistics.median(prices), percentile(prices, 0.99)


def table(figures: Sequence[Figure], flush: float) -> str:
    """The rows as people read them."""
    rows = [("what", "measured", "95 %", "at least", "", "beside it")]
    for figure in figures:
        row = figure.as_json(flush)
        verdict = {None: "", True: "passed", False: "MISSED"}[figure.passed]
        if row.get("comparable") is False:
            verdict = "not comparable"
        low, high = (_plain(end) for end in figure.interval)
        beside = ", ".join(f"{name} {_plain(value)}" for name, value in figure.more.items())
        rows.append(
            (
                figure.name,
                f"{_plain(figure.value)} {figure.unit}",
                f"{low} to {high}",
                row["gate"] or "–",
                verdict,
                beside,
            )
        )
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
