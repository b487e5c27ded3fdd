"""The regime: one measure of the market for everybody (RK-19), and how often may be traded in it (RK-12)."""
