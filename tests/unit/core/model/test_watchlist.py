"""What a watchlist may be."""

from __future__ import annotations

from core.model.instrument import MOST_LISTS, MOST_SYMBOLS, Watchlist, fault_of
from core.model.values import Symbol
from tests.kit.rows import table


def symbols(*texts: str) -> tuple[Symbol, ...]:
    return tuple(map(Symbol, texts))


def many(count: int) -> tuple[Symbol, ...]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return tuple(Symbol(f"{letters[n // 26 % 26]}{letters[n % 26]}{letters[n // 676]}") for n in range(count))


@table("name", "main", "tech-2", "a", "x" * 16)
def test_a_list_of_shares_is_kept(name: str) -> None:
    """MD-06"""
    assert fault_of(Watchlist(name, symbols("SPY", "BRK.B")), {}) is None


@table("name", "", "held", "Main", "two words", "2nd", "x" * 17, "a\x1b[2J")
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """MD-06"""
    assert fault_of(Watchlist(name, symbols("SPY")), {})


@table("symbol", "", "spy", "BTC/USD", "AAPL261120C00300000", "TOOLONG", "S\x1bY")
def test_what_is_no_share_is_refused(symbol: str) -> None:
    """MD-06"""
    assert fault_of(Watchlist("main", symbols("SPY", symbol)), {})


def test_a_symbol_twice_is_refused() -> None:
    """MD-06"""
    assert fault_of(Watchlist("main", symbols("SPY", "IBM", "SPY")), {})


def test_symbols_of_all_lists_count_once_each() -> None:
    """MD-06: a list that makes way for itself does not count twice."""
    others = {"first": many(MOST_SYMBOLS - 1), "main": symbols("SPY")}

    assert fault_of(Watchlist("main", symbols("SPY", *many(5))), others) is None
    assert fault_of(Watchlist("main", symbols("SPY", "QQQQ")), others)


def test_a_full_set_of_lists_can_shrink() -> None:
    """MD-06"""
    others = {f"list-{number}": symbols("SPY") for number in range(MOST_LISTS)}

    assert fault_of(Watchlist("another", symbols("SPY")), others)
    assert fault_of(Watchlist("list-3", symbols("IBM")), others) is None
    assert fault_of(Watchlist("list-3", ()), others) is None


def test_a_list_with_the_desks_own_name_can_be_removed() -> None:
    """MD-06: one that was kept before the name was the desk's own"""
    assert fault_of(Watchlist("held", ()), {"held": symbols("SPY")}) is None
