"""The day and the market: bars and quotes, the open, the clock, overnight positions."""
