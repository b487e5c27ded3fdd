"""The regime: one measure of the market for the whole desk (RK-19), and the entries a day that it allows (RK-12)."""
