"""Security: safeguards with owner, proof and date; the hosts and rooms that hold personal data. Keeps S3, S5, S6.

Enforced: nothing. Evidenced: reviews of safeguards, hosts and rooms, and restore drills, each with its entry; what is
overdue, broken, or holds personal data outside the register. Attested: what a review says, by the safeguard's owner.

Kept by: `omonat.flows.safeguards` and `omonat.flows.places`; the work itself by `omonat.backup`.
"""
