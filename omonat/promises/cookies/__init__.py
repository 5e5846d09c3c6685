"""Cookies: what the site may put into a browser, and what it found there. Keeps L7, T1, C2, U9.

Enforced: nothing of a category runs before the browser's own choice allows it (`omonat/site/static/consent.js`), and a
choice that can't be read allows nothing. Evidenced: what the policy doesn't register is an entry and a work item, by
name and host alone; choices are counted without anybody's name. Attested: nothing.

Kept by: `omonat.flows.cookies`, `omonat.site.consent`, `omonat.center.cookies`.
"""
