"""Broker adapters. Each speaks to one broker; it knows no market data, no strategies and no staging."""
