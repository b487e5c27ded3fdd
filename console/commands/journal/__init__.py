"""`keyturn journal`: read, verify, explain and disclose the journal."""
