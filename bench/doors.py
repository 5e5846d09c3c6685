"""Over HTTP: `/v1/use` and `/v1/collect` of two workers, beside a plain application of two, 32 connections."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.figures import Figure, amount, percentile, ratio
from bench.load import Load, Spec, json_text, run
from bench.town import COURIERS, Town

ROOT = Path(__file__).parents[1]
WORKERS = 2
Pair = tuple[float, float]
PAYLOAD: dict[str, Any] = {
    "service": "order",
    "version": "",
    "case": "order:c{n}",
    "items": {
        "contact.name": "Dilnoza Karimova",
        "contact.mobile": "+998901234567",
        "contact.email": "dilnoza@example.test",
        "contact.postal-address": "Toshkent, Chilonzor, 5-mavze, 12-uy, 34-xonadon",
        "contact.landmark": "Makro doʻkoni yonida",
        "transaction.order-lines": [{"item": "Osh", "count": 2, "price": 4_500_000}],
        "transaction.amount": 9_000_000,
        "transaction.comment": "Qoʻngʻiroq qilmang",
        "financial.card-brand": "Uzcard",
        "financial.card-last-four": "4242",
    },
    "consents": {"marketing-email": False, "marketing-sms": True},
    "accepted": True,
}


@dataclass(slots=True)
class Doors:
    """Two servers under way and a load generator; `answered` counts what the house answered."""

    house: int
    plain: int
    generator: ProcessPoolExecutor
    answered: dict[str, int] = field(default_factory=dict)

    def load(self, spec: Spec) -> Load:
        """Run one load in the generator's process. Raises AssertionError when an answer was wrong."""
        done = self.generator.submit(run, spec).result()
        assert not done.errors, f"{spec.method} {spec.path}: {done.errors}"
        if spec.port == self.house:
            self.answered[spec.path] = self.answered.get(spec.path, 0) + len(done.latencies)
        return done


@contextmanager
def doors(town: Town) -> Iterator[Doors]:
    """Two web workers of the house and two of a plain application, each pair on a port of its own; all are stopped
    after."""
    environment = {**os.environ, **town.settings.environment(), "PYTHONPATH": str(ROOT)}
    with (
        _keeper(environment),
        _serving(["omonat.cli._worker", "web", "omonat.app"], environment, "/v1/health") as house,
        _serving(["bench.plain"], environment, "/orders/1") as plain,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as generator,
    ):
        yield Doors(house, plain, generator)


@contextmanager
def _keeper(environment: dict[str, str]) -> Iterator[None]:
    """What gives the worker its root key, as under `omonat serve`."""
    keeper = subprocess.Popen([sys.executable, "-m", "omonat.cli._keeper", "configured"], env=environment)
    try:
        yield
    finally:
        keeper.terminate()
        keeper.wait(20)


@contextmanager
def _serving(command: list[str], environment: dict[str, str], path: str) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listening.set_inheritable(True)
    number = listening.fileno()
    port: int = listening.getsockname()[1]
    with ExitStack() as stack:
        stack.callback(listening.close)
        children = []
        for _ in range(WORKERS):
            child = subprocess.Popen([sys.executable, "-m", *command, str(number)], env=environment, pass_fds=[number])
            stack.callback(child.wait, 20)
            stack.callback(child.terminate)
            children.append(child)
        _wait_for(children, port, path)
        yield port


def _wait_for(children: list[subprocess.Popen[bytes]], port: int, path: str) -> None:
    """Until both have surely opened their house: the socket listens before anybody serves."""
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as ready:
            ready.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            answer = ready.recv(1000)
        assert answer.startswith(b"HTTP/1.1 200"), f"{path}: {answer[:100]!r} ({[c.poll() for c in children]})"
        time.sleep(0.05)


def figures(town: Town, there: Doors, *, rounds: int, seconds: float) -> list[Figure]:
    """The rows. Raises AssertionError when an answer isn't what it must be."""
    by_site, by_courier, plain_read = _uses(town, there, seconds)
    uses, use_times = compared(there, by_site, plain_read, rounds)
    collections, collect_times = compared(there, *_collections(town, there, seconds), rounds)
    couriers, courier_times = compared(there, by_courier, plain_read, max(2, rounds // 3))
    use, courier = "POST /v1/use, 32 connections, 2 workers", "POST /v1/use by a courier, caps counted"
    collect = "POST /v1/collect of 10 items"
    read, insert = "beside a plain endpoint that reads a row", "beside a plain endpoint that inserts a row"
    return [
        ratio(f"{use}, {read}", uses, gate=0.7, durable=True, more=rates(uses)),
        p99(f"{use}: p99", use_times, 80),
        ratio(f"{collect}, {insert}", collections, gate=0.5, durable=True, more=rates(collections)),
        p99(f"{collect}: p99", collect_times, None),
        ratio(f"{courier}, {read}", couriers, durable=True, more=rates(couriers)),
        p99(f"{courier}: p99", courier_times, None),
    ]


def _uses(town: Town, there: Doors, seconds: float) -> tuple[Spec, Spec, Spec]:
    body = {"purpose": "deliver-order", "case": "order:{n}"}
    bearer = "authorization: Bearer {}\r\n"
    use = Spec(
        port=there.house,
        method="POST",
        path="/v1/use",
        status=200,
        expects=", {n}-uy",
        seconds=seconds,
        headers=bearer.format(town.tokens["site"]),
        body=json_text(body),
        upto=town.people,
        couriers=COURIERS,
    )
    courier = replace(
        use,
        headers=bearer.format(town.tokens["courier-app"]),
        body=json_text({**body, "on-behalf-of": "{c}"}),
    )
    read = Spec(
        port=there.plain, method="GET", path="/orders/{n}", status=200, expects=", {n}-uy", seconds=seconds,
        upto=town.people,
    )  # fmt: skip
    return use, courier, read


def _collections(town: Town, there: Doors, seconds: float) -> tuple[Spec, Spec]:
    version = town.house.grounds.law.history()[-1].version
    collect = Spec(
        port=there.house, method="POST", path="/v1/collect", status=201, expects='"case":"order:c{n}"', seconds=seconds,
        headers=f"authorization: Bearer {town.tokens['site']}\r\n", body=json_text({**PAYLOAD, "version": version}),
    )  # fmt: skip
    return collect, replace(collect, port=there.plain, path="/orders", headers="")


def compared(there: Doors, ours: Spec, theirs: Spec, rounds: int) -> tuple[list[Pair], list[list[float]]]:
    """Answers a second of both, round by round in an order drawn by lot; and how long ours took."""
    pairs: list[Pair] = []
    latencies: list[list[float]] = []
    specs = {True: ours, False: theirs}
    for turn in range(-1, rounds):  # the first round warms both
        rates = {}
        for mine in random.sample((True, False), 2):
            done = there.load(specs[mine])
            specs[mine] = replace(specs[mine], first=done.next)
            rates[mine] = done.rate
            if mine and turn >= 0:
                latencies.append(done.latencies)
        if turn >= 0:
            pairs.append((rates[True], rates[False]))
    return pairs, latencies


def p99(name: str, times: list[list[float]], gate: float | None) -> Figure:
    """The row of the slowest hundredth, the middle beside it."""
    return amount(
        name, [percentile(each, 0.99) * 1000 for each in times], unit="ms", gate=gate, at_most=True, durable=True,
        more={"p50 ms": percentile([one for each in times for one in each], 0.5) * 1000},
    )  # fmt: skip


def rates(pairs: list[Pair]) -> dict[str, float]:
    """What stands beside a ratio: both as answers a second."""
    return {"ours/s": percentile([p[0] for p in pairs], 0.5), "plain/s": percentile([p[1] for p in pairs], 0.5)}
