"""Orders at Alpaca through alpaca-py: its requests and its stream of order updates. No market data here (MD-01)."""
