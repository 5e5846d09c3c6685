"""The Privacy Center at `/me`: a person sees, in their language, what is held, who looked, and chooses (A3, B3, C2).

It holds no rule: every page is a flow's answer put into words. Nothing about a person stands in a URL, every page is
`no-store`, and all of it works without script.
"""

from omonat.center.door import CENTER
from omonat.center.routes import handlers

__all__ = ["CENTER", "handlers"]
