"""Access to the machine: its clock, requests with a time limit, and redaction of keys. Only adapters use it."""
