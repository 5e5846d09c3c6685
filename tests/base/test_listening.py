"""A port is held from the moment it is picked: whoever picks at the same moment gets another, and nobody is refused."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from omonat.base.errors import Unavailable
from omonat.base.listening import inherited, port_of, take_port, told
from omonat.database.processes import start_child, stop_child

ROOT: Final = Path(__file__).parents[2]
_PICKS: Final = """
import sys
from omonat.base.listening import port_of, take_port
sys.stdin.readline()
held = [take_port("127.0.0.1", int(sys.argv[1])) for _ in range(5)]
print(*(port_of(one) for one in held), flush=True)
sys.stdin.readline()
"""
_SERVES: Final = """
import sys
from omonat.base.listening import inherited
held = inherited("127.0.0.1", int(sys.argv[1]))
connection, _ = held.accept()
connection.sendall(b"here")
connection.close()
"""


def _python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *map(str, arguments)]


def test_S6_six_that_pick_at_the_same_moment_get_ports_of_their_own() -> None:
    with take_port("127.0.0.1", 21_000) as taken:
        wanted = port_of(taken)
        picking = [
            subprocess.Popen(
                _python(_PICKS, wanted), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            for _ in range(6)
        ]
        try:
            _say(picking)
            ports = [port for one in picking if one.stdout for port in one.stdout.readline().split()]
        finally:
            for one in picking:
                one.communicate("\n")
    assert len(ports) == 30
    assert len(set(ports)) == 30
    assert str(wanted) not in ports


def _say(processes: list["subprocess.Popen[str]"]) -> None:
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()


def test_S6_who_connects_before_the_child_runs_is_answered_by_it_and_so_is_whoever_comes_after_it_died() -> None:
    with take_port("127.0.0.1", 21_200) as held:
        port = port_of(held)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as early:
                child = start_child(
                    _python(_SERVES, port),
                    dies_by=signal.SIGKILL,
                    environment={**os.environ, "PYTHONPATH": str(ROOT), **told([held])},
                    pass_fds=[held.fileno()],
                )
                try:
                    assert early.recv(4) == b"here"
                finally:
                    stop_child(child, (signal.SIGTERM, 5.0))


def test_S6_without_a_parent_that_holds_it_there_is_nothing_to_inherit() -> None:
    assert inherited("127.0.0.1", 8_425, {}) is None
    with take_port("127.0.0.1", 21_300) as held:
        assert inherited("127.0.0.1", port_of(held) + 1, told([held])) is None
        assert inherited("::1", port_of(held), told([held])) is None


def test_S6_the_last_port_there_is_has_no_next() -> None:
    with take_port("127.0.0.1", 65_535), pytest.raises(Unavailable) as refused:
        take_port("127.0.0.1", 65_535)
    assert refused.value.code == "port-taken"
