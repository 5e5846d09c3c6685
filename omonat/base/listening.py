"""Listening sockets that a parent holds from the moment it picks a port, and that its children take connections from.

A port that was only looked at may be somebody else's a moment later. Whoever picks one listens at once; connections
wait in the socket until a child takes them, also while that child is started again. Which descriptor is which address
stands in one variable of the child's environment.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from typing import Final

from omonat.base.errors import Unavailable

VARIABLE: Final = "LISTENING_DESCRIPTORS"
"""No setting: an operator has nothing to choose here."""
_PORTS_TRIED: Final = 50
_LARGEST_PORT: Final = 65_535
_WAITING: Final = 1024


def take_port(host: str, wanted: int) -> socket.socket:
    """A socket that listens on `wanted`, or on the next free port after it. Raises Unavailable `port-taken`."""
    for port in range(wanted, min(wanted + _PORTS_TRIED, _LARGEST_PORT + 1)):
        made = reusable(host)
        try:
            made.bind((host, port))
            made.listen(_WAITING)  # only this tells two who bound at the same moment apart
        except OSError:
            made.close()
            continue
        return made
    raise Unavailable("port-taken", port=str(wanted), host=host)


def reusable(host: str) -> socket.socket:
    """A socket for this kind of address that doesn't mind connections which are still ending."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def port_of(held: socket.socket) -> int:
    """The port a socket has."""
    return int(held.getsockname()[1])


def told(sockets: Iterable[socket.socket]) -> dict[str, str]:
    """The variable for a child that is given these sockets."""
    return {VARIABLE: " ".join(f"{_name(*one.getsockname()[:2])}={one.fileno()}" for one in sockets)}


def inherited(host: str, port: int, environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """The socket our parent holds for us on this address: one of our own to close. None where it holds none."""
    for pair in environment.get(VARIABLE, "").split():
        name, _, descriptor = pair.rpartition("=")
        if name == _name(host, port):
            return socket.socket(fileno=os.dup(int(descriptor)))
    return None


def _name(host: str, port: int) -> str:
    return f"{host}:{port}"
