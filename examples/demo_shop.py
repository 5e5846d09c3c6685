"""The demo's own part of the web application: the company's site at `/`, and the catcher that shows its messages.

Mounted by `omonat.app` when `OMONAT_DEMO` says so, beside the doors. The site talks to `/v1` over HTTP like any other
system of the company; the catcher's mail server and gateway are where `omonat demo` told the jobs worker they are.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache

from litestar.types import ControllerRouterHandler

from examples import catcher
from examples.demo_home import DemoHome
from examples.site.api import Api
from examples.site.door import SHOP, Frame
from examples.site.routes import Site, routes
from examples.site.state import State
from omonat.base.settings import Settings
from omonat.house import system_clock

STATIC = SHOP.static


class _Shop:
    """What one process has of the demo."""

    def __init__(self, settings: Settings) -> None:
        home = DemoHome.of(settings)
        self.letters = catcher.Catcher(system_clock)
        self.state = State(home.shop)
        self.api = Api(settings.address, _site_of(home))
        self.site = Site(self.api, self.state, Frame(https=settings.address.startswith("https")))


def _site_of(home: DemoHome) -> Callable[[], str | None]:
    return lambda: home.credential("site")


@cache
def _shop(settings: Settings) -> _Shop:
    return _Shop(settings)


def handlers(settings: Settings) -> Sequence[ControllerRouterHandler]:
    """The site's pages and the catcher's."""
    shop = _shop(settings)
    return [*routes(shop.site), *catcher.handlers(shop.letters)]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """While the application runs: the mail server listens, the site's connections are open."""
    shop = _shop(settings)
    async with AsyncExitStack() as stack:
        stack.callback(shop.state.close)
        await stack.enter_async_context(shop.api)
        if settings.smtp_host:
            server = await catcher.listen(shop.letters, host=settings.smtp_host, port=settings.smtp_port)
            stack.push_async_callback(server.wait_closed)
            stack.callback(server.close)
        yield
