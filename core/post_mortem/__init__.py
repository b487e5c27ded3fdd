"""What became of a trade and of a day, and why: read from the journal, nothing is decided by it (AN-03, AN-06)."""
