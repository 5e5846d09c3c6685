"""`python -m omonat.pages.gallery OUTDIR`: every component in three languages as static HTML, to be looked at.

For us alone: nobody is served it. The sentences are examples, so they stand here per language and not in catalogues.
"""

import re
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, from_rfc3339
from omonat.pages.files import assets
from omonat.pages.render import KIT_STATIC, Door, Nav, Proof
from omonat.pages.words import KIT, LANGUAGES

NOW = from_rfc3339("2026-11-22T14:05:00+05:00")
GALLERY = Door("gallery", KIT / "showcase")
PAGES = ("facts", "form", "desk", "prose", "stars")


def render(page: str, language: str) -> str:
    """One page of the gallery."""
    return GALLERY.render(f"{page}.html", language=language, now=NOW, **context(page, language))


def context(page: str, language: str) -> dict[str, Any]:
    """Everything the example pages show."""
    digests = [sha256(bytes([seed])).digest() for seed in range(40)]
    return {
        "t": lambda uz, ru, en: {"uz": uz, "ru": ru, "en": en}[language],
        "path": f"/{page}.{language}.html",
        "home": "facts.html",
        "controller": "BESHQOZON",
        "place": {"uz": "Maxfiylik markazi", "ru": "Центр приватности", "en": "Privacy center"}[language],
        "nav": [Nav(f"/{each}.{language}.html", label) for each, label in zip(PAGES, NAMES[language], strict=True)],
        "sign_out": "/out",
        "csrf": "example",
        "wide": page == "desk",
        "proof": Proof(18204, Instant(NOW - 12 * SECOND), digests[7], "/proof"),
        "foot_links": [Nav("/page/privacy-policy", FOOT[language])],
        "digests": digests,
        "at": {
            "ahead": Instant(NOW + 101 * DAY),
            "hour": Instant(NOW - 3 * HOUR),
            "minutes": Instant(NOW - 21 * MINUTE),
            "past": Instant(NOW - 40 * DAY),
            "far": Instant(NOW + 5 * 366 * DAY),
        },
    }


NAMES = {
    "uz": ("Mening maʼlumotlarim", "Mening tanlovlarim", "Kim koʻrgan", "Siyosat", "Isbotlar"),
    "ru": ("Мои данные", "Мой выбор", "Кто смотрел", "Политика", "Подтверждения"),
    "en": ("My data", "My choices", "Who looked", "Policy", "Proofs"),
}
FOOT = {"uz": "Maxfiylik siyosati", "ru": "Политика конфиденциальности", "en": "Privacy policy"}


def write(folder: Path) -> None:
    """All pages and static files below `folder`, ready to be served as a root."""
    for asset in assets(*KIT_STATIC).values():
        file = folder / asset.address.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(asset.body)
    for page in PAGES:
        for language in LANGUAGES:
            text = re.sub(rf"/{page}\.{language}\.html\?lang=(\w\w)", rf"/{page}.\1.html", render(page, language))
            (folder / f"{page}.{language}.html").write_text(text, "utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target / "static", ignore_errors=True)
    write(target)
