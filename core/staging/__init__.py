"""What waits for a person: proposals, the tickets that show them, and the approvals that a confirmation mints."""
