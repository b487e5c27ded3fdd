"""Agents: their drafts, the checks of the facts in them, and the limits of each agent (OP-09, OP-14)."""
