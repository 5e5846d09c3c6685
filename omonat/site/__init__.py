"""The public door: the policy page, its versions and its file (P1, P3). No sign-in, no script, no cookie.

Beside it, for the company's own sites: the cookie dialog's script and the two addresses it reports to (L7), and the
script that seals forms (S1).
"""

from omonat.site.about_visitors import visitor_routes
from omonat.site.consent import consent_routes
from omonat.site.door import SITE
from omonat.site.house import handlers
from omonat.site.library import Edition, PolicyLibrary, Shelf, Standing
from omonat.site.routes import site_routes
from omonat.site.sealed import sealed_routes

__all__ = [
    "SITE",
    "Edition",
    "PolicyLibrary",
    "Shelf",
    "Standing",
    "consent_routes",
    "handlers",
    "sealed_routes",
    "site_routes",
    "visitor_routes",
]
