"""Proposals that wait for the operator, their tickets, and the approvals that a confirmation issues."""
