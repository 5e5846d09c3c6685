"""The site's way to the API: its credential from a file, one client per language, nothing else."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from omonat.pages import LANGUAGES
from omonat_client import AsyncClient

Credential = Callable[[], str | None]


class Api:
    """Clients of `/v1` that speak a person's language. `credential` is asked until there is one: set-up issues it."""

    def __init__(self, base: str, credential: Credential) -> None:
        self._base = base
        self._credential = credential
        self._clients: Mapping[str, AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    def speaking(self, language: str) -> AsyncClient | None:
        """The client whose sentences are in this language; None while the shop has no credential yet."""
        if not self._clients:
            credential = self._credential()
            if credential is None:
                return None
            self._clients = {each: AsyncClient(self._base, credential, language=each) for each in LANGUAGES}
        return self._clients[language]
