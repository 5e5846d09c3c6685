"""The addresses of the policy: the version in force, every version, their history, what changed between two, and the
file itself (P1, P3)."""

from collections.abc import Callable

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.policy.prose_changes import SAME
from omonat.site.door import HOME, PAIRED, body, changed
from omonat.site.frame import Answer, Asked, Pages, asked_language
from omonat.site.library import Edition, PolicyLibrary


def site_routes(
    library: PolicyLibrary, *, now: Callable[[], Instant], https: Callable[[], bool] = lambda: False
) -> list[HTTPRouteHandler]:
    """The handlers of this door. `now` is read once per request; `https` says whether readers come over TLS."""
    pages = _Pages(library, now, https)

    @get(HOME, name="policy", include_in_schema=False)
    async def policy(request: Asked) -> Answer:
        return await pages.notice(request, await library.current())

    @get(f"{HOME}/history", name="policy-history", include_in_schema=False)
    async def history(request: Asked) -> Answer:
        return await pages.history(request)

    @get(f"{HOME}/v/{{version:str}}", name="policy-version", include_in_schema=False)
    async def version_(request: Asked, version: FromPath[str]) -> Answer:
        return await pages.notice(request, await library.by_version(version))

    @get(f"{HOME}/v/{{version:str}}/policy.yaml", name="policy-file", include_in_schema=False)
    async def file(request: Asked, version: FromPath[str]) -> Answer:
        return await pages.file(request, await library.by_version(version))

    @get(f"{HOME}/compare/{{pair:str}}", name="policy-compare", include_in_schema=False)
    async def compare(request: Asked, pair: FromPath[str]) -> Answer:
        return await pages.compare(request, pair)

    return [policy, history, version_, file, compare]


class _Pages(Pages):
    """The answers about the policy."""

    async def notice(self, request: Asked, edition: Edition | None) -> Answer:
        """One version to be read."""
        if edition is None:
            return await self._missing(request)
        return await self.page(request, "policy.html", edition=edition, body=body(edition, asked_language(request)))

    async def history(self, request: Asked) -> Answer:
        """All versions."""
        return await self.page(request, "history.html", editions=await self.library.history())

    async def compare(self, request: Asked, pair: str) -> Answer:
        """Two versions side by side, `1..2`: what is new, and what is milder (P3)."""
        old, _, new = pair.partition(PAIRED)
        editions = [await self.library.by_version(version) for version in (old, new)]
        if editions[0] is None or editions[1] is None:
            return await self._missing(request)
        language = asked_language(request)
        try:
            found = changed(editions[0], editions[1], language)
        except BadInput:  # a law pack it names isn't at hand: what it does can't be told
            return await self._missing(request)
        return await self.page(
            request, "compare.html", old=editions[0], new=editions[1], changes=found, same=SAME[language]
        )

    async def file(self, request: Asked, edition: Edition | None) -> Answer:
        """The exact bytes that were published."""
        if edition is None:
            return await self._missing(request)
        name = f"{edition.policy.policy}-{_file_safe(edition.version)}.yaml"
        return self.answer(
            request, edition.source, "application/yaml; charset=utf-8", disposition=f'attachment; filename="{name}"'
        )

    async def _missing(self, request: Asked) -> Answer:
        return await self.page(request, "missing.html", status=404)


def _file_safe(version: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-") else "-" for letter in version)
