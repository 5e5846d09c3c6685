"""The shop of the flows' stories, whose clock is also believed by the sweeper."""

from tests.flows.conftest import clock, house, settings, shop

__all__ = ["clock", "house", "settings", "shop"]
