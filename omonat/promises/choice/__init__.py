"""Choice: consents, objections and restrictions, and what they leave standing. Keeps C1, C2, C4, P2, P4.

Enforced: `rule` refuses a choice the policy doesn't offer; the projection it makes is what every use is decided on.
Evidenced: each choice is an entry and a row that is never changed. Attested: nothing.

Kept by: `omonat.flows.choose`, `omonat.flows.collect` (consents given with a form), `omonat.promises.use`.
"""
