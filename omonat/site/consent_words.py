"""The dialog's words: interface sentences from the catalogue, labels and reasons from the policy itself."""

from typing import Any, Final

from omonat.pages import N_
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Cookie
from omonat.policy.prose_words import PHRASES, in_words
from omonat.promises.cookies.rule import CHOICE, Register, names_of
from omonat.site.door import SITE

CHOICES_PAGE: Final = "/me/cookies"
_SENTENCES: Final = {
    "title": N_("Cookies on this site"),
    "lead": N_("This site keeps what it cannot work without. For anything more it needs your yes."),
    "all": N_("Accept all"),
    "none": N_("Refuse all"),
    "each": N_("Choose one by one"),
    "save": N_("Save my choice"),
    "close": N_("Close without changing"),
    "always": N_("Always there, the site does not work without it"),
    "signal": N_(
        "Your browser asks not to be followed (Global Privacy Control). We take it as a refusal: only what the site "
        "cannot work without is kept. To allow more, turn the signal off for this site."
    ),
    "kept": N_("Your choice about cookies is kept. You can change it whenever you like."),
    "link": N_("Cookies"),
    "more": N_("Your choice as a page"),
    "understood": N_("Close"),
}


def words_for(policy: CompiledPolicy, register: Register, language: str, *, signal: bool) -> dict[str, Any]:
    """All the script needs to ask, in one language."""
    words = SITE.words(language)
    return {
        "register": register.digest,
        "cookie": CHOICE,
        "seconds": register.lasts // 1_000_000,
        "signal": signal,
        "page": CHOICES_PAGE,
        "words": {name: words(sentence) for name, sentence in _SENTENCES.items()},
        "necessary": [_cookie(c, language) for c in register.cookies.values() if c.necessary],
        "purposes": [
            {
                "id": purpose,
                "label": policy.purposes[purpose].says[language],
                "tells": policy.purposes[purpose].tells[language],
                "cookies": [_cookie(cookie, language) for cookie in register.of(purpose)],
            }
            for purpose in register.optional
        ],
    }


def _cookie(cookie: Cookie, language: str) -> dict[str, Any]:
    return {
        "id": cookie.id,
        "label": cookie.says[language],
        "kind": cookie.kind.value,
        "names": names_of(cookie),
        "hosts": cookie.hosts,
        "owner": cookie.owner,
        "lasts": in_words(cookie.lifetime, language) if cookie.lifetime else PHRASES["session"][language],
    }
