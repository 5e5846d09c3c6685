"""The ground: one PostgreSQL, one pool, named statements, forward-only migrations, and the embedded server.

Everything durable that may be lost with a backup lives here; keys never do (design: Keys in slots).
"""
