"""The page kit every door shares: look, words, formats, layout, assets, headers.

It knows no promise, no flow and no door: a door brings its folder (`templates/`, `locale/`, `static/`) and gets back a
`Door` that renders its pages in three languages. See docs/pages.md for the macros and the words' workflow.
"""

from omonat.pages.render import Door, Nav, Proof
from omonat.pages.words import DEFAULT_LANGUAGE, LANGUAGES, N_, Words, language_of

__all__ = ["DEFAULT_LANGUAGE", "LANGUAGES", "N_", "Door", "Nav", "Proof", "Words", "language_of"]
