"""Use: personal data is used for a declared purpose and for nothing else. Keeps U1–U11, C1, C4, P2, S4.

Enforced: `rule.decide` refuses whatever the exact rule of the design does not grant. Evidenced: every decision that
released or refused something becomes an entry. Attested: nothing ends here on a person's word.

Kept by: `omonat.flows.use` (reads the facts, decides, opens, records), `omonat.policy` (what is granted at all).
"""
