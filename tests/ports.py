"""Ports for tests that start a process of their own."""

import secrets

from omonat.base.listening import port_of, take_port


def free_port() -> int:
    """A port of this machine on which nothing listens, drawn by lot: several runs may go side by side.

    Below those the kernel gives to outgoing connections, so that nobody is on it by chance a moment later; not from
    `random`, which property tests seed.
    """
    with take_port("127.0.0.1", 20_000 + secrets.randbelow(10_000)) as probe:
        return port_of(probe)
