"""The door's pages: its folder, and the notice rendered once per text, language and state of its promises."""

from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from omonat.base.instants import Instant
from omonat.pages import Door
from omonat.policy.compiled import CompiledPolicy, compile_policy
from omonat.policy.prose import notice
from omonat.policy.prose_changes import Told, told
from omonat.site.library import Edition

SITE = Door("site", Path(__file__).parent)
HOME = "/page/privacy-policy"
COMPLAIN = "/complain"
QUESTIONS = "/page/about-visitors"
PAIRED = ".."
"""Between the two versions of a comparison's address."""

_TIMELESS = Instant(0)  # the notice says no distance in time, so it can be kept


def body(edition: Edition, language: str) -> Markup:
    """The notice as page content; rendered once per digest, language and standings."""
    standings = tuple(sorted((promise, str(standing)) for promise, standing in edition.standings.items()))
    return _bodies(edition.digest, language, standings, _Held(edition))


class _Held:
    """Carries an edition into the cache without being part of the key: the digest already says which one it is."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=64)
def _bodies(digest: str, language: str, standings: tuple[tuple[str, str], ...], held: _Held) -> Markup:  # noqa: ARG001
    said = notice(held.edition.policy, language, held.edition.packs)
    html = SITE.render("notice.html", language=language, now=_TIMELESS, notice=said, standings=dict(standings))
    return Markup(html)  # noqa: S704  (our own template, autoescaped)


def changed(old: Edition, new: Edition, language: str) -> tuple[Told, ...]:
    """What differs between two editions, in words; found once per pair and language."""
    return _changes(old.digest, new.digest, language, _Held(old), _Held(new))


@lru_cache(maxsize=64)
def _changes(_old: str, _new: str, language: str, old: _Held, new: _Held) -> tuple[Told, ...]:
    return told(_compiled(old.edition), _compiled(new.edition), language)


def _compiled(edition: Edition) -> CompiledPolicy:
    return compile_policy(edition.policy, edition.packs)
