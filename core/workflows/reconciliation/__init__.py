"""Reconciliation of our books with the broker's."""
