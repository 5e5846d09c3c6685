"""Bringing copies of the slots level again after a power cut, or after one of them was away.

A destruction on any copy is a destruction on all: tombstones always win. Otherwise the copy with the newest
generation is right, and a slot that no longer opens on it is healed from one where it does.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from omonat.base.errors import Fault
from omonat.vault.header import FIRST_SLOT, SLOT, Header, write_header
from omonat.vault.root import RootKey
from omonat.vault.storage import make_durable, write_all

_STEP = 4096  # slots compared at a time


class SlotJudge(Protocol):
    """What reconciling must know about a slot."""

    def is_tombstone(self, number: int, slot: bytes) -> bool:
        """Whether the slot's secret was truly destroyed."""

    def is_sealed(self, number: int, slot: bytes) -> bool:
        """Whether the slot opens as this number's."""


def reconcile(
    descriptors: Sequence[int], found: Sequence[tuple[Header, bool]], root: RootKey, judge: SlotJudge
) -> Header:
    """Make all copies equal and durable, and give the state they now share. The caller holds every lock."""
    headers = [header for header, _ in found]
    if len({header.installation for header in headers}) != 1:
        raise Fault("keys-changed", file="")
    newest = max(headers, key=lambda header: (header.generation, header.made))
    made = max(header.made for header in headers)
    high_water = max(header.high_water for header in headers)
    if not all(intact for _, intact in found):  # the lost record may have said more: give out nothing that exists
        made = high_water = max(made, *(_slots_in(descriptor) for descriptor in descriptors))
    ranked = sorted(range(len(headers)), key=lambda i: (-headers[i].generation, -headers[i].made, i))
    if len(descriptors) > 1:
        _copy_slots([descriptors[i] for i in ranked], made, judge)
    make_durable(descriptors)
    level = replace(
        newest,
        sequence=max(header.sequence for header in headers) + 1,
        high_water=high_water,
        made=made,
        generation=max(header.generation for header in headers) + 1,
        copies=max(header.copies for header in headers),
        destroying=False,
    )
    for again in (level, replace(level, sequence=level.sequence + 1)):  # both records, so that none stays torn
        for copy, descriptor in enumerate(descriptors):
            write_header(descriptor, replace(again, copy=copy), root)
        make_durable(descriptors)
        level = again
    return replace(level, copy=0)


def _slots_in(descriptor: int) -> int:
    """The first number whose slot does not fit into the file."""
    return max(1, (os.fstat(descriptor).st_size - FIRST_SLOT) // SLOT)


def _copy_slots(ranked: Sequence[int], made: int, judge: SlotJudge) -> None:
    for first in range(0, made, _STEP):
        count = min(_STEP, made - first)
        at = FIRST_SLOT + SLOT * first
        pieces = [os.pread(descriptor, SLOT * count, at).ljust(SLOT * count, b"\0") for descriptor in ranked]
        if all(piece == pieces[0] for piece in pieces):
            continue
        right = b"".join(
            _right_slot(first + i, [piece[SLOT * i : SLOT * i + SLOT] for piece in pieces], judge) for i in range(count)
        )
        for descriptor, piece in zip(ranked, pieces, strict=True):
            if piece != right:
                write_all(descriptor, right, at)


def _right_slot(number: int, candidates: Sequence[bytes], judge: SlotJudge) -> bytes:
    if all(candidate == candidates[0] for candidate in candidates):
        return candidates[0]
    for wanted in (judge.is_tombstone, judge.is_sealed):
        for candidate in candidates:
            if wanted(number, candidate):
                return candidate
    return candidates[0]
