"""Anonymous demographics (L4): coarse bands counted at the edge, tied to nobody, released only above a threshold.

Enforced: what is asked (the linter refuses what singles out or is special), what is kept (counters of a week, one
question each, written in batches), what is released. Evidenced: that a batch was counted and a report was made.
"""
