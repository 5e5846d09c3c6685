"""Retention: how long something is kept, what an erasure must leave, and when time itself may be believed. Keeps R1–R3.

Enforced: the read refuses what is due (`promises.use`); `rule` says item by item what goes and what stays, and in doubt
hides and destroys nothing; `clock` stops destruction while the time is in doubt. Evidenced: every removal, hold and
stage is an entry. Attested: who ordered a hold.

Kept by: `omonat.flows.sweep`, `omonat.flows.erase`, `omonat.flows.holds`, `omonat.flows.removing`.
"""
