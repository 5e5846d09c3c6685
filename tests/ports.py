"""Ports for tests that start a process of their own."""

from omonat.base.listening import port_of, take_port


def free_port(host: str, wanted: int) -> int:
    """`wanted`, or the next free port after it."""
    with take_port(host, wanted) as probe:
        return port_of(probe)
