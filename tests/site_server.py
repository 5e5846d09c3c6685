"""A company's site on a server of its own: its pages, and Omonat's doors for sites beside them, at one address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from litestar import Litestar

from omonat import api, site
from omonat.house import House
from tests.ports import free_port


@asynccontextmanager
async def site_server(house: House, *pages: Any) -> AsyncIterator[str]:
    """Serve `pages` until the end; the address a browser goes to."""
    port = free_port("127.0.0.1", 0)
    routes = [api.route(lambda: house), *site.sealed_routes(lambda: house), *pages]
    server = uvicorn.Server(
        uvicorn.Config(Litestar(routes, openapi_config=None), host="127.0.0.1", port=port, log_level="critical")
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task
