"""The proof of a record: each day's journal is signed, and parts of it can be disclosed verifiably (SP-08)."""
