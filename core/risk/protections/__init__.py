"""Protections: each watches closed trades or bars as they come, and shuts entries of its scope for a stated time."""
