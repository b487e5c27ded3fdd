"""Orders after the key: their state machine, the books, and the gateway that lets them out."""
