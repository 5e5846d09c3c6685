"""Security: safeguards with an owner, a proof and a date. Keeps S6; S3 grows here.

Enforced: nothing. Evidenced: restore drills, each with its entry and its report. Attested: nothing yet.

Kept by: `omonat.flows.safeguards`; the work itself by `omonat.backup`.
"""
