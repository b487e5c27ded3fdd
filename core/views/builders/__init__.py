"""Builders of the views, one subject per module: each reads slices and returns immutable values."""
