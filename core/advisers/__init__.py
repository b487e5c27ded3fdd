"""Advisers: what they are, what they are shown, and what keeps them from trading (OP-09)."""
