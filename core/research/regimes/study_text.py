"""A regime study as lines of at most 80 columns and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from core.analytics.presentation import FEWEST_TRADES
from core.model.signal import FAILED_WORDS
from core.research.regimes.models import TREND_DAYS, VOLATILITY_DAYS, Feature
from core.research.regimes.study import DESK_LABELS, Labelling, RegimeStudy, StateFigures, TradeFigures

WIDTH = 80
NAMES = {
    Feature.VOLATILITY: f"volatility of {VOLATILITY_DAYS} days",
    Feature.TREND: f"distance from the mean of {TREND_DAYS} days",
    Feature.VIX: "VIX",
}
NONE = "–"
FEW = "*"
"""Behind a count of trades under `FEWEST_TRADES`."""


def lines_of(study: RegimeStudy) -> Iterator[str]:
    index = study.features.index
    yield f"Regimes of {study.market}: {len(index):,} days, {index[0]} to {index[-1]}"
    yield from wrap(f"By {', '.join(NAMES[Feature(name)] for name in study.features)}.", WIDTH)
    for each in study.labellings:
        yield ""
        yield from _table(each, has_trades=study.trades > 0)
        if not study.desk.empty:
            yield ""
            yield from _agreement(each)
    yield ""
    yield f"Adjusted Rand index of the two methods: {study.rand:.2f}"
    yield from _notes(study)


def _table(found: Labelling, *, has_trades: bool) -> Iterator[str]:
    trade_heads = f"{'trades':>8}{'won':>6}{'mean':>7}" if has_trades else ""
    yield f"{found.method:<19}{'days':>6}{'share':>7}{'return':>9}{'volatility':>12}{'run':>5}{trade_heads}"
    whole = sum(state.days for state in found.states)
    for state in found.states:
        yield (
            f"  {_name(state, found):<17}{state.days:>6,}{state.days / whole:>7.0%}{state.mean_return:>9.1%}"
            f"{state.volatility:>12.1%}{state.median_run:>5.0f}{_trades(state.trades) if has_trades else ''}"
        )


def _trades(found: TradeFigures) -> str:
    count = f"{found.count:,}{FEW if found.is_few else ''}"
    won = NONE if found.won is None else f"{found.won:.0%}"
    mean = NONE if found.mean is None else f"{found.mean:.2%}"
    return f"{count:>8}{won:>6}{mean:>7}"


def _name(state: StateFigures, found: Labelling) -> str:
    if state.number == 1:
        return "1 calmest"
    return f"{state.number} wildest" if state.number == len(found.states) else str(state.number)


def _agreement(found: Labelling) -> Iterator[str]:
    """Yield the share of each state's days with each label of the desk."""
    values = [(label, value) for label, each in DESK_LABELS.items() if label in found.rand for value in each]
    yield f"{'days by label':<14}" + "".join(f"{value:>{_wide(value)}}" for _, value in values)
    for state in found.states:
        cells = "".join(f"{state.agreement[label][value]:>{_wide(value)}.0%}" for label, value in values)
        yield f"  {_name(state, found):<12}{cells}"
    named = ", ".join(f"{label} {figure:.2f}" for label, figure in found.rand.items())
    yield f"  adjusted Rand index: {named}"


def _wide(value: str) -> int:
    return max(len(value) + 1, 5)


def _notes(study: RegimeStudy) -> Iterator[str]:
    notes = [
        "Return and volatility a year, run: median of sessions in a row.",
        "Each model is fitted on all of these days: a state describes a day, and was not known on it.",
    ]
    if study.trades:
        notes.append("A trade counts for the state of the last session before the day of its entry.")
    if study.trades and any(state.trades.is_few for each in study.labellings for state in each.states):
        notes.append(f"{FEW} under {FEWEST_TRADES} trades: too few to tell a state from chance.")
    if study.left_out:
        notes.append(f"{study.left_out} of {study.trades} trades have no state in the week before their entry.")
    if study.failed:
        notes.append(f"{study.failed} {FAILED_WORDS}: no trading results, left out.")
    for note in notes:
        yield from wrap(note, WIDTH)


def as_json(study: RegimeStudy) -> dict[str, object]:
    """Return every figure; returns and volatilities a year as shares, a row of `labels` for each day."""
    found = {each.method: each.labels for each in study.labellings}
    return {
        "market": study.market,
        "first": study.features.index[0],
        "last": study.features.index[-1],
        "features": list(study.features),
        "seed": study.seed,
        "states": [_state(each.method, state) for each in study.labellings for state in each.states],
        "adjusted_rand": [
            *(
                {"method": each.method, "with": label, "index": round(figure, 6)}
                for each in study.labellings
                for label, figure in each.rand.items()
            ),
            {"method": study.labellings[0].method, "with": study.labellings[1].method, "index": round(study.rand, 6)},
        ],
        "trades": study.trades,
        "trades_left_out": study.left_out,
        "trades_failed": study.failed,
        "labels": [
            {
                "day": day,
                **{method: int(labels.loc[day]) for method, labels in found.items()},
                **{str(name): value if isinstance(value, str) else None for name, value in study.desk.loc[day].items()},
            }
            for day in study.features.index
        ],
    }


def _state(method: str, state: StateFigures) -> dict[str, object]:
    trades = state.trades
    return {
        "method": method,
        "state": state.number,
        "days": state.days,
        "return": round(state.mean_return, 6),
        "volatility": round(state.volatility, 6),
        "median_run": state.median_run,
        "trades": trades.count,
        "won": None if trades.won is None else round(trades.won, 6),
        "mean": None if trades.mean is None else round(trades.mean, 6),
        "is_few": trades.is_few,
        **{
            f"{label}_{value}": round(part, 6)
            for label, each in state.agreement.items()
            for value, part in each.items()
        },
    }
