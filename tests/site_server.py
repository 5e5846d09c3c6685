"""Servers on loopback for whatever a test wants to see through a real socket or browser."""

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
async def serving(routes: Any, port: int | None = None) -> AsyncIterator[str]:
    """Serve routes, or a whole application, on this test's own event loop until the end; the address for a browser."""
    app = routes if isinstance(routes, Litestar) else Litestar(routes, openapi_config=None, logging_config=None)
    port = free_port() if port is None else port
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def site_server(house: House, *pages: Any) -> AsyncIterator[str]:
    """A company's site: its pages, and Omonat's doors for sites beside them, at one address."""
    routes = [api.route(lambda: house), *site.sealed_routes(lambda: house), *pages]
    async with serving(routes) as address:
        yield address
