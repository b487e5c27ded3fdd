"""A day played again with one thing changed, beside the same day unchanged (AN-06)."""
