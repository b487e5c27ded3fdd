"""Baskets: many orders under one confirmation; drafted, dry-run, signed, executed in order."""
