"""The simulated exchange: one matching engine with Alpaca's rules, and its own book. Time is always an argument."""
