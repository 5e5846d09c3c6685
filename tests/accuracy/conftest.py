"""The shop of the flows' stories."""

from tests.flows.conftest import clock, house, settings, shop

__all__ = ["clock", "house", "settings", "shop"]
