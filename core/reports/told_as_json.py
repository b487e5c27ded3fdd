"""A report as JSON: amounts as text, in USD and to the cent; times in UTC. It is complete (AN-06)."""

from __future__ import annotations

from dataclasses import asdict

from core.analytics.equity_change import Part
from core.model.order_terms import order_in_words
from core.model.sizing import UNKNOWN
from core.model.values import Money, plain
from core.post_mortem.trade_text import cents
from core.reports.curve import Fall
from core.reports.figures import Figures, biggest_of, by_cause, by_strategy, not_taken, result_of
from core.reports.report import Report, TradeTold
from core.reports.standing import Held, StillStands
from core.risk.regime import in_words as regime_in_words


def as_json(report: Report) -> dict[str, object]:
    """Return the report: `whole` and `days` have the sums, `trades`, `strategies` and `causes` their origin."""
    trades = [each.told for each in report.trades]
    return {
        "is_week": report.is_week,
        "whole": _figures(report.whole),
        "explained": _cents(report.explained),
        "rest": _cents(report.rest),
        "days": [_figures(day) for day in report.days],
        "week_before": None if report.week_before is None else _figures(report.week_before),
        "trades": [_trade(each) for each in report.trades],
        "strategies": [
            {"strategy": each.strategy, "trades": each.trades, "won": each.won, "result": cents(each.result)}
            for each in by_strategy(trades)
        ],
        "causes": [_part(part) for part in by_cause(trades)],
        "parts": [_part(part) for part in report.parts],
        "not_taken": [
            {
                "strategy": each.strategy,
                "entries": each.many,
                "ends": dict(each.ends),
                "would_have_made": _cents(each.would_have_made),
            }
            for each in not_taken(report.found.let_go)
        ],
        "controls": [
            {
                "control": each.name,
                "did": each.kind.value,
                "times": each.many,
                "last": each.record.at,
                "words": each.words,
            }
            for each in report.controls.acted
        ],
        "near_misses": [
            {
                "control": each.name,
                "times": each.many,
                "of_limit": None if each.most is None else f"{each.most:.4f}",
                "at": each.record.at,
                "words": each.words,
            }
            for each in report.controls.near
        ],
        "unprotected": [
            {
                "why": each.why.value,
                "times": each.times,
                "seconds": round(each.spent.total_seconds(), 3),
                "longest_seconds": round(each.longest.total_seconds(), 3),
                "open": each.open,
                "last_at": each.last_at,
            }
            for each in report.unprotected
        ],
        "quality": {
            "minutes": report.quality.bars,
            "symbols": report.quality.symbols,
            "starts": list(report.quality.starts),
            "ends": list(report.quality.ends),
            "comparisons": report.quality.comparisons,
            "troubles": [
                {
                    "what": each.name,
                    "times": each.many,
                    "seconds": None if each.span is None else round(each.span.total_seconds(), 3),
                    "at": each.at,
                    "words": each.words,
                }
                for each in report.quality.troubles
            ],
        },
        "by_the_broker": None
        if report.by_the_broker is None
        else {
            "at": report.by_the_broker.at,
            "equity": cents(report.by_the_broker.equity),
            "cash": cents(report.by_the_broker.cash),
        },
        "standing": _standing(report.standing),
        "fall": None if report.fall is None else _fall(report.fall),
        "quarter": None if report.quarter is None else asdict(report.quarter),
    }


def _cents(amount: Money | None) -> str | None:
    return None if amount is None else cents(amount)


def _part(part: Part) -> dict[str, str]:
    return {"name": part.name, "amount": cents(part.amount)}


def _figures(figures: Figures) -> dict[str, object]:
    return {
        "first": figures.first.isoformat(),
        "last": figures.last.isoformat(),
        "trades": figures.trades,
        "won": figures.won,
        "result": cents(figures.result),
        "realised": _cents(figures.realised),
        "fees": cents(figures.fees),
        "opening": _cents(figures.opening),
        "closing": _cents(figures.closing),
        "equity_change": _cents(figures.change),
    }


def _trade(each: TradeTold) -> dict[str, object]:
    trade, part = each.told.story.trade, biggest_of(each.told)
    return {
        "symbol": trade.symbol,
        "strategy": trade.strategy,
        "side": "long" if each.told.story.is_long else "short",
        "quantity": plain(trade.quantity),
        "entry_price": plain(trade.entry_price),
        "exit_price": plain(trade.exit_price),
        "entered": each.entered,
        "left": trade.exit_reason.value,
        "left_at": trade.exit_time,
        "result": cents(result_of(each.told)),
        "biggest": None if part is None else _part(part),
        "exit_order": trade.exit_order,
        "record": each.told.story.record,
    }


def _standing(found: StillStands) -> dict[str, object]:
    return {
        "positions": [_held(each) for each in found.held],
        "orders": [order_in_words(order) for order in found.orders],
        "exits_waiting": [order_in_words(each.order) for each in found.exits],
        "entries_waiting": [order_in_words(each.order) for each in found.entries],
        "in_doubt": [order_in_words(order) for order in found.doubts],
        "shut": list(found.shut),
        "regime": None if found.regime == UNKNOWN else regime_in_words(found.regime),
    }


def _fall(fall: Fall) -> dict[str, object]:
    return {"amount": cents(fall.amount), "fraction": float(fall.fraction), "from": fall.begins, "to": fall.ends}


def _held(each: Held) -> dict[str, object]:
    return {
        "symbol": each.symbol,
        "strategy": each.strategy,
        "quantity": plain(each.standing.quantity),
        "average_price": None if each.standing.average is None else plain(each.standing.average),
        "last": None if each.last is None else plain(each.last),
        "stop": None if each.stop is None else plain(each.stop),
        "stop_held_by": each.holder.value,
        "covered": plain(each.covered),
    }
