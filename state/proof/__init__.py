"""The proof of a record: each day's journal is signed, and parts of it can be shown to a stranger (SP-08)."""
