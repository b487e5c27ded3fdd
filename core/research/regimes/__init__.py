"""Regimes discovered in recorded days, offline only (AN-07)."""
