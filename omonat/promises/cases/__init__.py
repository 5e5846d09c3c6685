"""Cases: the order, ticket, call or request that ties an actor to a person. Keeps S4 and R1's anchors.

Enforced: a case is opened, bound, assigned and closed only by a source system its service names; it is bound to one
person for ever, and a closed case ties nobody any more. Evidenced: each of these acts. Attested: that the source
system tells the truth about its own orders.

Kept by: `omonat.flows.cases`, `omonat.flows.collect` (an order opens its case), `omonat.promises.use` (step 3).
"""
