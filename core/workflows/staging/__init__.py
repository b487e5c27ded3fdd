"""Proposals, tickets, confirmations and edits that wait for a person."""
