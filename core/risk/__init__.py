"""Limits on entries and their size. Checks and protections refuse entries; for exits they only warn (RK-22)."""
