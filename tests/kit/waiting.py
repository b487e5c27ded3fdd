"""How long a test waits for what should come.

Only a failure takes as long: no test measures time by it, and a machine that is busy fails none.
"""

PATIENCE = 60.0
"""Seconds after which something that should have come is missing."""
