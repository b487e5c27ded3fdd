"""Paths of the recorded market data and of the broker's API descriptions (README.md beside this file)."""

from pathlib import Path

MARKET = Path(__file__).with_name("market")
ALPACA = Path(__file__).with_name("alpaca")


def minutes_of(symbol: str) -> Path:
    """One-minute bars of four days of October 2013."""
    return MARKET / f"{symbol}_1min_2013-10-07_to_2013-10-10.csv"


def days_of(symbol: str) -> Path:
    """Daily bars from 2008 on."""
    return MARKET / f"{symbol}_daily_2008_on.csv"
