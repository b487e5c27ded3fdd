"""`keyturn journal`: what is recorded, read, proved, explained and shown to others."""
