"""How long processes waited for a processor that others had: bars in seconds are for a machine that is ours alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.whole.serving import Service

Waited = Mapping[int, float]
"""Seconds each process of a service has waited for a processor so far, as the kernel counts them."""


def waits(service: Service) -> Waited:
    """As it stands now."""
    found = {}
    for pid in service.everything():
        try:
            found[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            continue
    return found


def waited_since(before: Waited, service: Service) -> float:
    """What the parent and the child that waited most have waited since: they do their work one after the other."""
    now = waits(service)
    delays = {pid: seconds - before.get(pid, 0.0) for pid, seconds in now.items()}
    parent = delays.pop(service.process.pid, 0.0)
    return parent + _longest(list(delays.values()))


def _longest(delays: Sequence[float]) -> float:
    return max(delays, default=0.0)
