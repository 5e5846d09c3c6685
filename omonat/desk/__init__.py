"""Desk at `/desk`: staff use personal data for a stated purpose, and only so (S4, B2, B3).

It holds no rule: it lists cases, names the purposes a role has there, and asks `use` for one item at a time. Nothing is
shown before it is asked for, and the purpose one works under stands on top of every page.
"""

from omonat.desk.door import DESK
from omonat.desk.routes import handlers

__all__ = ["DESK", "handlers"]
