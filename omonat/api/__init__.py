"""The HTTP door: `/v1`, for the company's own systems, and `/log`, for whoever verifies evidence.

A plain ASGI application (`door.Api`) that the web server mounts. It holds no rule: a handler reads the request, calls
one flow and prints its answer. What it does hold is the shape of requests and answers (`bodies`, `answers`), one strict
reader of bodies (`body`), one printer of errors (`problems`) and one table of operations (`operations`), from which
routing and the OpenAPI document both come, so that neither can say what the other doesn't do.
"""

from omonat.api.door import Api, route
from omonat.api.log import log_route

__all__ = ["Api", "log_route", "route"]
