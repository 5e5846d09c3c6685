"""Accuracy: what is wrong is put right, by the person themself where they alone know it (Q1, Q2; GDPR Art. 16).

Enforced: a new phone or e-mail counts only once its owner has typed a code that went there; what a duty, a dispute or a
hold keeps as it was is changed by nobody alone; an inaccurate value is destroyed like an erased one, keys and copies.
Evidenced: `correction:item:made` names the item and how it was proved, never a value.

Kept by: flow `correct` (asks, proves, writes), flow `erasing` (destroys the old value), flow `systems` (tells others).
"""
