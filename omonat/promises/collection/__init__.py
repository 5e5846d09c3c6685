"""Collection: only what a declared purpose of the service needs is taken in. Keeps L1, L2, L3, D1, D2, K1, T2, P4.

Enforced: `rule.decide_collection` refuses an undeclared, unneeded, withheld-but-required or foreign item, data of a
child under the threshold, and a source the service doesn't name. Evidenced: acceptance and refusal are entries; a
refused value is kept nowhere. Attested: nothing.

Kept by: `omonat.flows.collect`, `omonat.policy.kinds` (types), the doors' just-in-time notices (made from `form`).
"""
