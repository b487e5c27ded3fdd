"""Render market data, signals and the guards of entries as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core import facts
from core.event_text.lines import EventTexts, told
from core.model import alert
from core.model.session import HOME
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import percent, plain, priced
from core.risk import regime
from core.risk.gate import usd
from core.risk.protections.frequency import GOES_ON, RepeatedExecution
from core.strategies.memory import fault_in_words

DataFact = facts.HistoryLoaded | facts.PastDaysLoaded | facts.SpreadMeasured | facts.MarketDataQuarantined
AlertFact = facts.AlertKept | facts.AlertRefused | facts.AlertDropped | facts.AlertRang
WatchFact = facts.WatchlistKept | facts.WatchlistRefused
TradingFact = facts.TradingHalted | facts.TradingResumed
PauseFact = facts.StrategyPaused | facts.StrategyResumed
SaidFact = facts.SignalRaised | facts.SignalsOpposed | facts.ReasonsCounted
HealthFact = facts.StrategyFailed | facts.StrategyMissing | facts.StrategyFound | facts.StrategyForgot


def _bar(fact: facts.BarClosed) -> str:
    bar = fact.bar
    return f"{bar.symbol} {HOME.told(bar.start)} closed at {priced(bar.close)}, {plain(bar.volume)} shares"


def _data(fact: DataFact) -> str:
    match fact:
        case facts.MarketDataQuarantined():
            return f"market data set aside, {fact.place}: {fact.reason}"
        case facts.HistoryLoaded():
            return f"{fact.symbol}: {len(fact.bars)} bars of history taken in; nothing is proposed on them"
        case facts.SpreadMeasured():
            return f"{fact.symbol}: the usual spread is {percent(fact.spread, 3)} of the middle"
        case facts.PastDaysLoaded():
            closes = sum(day.close is not None for day in fact.past.days)
            moves = sum(day.deviation is not None for day in fact.past.days)
            days = "1 earlier daily close" if closes == 1 else f"{closes} earlier daily closes"
            volatility = f", and the volatility of {moves} days" if moves else ""
            return f"{fact.past.symbol}: {days} taken in{volatility}"


def _watch(fact: WatchFact) -> str:
    if isinstance(fact, facts.WatchlistRefused):
        return f"the watchlist {fact.name} stays as it was: {fact.reason}"
    return f"watchlist {fact.name}: {', '.join(fact.symbols)}" if fact.symbols else f"watchlist {fact.name} is removed"


def _alert(fact: AlertFact) -> str:
    if isinstance(fact, facts.AlertRefused):
        return f"no alert on {fact.terms.symbol}, {alert.in_words(fact.terms)}: {fact.reason}"
    symbol, words = fact.alert.terms.symbol, alert.in_words(fact.alert.terms)
    match fact:
        case facts.AlertKept():
            return f"{symbol}: alert when {words}"
        case facts.AlertDropped():
            return f"{symbol}: alert removed: {words}{f': {fact.reason}' if fact.reason else ''}"
        case facts.AlertRang():  # what is behind a headline would seem to be of it
            return f"{symbol} {fact.seen}{'' if fact.articles else f' ({words})'}"


def _trading(fact: TradingFact) -> str:
    if isinstance(fact, facts.TradingHalted):
        return f"{fact.halt.symbol} is HALTED by its exchange: {fact.halt.reason}; nothing is opened in it"
    return f"{fact.symbol} trades again: {fact.reason}"


def _refused(fact: facts.SymbolRefused) -> str:
    return f"{fact.symbol} is refused for {fact.day}: {fact.reason}; nothing opens in it"


def _pause(fact: PauseFact) -> str:
    if isinstance(fact, facts.StrategyResumed):
        return f"{fact.strategy} on {fact.symbol} goes on"
    words = f"{fact.strategy} on {fact.symbol} is paused: no entries, its exits go on"
    return f"{words}; {fact.reason}" if fact.reason else words


def _said(fact: SaidFact) -> str:
    match fact:
        case facts.SignalRaised():
            return _signal(fact.signal)
        case facts.ReasonsCounted():
            return "session ended: " + "; ".join(_counts(key, fact.reasons[key]) for key in sorted(fact.reasons))
        case facts.SignalsOpposed():
            sides = f"{', '.join(fact.buyers)} would buy and {', '.join(fact.sellers)} would sell"
            exits = f"the exit of {', '.join(fact.leaving)} is staged, nothing else is"
            return f"{fact.symbol}: {sides} on the same bar; {exits if fact.leaving else 'neither is staged'}"


def _signal(signal: EntrySignal | ExitSignal) -> str:
    words = f"{signal.strategy} on {signal.symbol}, bar of {HOME.told(signal.bar_start)}"
    if isinstance(signal, ExitSignal):
        return f"{words}: sell {plain(signal.quantity)} at the market, {signal.reason}"
    entry = f"buy {plain(signal.quantity)} at {priced(signal.limit_price)}, stop {priced(signal.stop_price)}"
    return f"{words}: {entry}, {signal.reason}"


def _counts(key: str, reasons: Mapping[str, int]) -> str:
    strategy, _, symbol = key.partition("/")
    counts = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    return f"{strategy} on {symbol} " + ", ".join(f"{reason} {bars}" for reason, bars in counts)


def _health(fact: HealthFact) -> str:
    match fact:
        case facts.StrategyFailed():
            skipped = "; it is skipped for this bar" if fact.reason else ""
            return f"{fact.strategy} on {fact.symbol} {fault_in_words(fact)}{skipped}"
        case facts.StrategyMissing():
            return f"{fact.strategy} does not run: {fact.reason}"
        case facts.StrategyFound():
            return f"{fact.strategy}: it loads again, or nothing asks for it any more"
        case facts.StrategyForgot():
            return f"{fact.strategy} on {fact.symbol} starts without memory, what was saved does not fit: {fact.reason}"


MARKET: EventTexts = {
    **told("bar", _bar, facts.BarClosed),
    **told("data", _data, DataFact),
    **told("market", _trading, TradingFact),
    **told("watch", _watch, WatchFact),
    **told("alert", _alert, AlertFact),
    **told("symbol", _refused, facts.SymbolRefused),
    **told("strategy", _pause, PauseFact),
    **told("strategy", _said, SaidFact),
    **told("strategy", _health, HealthFact),
}


CallFact = facts.CallFailed | facts.CallAnswered
BreakerFact = facts.BreakerOpened | facts.BreakerClosed
ProtectionFact = facts.ProtectionTripped | facts.ProtectionExpired | facts.ProtectionOverridden | facts.OverrideEnded
ListFact = facts.SymbolListed | facts.SymbolUnlisted
ThrottleFact = facts.RiskThrottled | facts.RiskRestored
BlockFact = facts.AccountBlocked | facts.AccountUnblocked
MarginFact = facts.MarginSampled | facts.MarginWarned | facts.MarginDeficitSeen


def _call(fact: CallFact) -> str:
    if isinstance(fact, facts.CallFailed):
        return f"no answer to {fact.call}: {fact.reason}"
    late = f" after {fact.took} s" if fact.is_slow else ""
    return f"the broker answered {fact.call}{late}"


def _breaker(fact: BreakerFact) -> str:
    if isinstance(fact, facts.BreakerClosed):
        return f"breaker OK: {fact.reason}"
    ends = "until you clear it" if fact.until is None else f"until {HOME.told(fact.until, '%H:%M:%S')}"
    return f"BREAKER open {ends}, no entries: {fact.reason}"


def _protection(fact: ProtectionFact) -> str:
    match fact:
        case facts.ProtectionTripped():
            if fact.until is not None:
                until = _minute(fact.until)
            else:
                until = GOES_ON if fact.name == RepeatedExecution.name else "it recovers"
            return f"PROTECTION {_guard(fact)} TRIPPED, shut until {until}: {fact.reason}"
        case facts.ProtectionExpired():
            return f"protection {_guard(fact)} ended: entries pass it again"
        case facts.ProtectionOverridden() if fact.begins == fact.until:
            return f"protection {_guard(fact)} overridden: it goes on, and the count restarts"
        case facts.ProtectionOverridden():
            again = "" if fact.again_at is None else f", or until {usd(fact.again_at)} are lost"
            return f"protection {_guard(fact)} overridden from {_minute(fact.begins)} to {_minute(fact.until)}{again}"
        case facts.OverrideEnded():
            return f"protection {_guard(fact)} is no longer overridden: {fact.reason}"


def _list(fact: ListFact) -> str:
    if isinstance(fact, facts.SymbolUnlisted):
        return f"{fact.symbol} is no longer on {fact.kind.value}"
    until = "" if fact.until is None else f" until {fact.until}"
    return f"{fact.symbol} is on {fact.kind.value}{until}, no entries: {fact.reason}"


def _guard(fact: ProtectionFact) -> str:
    """Return `cooldown SPY`, `max drawdown`."""
    scope = "" if fact.scope == "global" else f" {fact.scope}"
    return fact.name.replace("_", " ") + scope


def _minute(at: datetime) -> str:
    """Return the time without its year."""
    return HOME.told(at, "%m-%d %H:%M")


def _regime(fact: facts.RegimeMeasured) -> str:
    return f"regime: {regime.in_words(fact.regime)}"


def _vix(fact: facts.VixMeasured) -> str:
    return f"VIX {fact.value:.2f} at {HOME.told(fact.measured_at)}"


def _throttle(fact: ThrottleFact) -> str:
    if isinstance(fact, facts.RiskRestored):
        return f"the throttle ends, a trade risks as much as before: {fact.reason}"
    return f"THROTTLE: a trade risks {plain(fact.factor)} of what it did: {fact.reason}"


def _margin(fact: MarginFact) -> str:
    if isinstance(fact, facts.MarginSampled):
        return f"margin: maintenance {usd(fact.maintenance_margin)} of {usd(fact.equity)} equity"
    if isinstance(fact, facts.MarginDeficitSeen):
        return f"MARGIN DEFICIT of {usd(fact.deficit)} on {fact.day:%d %b}: meet the broker's call, or close some"
    if fact.limit is None:
        return f"margin: excess liquidity {percent(fact.distance, 1)}, over every distance that warns"
    if fact.distance < 0:
        short = f", {usd(fact.deficit)}" if fact.deficit else ""
        return (
            f"MARGIN {percent(-fact.distance, 1)}{short} UNDER maintenance: the broker may close positions; "
            "close some first"
        )
    over, limit = percent(fact.distance, 1), percent(fact.limit, 1)
    return f"MARGIN: excess liquidity {over}, under {limit}: close some, or add equity"


def _block(fact: BlockFact) -> str:
    if isinstance(fact, facts.AccountUnblocked):
        return "the broker accepts orders of the account again"
    return f"the broker accepts NO ORDERS of the account: {fact.reason}"


GUARDS: EventTexts = {
    **told("broker", _call, CallFact),
    **told("broker", _breaker, BreakerFact),
    **told("guard", _protection, ProtectionFact),
    **told("guard", _list, ListFact),
    **told("regime", _regime, facts.RegimeMeasured),
    **told("regime", _vix, facts.VixMeasured),
    **told("guard", _throttle, ThrottleFact),
    **told("margin", _margin, MarginFact),
    **told("broker", _block, BlockFact),
}
