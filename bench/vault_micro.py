"""Microseconds per vault operation, best and median of several rounds, beside the price of one disk flush.

    python -m bench.vault_micro [folder]

The folder (default: a temporary one) decides which disk the slots lie on.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha512
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omonat.vault.root import RootKey
from omonat.vault.vault import Vault

ROUNDS, TIMES = 7, 2000
ITEMS = {f"contact.item-{n}": "Yunusobod tumani, Amir Temur koʻchasi, 12" for n in range(7)}


def price_us(work: Callable[[int], object], times: int = TIMES) -> tuple[float, float]:
    """Best and median over rounds of the mean price of one call, in microseconds."""
    prices = []
    for turn in range(ROUNDS):
        start = time.perf_counter_ns()
        for n in range(times):
            work(turn * times + n)
        prices.append((time.perf_counter_ns() - start) / times / 1000)
    return min(prices), statistics.median(prices)


def flush_us(folder: Path) -> tuple[float, float]:
    """The price of overwriting 64 bytes in place and flushing them."""
    descriptor = os.open(folder / "flush-probe", os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(descriptor, bytes(1 << 16), 0)
    os.fsync(descriptor)

    def once(n: int) -> None:
        os.pwrite(descriptor, os.urandom(64), 64 * (n % 1024))
        os.fdatasync(descriptor)

    price = price_us(once, 30)
    os.close(descriptor)
    return price


def bare_open_us(times: int = TIMES) -> tuple[float, float]:
    """The primitives one uncached opening can't do without, and nothing else: two slots, two derivations, a new key,
    one section, one decoding."""
    outer = AESGCM(os.urandom(32))
    nonce, context, long_context = os.urandom(12), os.urandom(70), os.urandom(140)
    slot, secret = outer.encrypt(nonce, os.urandom(32), context), os.urandom(64)
    section = outer.encrypt(nonce, msgspec.json.encode(ITEMS), long_context)
    key = outer
    decode = msgspec.json.Decoder(dict).decode

    def once(_: int) -> None:
        outer.decrypt(nonce, slot, context)
        outer.decrypt(nonce, slot, context)
        sha512(secret).digest()
        AESGCM(sha512(secret).digest()[:32])
        decode(key.decrypt(nonce, section, long_context))

    return price_us(once, times)


def measure(folder: Path) -> dict[str, tuple[float, ...]]:
    """All figures by name."""
    vault = Vault.open(folder, RootKey(os.urandom(32)), create=True)
    count = ROUNDS * TIMES
    persons, records = vault.reserve_slots(count), vault.reserve_slots(count)

    def at(n: int) -> dict[str, Any]:
        return {
            "person": "per_b5qkyi2tf3d7w4v5o6p7q3r2sa",
            "person_slot": persons[n],
            "record": "rec_b5qkyi2tf3d7w4v5o6p7q3r2sa",
            "record_slot": records[n],
            "category": "contact",
            "version": 3,
        }

    def reserve_all() -> tuple[float, ...]:
        start = time.perf_counter_ns()
        for _ in range(100_000):
            vault.reserve_slots(1)
        return ((time.perf_counter_ns() - start) / 1e8,)

    places = [at(n) for n in range(count)]
    sealed = [vault.seal_section(**place, items=ITEMS) for place in places]
    figures: dict[str, tuple[float, ...]] = {"section, bytes": (float(len(sealed[0])),), "flush": flush_us(folder)}
    figures["seal, uncached"] = price_us(lambda n: vault.seal_section(**places[n], items=ITEMS))
    figures["open, uncached"] = price_us(lambda n: vault.open_section(**places[n], sealed=sealed[n]))
    figures["open, bare primitives"] = bare_open_us()
    figures["open, cached"] = price_us(lambda n: vault.open_section(**places[n % 64], sealed=sealed[n % 64]))
    figures["lookup digest"] = price_us(lambda _: vault.lookup_digest("phone", "+998901234567"))
    figures["keyed digest"] = price_us(lambda _: vault.keyed_digest("rate", b"203.0.113.7"))
    figures["commitment"] = price_us(
        lambda n: vault.commitment(evidence_slot=persons[n], entry="ev_1", field="person", value="per_1")
    )
    figures["pseudonym"] = price_us(lambda _: vault.pseudonym("staff", "stf_1"))
    figures["seal value"] = price_us(lambda _: vault.seal_value("outbox:1", b"x" * 100))
    figures["reserve, slots made by need"] = reserve_all()
    vault.prepare_slots(100_000)
    figures["reserve, slots made ahead"] = reserve_all()
    figures["destroy one, durable"] = price_us(lambda n: vault.destroy_slots([persons[n]]), 30)
    start = time.perf_counter_ns()
    vault.destroy_slots(records)
    figures[f"destroy {count} at once, each"] = ((time.perf_counter_ns() - start) / count / 1000,)
    return figures


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        for name, prices in measure(Path(folder)).items():
            print(f"{name:32}", *(f"{price:10.2f}" for price in prices))


if __name__ == "__main__":
    main()
