"""New York stands in one place: what is a market's own is asked of a venue, and a second one is a value (RK-20)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "console", "widgets", "state")
VENUES = "core/model/venues.py"
NEW_YORK = re.compile(r"new[ _]?york|\bNY\b", re.IGNORECASE)

NAMES_IT_ALL_THE_SAME: Mapping[str, str] = {}
"""By file: why."""

READS_ZONES: Mapping[str, str] = {
    "core/model/venue.py": "the type of a venue's zone",
    "core/runtime/strategy_host/child.py": "loads the venues' zones before a strategy's process gives up its files",
}
"""Beside the venues themselves, by file: why."""

SHOWN = "words for a person, by the clock of the screen"
BOUNDS = "settings: their words, and bounds that are a session's minutes"
ALPACA = "Alpaca's markets are those of the United States"
US_FIGURES = "the VIX and SPY's days are measured by their own exchange's day"
SEGMENTS = "days as a journal's segments have them"
GIVEN = "given a venue; the desk's own stands in where there is no calendar"

KNOWS_A_VENUE_BY_NAME: Mapping[str, str] = {
    "console/commands/attest.py": SHOWN,
    "console/commands/assembly/recorded_day.py": SEGMENTS,
    "console/commands/latency.py": SHOWN,
    "console/commands/notify.py": SHOWN,
    "core/advisers/words.py": SHOWN,
    "core/analytics/measures_words.py": SHOWN,
    "core/brokers/alpaca/parsing.py": ALPACA,
    "core/execution/gateway.py": GIVEN,
    "core/settings/exits.py": BOUNDS,
    "core/market/alpaca/backfill.py": ALPACA,
    "core/market/alpaca/daily.py": ALPACA,
    "core/market/alpaca/minutes.py": ALPACA,
    "core/market/alpaca/wire.py": ALPACA,
    "core/market/calendar.py": GIVEN,
    "core/market/daily_source.py": GIVEN,
    "core/market/vix/service.py": US_FIGURES,
    "core/settings/user_strategies.py": BOUNDS,
    "core/settings/types.py": "it says whose clock a time of day is by",
    "core/risk/protections/book.py": GIVEN,
    "core/risk/size_factors/book.py": GIVEN,
    "core/post_mortem/page.py": SHOWN,
    "core/post_mortem/words.py": SHOWN,
    "core/reports/head.py": SHOWN,
    "core/reports/page.py": SHOWN,
    "core/reports/words.py": SHOWN,
    "core/runtime/attest/market.py": "a market that is made up",
    "core/runtime/demo_charts.py": "a market that is made up",
    "core/runtime/regime_watch.py": US_FIGURES,
    "core/runtime/regime_query.py": US_FIGURES,
    "core/runtime/strategy_host/child.py": "every venue's zone is loaded, whichever is traded",
    "core/runtime/strategy_host/pipe_messages.py": "a context names its venue over the pipe",
    "core/runtime/stress_market.py": "a market that is made up",
    "core/settings/exchange.py": BOUNDS,
    "core/settings/house_strategies.py": BOUNDS,
    "core/settings/risk.py": BOUNDS,
    "core/views/event_text/desk.py": SHOWN,
    "core/views/event_text/desks.py": SHOWN,
    "core/views/event_text/guards.py": SHOWN,
    "core/views/event_text/market.py": SHOWN,
    "core/views/event_text/notifications.py": SHOWN,
    "core/views/event_text/orders.py": SHOWN,
    "core/views/event_text/staging.py": SHOWN,
    "core/views/chart_past.py": "the hours of a chart are those of the screen's clock",
    "state/example_settings.py": BOUNDS,
    "state/journal_segments.py": "segments end at one midnight, whatever is traded",
    "core/what_if/words.py": SHOWN,
    "state/past_days.py": SEGMENTS,
    "state/past_reports.py": SEGMENTS,
    "state/vix_file.py": US_FIGURES,
    "state/watchdog/push.py": SHOWN,
    "widgets/chart_bars.py": SHOWN,
    "widgets/format.py": SHOWN,
}
"""By file: why it takes one without being given it, by a calendar or a context."""


def sources() -> dict[str, str]:
    paths = [ROOT / "app.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def importers(module: str) -> set[str]:
    """Files that import it, or something out of it."""
    line = re.compile(rf"^ *(from {re.escape(module)} import|import {re.escape(module)}\b)", re.MULTILINE)
    return {name for name, text in sources().items() if line.search(text)}


def hours_in(text: str) -> Iterator[str]:
    """Times of day at which New York opens or closes, and the minutes between."""
    if not re.search(r"\b390\b|\btime\(", text):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "time":
            numbers = tuple(arg.value for arg in node.args if isinstance(arg, ast.Constant))
            if numbers in {(9, 30), (16,), (16, 0)}:
                yield ast.unparse(node)
        elif isinstance(node, ast.Constant) and node.value == 390:
            yield "390"


def test_new_york_has_its_name_in_one_file() -> None:
    """RK-20"""
    found = {name for name, text in sources().items() if NEW_YORK.search(text)}

    assert found == {VENUES, *NAMES_IT_ALL_THE_SAME}


def test_nobody_else_makes_a_zone_of_a_market() -> None:
    """RK-20"""
    assert importers("zoneinfo") == {VENUES, *READS_ZONES}


def test_nobody_else_knows_when_a_market_opens_and_closes() -> None:
    """RK-20"""
    found = {name: told for name, text in sources().items() if (told := [*hours_in(text)])}

    assert found == {VENUES: ["time(9, 30)", "time(16)"]}


def test_what_decides_is_given_its_venue() -> None:
    """RK-20"""
    assert importers("core.model.venues") == KNOWS_A_VENUE_BY_NAME.keys()


IN_LONDON = """
import sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from zoneinfo import ZoneInfo
from core.model import venues
venues.HOME = replace(venues.XNYS, id="XLON", name="London", zone=ZoneInfo("Europe/London"), calendar="XLON")
from datetime import UTC, date, datetime
from core.facts import OrderSent
from core.market.calendar import load_calendar
from core.settings.risk import RiskSettings
from core.views.event_text import in_words
from widgets import format as f
at = datetime(2026, 11, 19, 15, 24, 1, tzinfo=UTC)
print(f.clock(at), f.PLACE, f.day_and_minute(at), sep="; ")
print(in_words(OrderSent("the order", at)))
print(load_calendar(date(2026, 11, 19), date(2026, 11, 19)).session_on(date(2026, 11, 26)).open)
print(RiskSettings.model_fields["window_start"].description)
"""


def test_the_screen_the_log_the_settings_and_the_calendar_follow_the_one_value() -> None:
    """RK-20: a program whose home is London, made by that one line"""
    done = subprocess.run(
        [sys.executable, "-c", IN_LONDON, str(ROOT)], capture_output=True, text=True, timeout=100, check=False
    )

    assert done.stdout.splitlines() == [
        "15:24:01; London; Thu 19 Nov 15:24",
        "the order was sent at 15:24:01.000 London",
        "2026-11-26 08:00:00+00:00",
        "first bar start for an entry, London (RK-07)",
    ], done.stderr
