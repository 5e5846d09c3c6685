"""Location: permission for a place, with an end and a precision of its own. Keeps L5, L6.

Enforced: without a live grant no location is taken in, and none is read; a grant ends by itself, at its second, by the
rule alone; what is finer than the grant is made coarse before it is sealed. Evidenced: each grant and each end is a
choice with its entry, each collection names the precision. Attested: nothing.

Kept by: `omonat.flows.choose` (grants), `omonat.flows.collect`, `omonat.flows.use`, `omonat.center.choices`.
"""
