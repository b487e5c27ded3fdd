"""What waits for a person: proposals, tickets, confirmations, edits."""
