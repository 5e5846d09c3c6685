"""The alphabet every room writes with: identifiers, instants, verdicts, codes, errors, canonical bytes.

Nothing here knows a database, a network or a clock. Everything above may import it; it imports nothing of Omonat.
"""
