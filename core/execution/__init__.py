"""Orders after their confirmation: the state machine, the ledger, and the gateway that sends them."""
