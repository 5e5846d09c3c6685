"""Security: safeguards with owner, proof and date; the hosts and rooms that hold personal data; what may leave on
paper. Keeps S2, S3, S5, S6.

Enforced: on paper goes what is encrypted to its recipient. Evidenced: reviews of safeguards, hosts and rooms, and
restore drills, each with its entry; what is overdue, broken, or holds personal data outside the register. Attested:
what a review says, by the safeguard's owner.

Kept by: `omonat.flows.safeguards`, `omonat.flows.places`, `omonat.flows.on_paper`; the work itself by `omonat.backup`.
"""
