"""A position has one value at a day's close, in every command, and each day is explained to the cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.data import days_of as recorded_days
from tests.data import minutes_of as recorded_minutes
from tests.scenarios.backtests import Keyturn, keyturn_at
from tests.scenarios.figures_oracle import cents, closes_of, fills_of, worth_at_closes

NIGHTS = '''
from dataclasses import dataclass

from core.strategies.kit import NO_SETUP, Answer, Bar, Context, ExitReason, OwnStrategy


@dataclass(frozen=True, slots=True)
class NightsSettings:
    pass


@dataclass(slots=True)
class NightsState:
    pass


class Nights(OwnStrategy):
    """Buys late in a session and sells on the next one."""

    name = "nights"
    Settings = NightsSettings
    State = NightsState

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        clock = f"{bar.start:%H:%M}"
        if context.entry_price is not None and clock < "19:00":
            return self.sell(bar, context, ExitReason.TAKE_PROFIT, "it is the next day")
        if refusal := self.refusal(bar, context):
            return refusal
        if clock < LATE:
            return NO_SETUP
        return self.buy(bar, context, stop=bar.close * 90 / 100, reason="it is late")
'''
OVER_NIGHT = (
    "--profile", "swing", "--strategy", "nights", "--set", "strategies.nights.holds_overnight=true",
    "--set", "strategies.nights.flat_minutes=0", "--set", "risk.window_end='15:59'",
)  # fmt: skip
NO_FRICTIONS = tuple(
    word
    for name in ("slippage", "slippage_by_size", "partial_fills", "rejections", "halts", "margin_interest")
    for word in ("--set", f"exchange.{name}=0")
)
FEES = ("--set", "exchange.fee_per_share=0.0035")
"""In fractions of a cent, so that rounding differences show."""
Played = tuple[Keyturn, Path, tuple[object, ...]]
"""The program, a journal's folder, and the words that played it."""


def played_over_nights(folder: Path, bars: Path, late: str = "19:30") -> Played:
    keyturn, own = keyturn_at(folder / "home"), folder / "home" / "strategies"
    own.mkdir(parents=True)
    (own / "nights.py").write_text(NIGHTS.replace("LATE", repr(late)))
    words = (bars, *OVER_NIGHT)
    done = keyturn("replay", *words, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder / "j")
    assert done.code == 0, done.err
    return keyturn, folder / "j", words


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Four recorded days with their extended hours, thinned; something is held over every night."""
    folder = tmp_path_factory.mktemp("recorded nights")
    header, *lines = recorded_minutes("SPY").read_text().splitlines()
    kept = [line for line in lines if not "14:05" < line[11:16] < "19:25"]
    (folder / "SPY_thinned.csv").write_text("\n".join([header, *kept]) + "\n")
    return played_over_nights(folder, folder / "SPY_thinned.csv")


Days = tuple[Keyturn, Path, Path]
"""The program, a journal's folder, and the bars."""


def played_days(folder: Path, first: str, last: str) -> Days:
    """Recorded days in which each position is held over a night or more."""
    header, *lines = recorded_days("IBM").read_text().splitlines()
    bars = folder / "IBM_days.csv"
    bars.write_text("\n".join([header, *(line for line in lines if first <= line < last)]) + "\n")
    keyturn = keyturn_at(folder / "home")
    words = (bars, "--symbol", "IBM", "--profile", "swing", "--strategy", "mean_reversion", *FEES)
    done = keyturn("replay", *words, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder / "j")
    assert done.code == 0, done.err
    return keyturn, folder / "j", bars


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Four recorded months; `tests/soak/test_day_figures.py` has the year."""
    return played_days(tmp_path_factory.mktemp("months of days"), "2008-07", "2008-11")


def explained(keyturn: Keyturn, journal: Path, days: str) -> list[dict[str, Any]]:
    found = keyturn("explain", days, "--journal-dir", journal, "--json").json["days"]
    assert isinstance(found, list)
    return found


def test_five_commands_value_a_night_alike(recorded: Played) -> None:
    """AN-01, RK-03: backtest, measures, explain, report and whatif have the closes that pandas finds."""
    keyturn, journal, words = recorded
    worth = worth_at_closes(fills_of(journal), {"SPY": closes_of(Path(str(words[0])))})
    known = {day: cents(amount) for day, amount in list(worth.items())[:-1]}
    tested = keyturn("backtest", *words, *NO_FRICTIONS, "--json").json
    measured = keyturn("measures", "--journal-dir", journal, "--json").json["days"]
    week = keyturn("report", "--week", "2013-10-08", "--journal-dir", journal, "--json").json
    change = ("--change", "off=nights")
    again = keyturn("whatif", "2013-10-08", "--journal-dir", journal, "--json", *change).json["changes"]

    assert len(fills_of(journal)) == 7
    assert [f"{row['equity']:.2f}" for row in tested["equity"][1:]] == [cents(amount) for amount in worth]
    assert {row["day"]: cents(Decimal(row["equity"])) for row in measured[1:]} == known
    assert {row["day"]: row["closing"] for row in explained(keyturn, journal, "2013-10-07..2013-10-09")} == known
    assert {row["last"]: row["closing"] for row in week["days"] if row["closing"]} == known
    made = Decimal(known["2013-10-08"]) - Decimal(known["2013-10-07"])
    assert Decimal(again[0]["equity_change"]["was"]) == made
    assert week["standing"]["positions"][0]["last"] == str(closes_of(Path(str(words[0]))).iloc[-1])


def test_each_night_is_explained_to_the_cent(recorded: Played) -> None:
    """AN-06: nothing is left in the remainder of a day that holds something over the night."""
    keyturn, journal, _ = recorded

    days = explained(keyturn, journal, "2013-10-07..2013-10-10")

    assert [day["rest"] for day in days] == ["0.00", "0.00", "0.00", None]
    assert [day["is_provisional"] for day in days] == [False, False, False, True]
    assert all(day["parts"] for day in days)


def test_daily_bars_count_on_their_own_day(months: Days) -> None:
    """AN-06: the engine receives a daily bar on the next day; its profit counts on its own day."""
    assert len(days_that_moved(months, "2008-07-02..2008-10-30")) > 5


def days_that_moved(played: Days, days: str) -> list[str]:
    """The days on which equity changed; each day's worth is that of pandas, and nothing is left unexplained."""
    keyturn, journal, bars = played
    worth = worth_at_closes(fills_of(journal), {"IBM": closes_of(bars)})
    found = explained(keyturn, journal, days)

    known = {day["day"]: day["closing"] for day in found}
    assert known == {day: cents(amount) for day, amount in worth.items() if day in known}
    assert {day["rest"] for day in found} == {"0.00"}
    assert len(found) > 80
    return [day["day"] for day in found if Decimal(day["equity_change"])]


def test_a_result_is_within_its_best_and_worst(months: Days) -> None:
    """AN-06: the exit counts."""
    keyturn, journal, _ = months

    trades = keyturn("explain", "2008-07-02..2008-10-30", "--journal-dir", journal, "--json").json["trades"]

    held = [trade for trade in trades if trade["best"] is not None]
    assert len(held) > 2
    for trade in held:
        assert Decimal(trade["worst"]) <= Decimal(trade["profit"]) <= Decimal(trade["best"])
