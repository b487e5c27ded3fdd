"""Past trades and days for an agent: those of its symbols, without amounts where these are hidden (OP-09, AN-06)."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client

from console.client.agents import AgentClient
from console.commands.assembly.agent_journal import AgentJournal
from console.commands.assembly.mcp_answers import LARGEST_VALUE
from console.commands.assembly.mcp_server import DeskServer, PastTrades, Values
from core.facts import AgentsApplied, DaySummarised, DraftRejected, SettingsFileChanged, TradeClosed
from core.model.draft import DraftRefusal
from core.model.position import Trade
from core.ports import OperatorError
from core.reports.agent_explained import OTHERS
from core.settings.changes import agent_changes
from core.settings.settings import Settings
from state.files import Home
from state.journal import FileJournal, days_of, read
from state.past_days import explained
from tests.scenarios.backtests import keyturn_at, minutes_of, only_before

CLAUDE, OTHER, ITS_LIMIT = "claude", "quokka", "31337"
AMOUNTS = {
    "quantity",
    "profit",
    "fee",
    "parts",
    "best",
    "worst",
    "checks",
    "opening",
    "closing",
    "equity_change",
    "rest",
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeded mornings whose every proposal was confirmed; only read."""
    folder = tmp_path_factory.mktemp("explained")
    bars = only_before("16:30", minutes_of(folder / "SPY_seeded.csv", last=date(2026, 1, 6)))
    words = ("replay", bars, "--headless", "--operator", "confirm-all", "--json")
    assert keyturn_at(folder / "home")(*words, "--journal-dir", folder / "journal").code == 0
    return folder / "journal"


def no_engine() -> socket.socket:
    raise OperatorError("no engine runs here")


def trades_in(folder: Path) -> list[Trade]:
    return [record.fact.trade for record in read(folder) if isinstance(record.fact, TradeClosed)]


def a_journal(folder: Path, **terms: object) -> AgentJournal:
    settings = Settings.model_validate({"agents": {CLAUDE: terms}})
    return AgentJournal(CLAUDE, lambda: folder, lambda: settings)


async def asked(journal: PastTrades, tool: str, **arguments: object) -> Mapping[str, Any]:
    """As a model asks, through the server and the SDK's client; an error is its words."""
    server = DeskServer(AgentClient(no_engine, CLAUDE, "0.1.0"), journal)
    async with Client(server) as client:
        answer = await client.call_tool(tool, arguments)
    if answer.is_error:
        assert answer.structured_content is not None
        return {"error": answer.content[0].text, **answer.structured_content}  # type: ignore[union-attr]
    assert answer.structured_content is not None
    return answer.structured_content


def names_in(value: object) -> set[str]:
    """Every name of an object, at any depth."""
    if isinstance(value, Mapping):
        return set(value) | {name for each in value.values() for name in names_in(each)}
    return {name for each in value for name in names_in(each)} if isinstance(value, list) else set()


async def test_a_trade_is_explained_by_either_order_or_its_symbol(played: Path) -> None:
    """AN-06: its parts are its result"""
    trade, journal = trades_in(played)[-1], a_journal(played)
    found = await asked(journal, "explain_trade", trade="SPY")

    assert (found["exit_order"], found["entry_order"]) == (trade.exit_order, trade.entry_order)
    assert sum(Decimal(part["amount"]) for part in found["parts"]) == Decimal(found["profit"])
    assert Decimal(found["profit"]) == trade.profit.quantize(Decimal("0.01"))
    assert len(found["fills"]) >= 2
    for order in (trade.entry_order[:10], trade.exit_order):
        assert await asked(journal, "explain_trade", trade=order) == found


async def test_a_day_is_explained(played: Path) -> None:
    """AN-06: the figures of `keyturn explain`; without a day the last one"""
    journal, (first, last) = a_journal(played), days_of(played)
    whole, _ = explained(played, first.isoformat())
    found = await asked(journal, "explain_day", day=first.isoformat())
    (day,) = found["days"]

    assert whole.days[0].change is not None
    assert Decimal(day["equity_change"]) == whole.days[0].change.quantize(Decimal("0.01"))
    assert sum(Decimal(part["amount"]) for part in day["parts"]) == Decimal(day["equity_change"]) - Decimal(day["rest"])
    ended = [trade.exit_order for trade in trades_in(played) if trade.exit_time.date() == first]
    assert [trade["exit_order"] for trade in found["trades"]] == ended
    assert (await asked(journal, "explain_day"))["days"][0]["day"] == last.isoformat()


async def test_an_agent_without_amounts_is_told_prices_and_reasons_alone(played: Path) -> None:
    """OP-09"""
    trade, journal = trades_in(played)[-1], a_journal(played, hides_amounts=True)
    one, day = await asked(journal, "explain_trade", trade="SPY"), await asked(journal, "explain_day")

    assert not names_in(one) & AMOUNTS
    assert not names_in(day) & (AMOUNTS | {"would_have_made"})
    assert Decimal(one["exit_price"]) == trade.exit_price
    assert one["reason"] == trade.exit_reason.value
    assert day["trades"]


async def test_an_agent_is_told_of_its_symbols_alone(played: Path) -> None:
    """OP-09: of the others the sum"""
    trade, journal = trades_in(played)[-1], a_journal(played, symbols=("QQQ",))
    refused = await asked(journal, "explain_trade", trade=trade.exit_order)
    day = await asked(journal, "explain_day")

    assert "no closed trade of QQQ" in refused["error"]
    assert (day["trades"], day["not_taken"]) == ([], [])
    assert [part["name"] for part in day["days"][0]["parts"]] == [OTHERS]
    assert "SPY" not in json.dumps(day)


@pytest.mark.parametrize("day", ["2026-01-04", "yesterday", "2026-01-05..20"])
async def test_what_is_no_day_of_the_journal_is_an_error(played: Path, day: str) -> None:
    """OP-09, SY-11: one line, and a code"""
    told = await asked(a_journal(played), "explain_day", day=day)

    assert "\n" not in told["error"]
    assert told["code"] in ("not-done", "wrong-arguments")


async def test_a_trade_that_there_is_not_is_an_error(played: Path) -> None:
    """OP-09: whatever is asked for"""
    for which in ("", "zzz", "\x1b[2J", "ЅPY", "../journal"):
        words = (await asked(a_journal(played), "explain_trade", trade=which))["error"]
        assert "no closed trade of" in words
        assert "\x1b" not in words


def test_a_removed_agent_is_told_nothing(played: Path) -> None:
    """OP-09: also by a server that still runs"""
    journal = AgentJournal(CLAUDE, lambda: played, Settings)
    with pytest.raises(OperatorError):
        journal.explain_day("")


class Busy:
    """A journal of one day with this many trades."""

    def __init__(self, trades: int) -> None:
        self.rows = [{"symbol": "SPY", "exit_order": f"order-{n}", "why": "x" * 300} for n in range(trades)]

    def explain_trade(self, trade: str) -> Values:
        return {"symbol": trade, "fills": self.rows}

    def explain_day(self, day: str) -> Values:
        parts = [{"name": f"S{n} vwap", "amount": "1.00"} for n in range(len(self.rows))]
        return {"days": [{"day": day, "parts": parts}], "trades": self.rows, "not_taken": self.rows}

    def day_named(self, day: str) -> str:
        return day

    def backtest(self, strategy: str, symbol: str, days: int) -> Values:
        return {"strategy": strategy, "symbol": symbol, "list": self.rows[-50:], "list_in_all": len(self.rows)}


@pytest.mark.parametrize("name", ["trades", "not_taken", "parts"])
async def test_every_row_of_a_long_day_is_read_in_pages(name: str) -> None:
    """SY-11: the newest first; no answer is too large, and none is lost"""
    journal, rows = Busy(700), list[Values]()
    day = await asked(journal, "explain_day", day="2026-01-06")
    arguments = day["more"][name]["next"]
    assert day["more"][name]["in_all"] == 700
    read = day["days"][0]["parts"] if name == "parts" else day[name]
    rows = read
    while arguments is not None:
        found = await asked(journal, "explain_day", day="2026-01-06", **arguments)
        assert len(json.dumps(found)) <= LARGEST_VALUE
        read = found["days"][0]["parts"] if name == "parts" else found[name]
        rows = rows + read if name == "parts" else read + rows
        arguments = found["more"][name]["next"]

    whole = journal.explain_day("")
    assert rows == (whole["days"][0]["parts"] if name == "parts" else whole[name])


async def test_a_long_trade_and_a_long_backtest_say_what_is_left() -> None:
    """SY-11"""
    trade = await asked(Busy(700), "explain_trade", trade="SPY")
    played_back = await asked(Busy(700), "backtest", strategy=" VWAP", symbol="spy", days=4)

    assert trade["more"]["fills"]["left"] == 700 - len(trade["fills"])
    assert played_back["more"]["list"]["next"] == {"strategy": "vwap", "symbol": "SPY", "days": 2}
    assert played_back["more"]["list"]["left"] == 650


@pytest.mark.parametrize(("symbol", "allowed"), [("QQQ", ("SPY",)), ("QQQ", ("QQQ",)), ("ЅPY", ("SPY",))])
async def test_a_backtest_of_unseen_minutes_is_an_error(played: Path, symbol: str, allowed: tuple[str, ...]) -> None:
    """OP-09: of a symbol that it may not see, or of which the journal has none; nothing is played"""
    journal = a_journal(played, symbols=allowed)
    words = (await asked(journal, "backtest", strategy="vwap", symbol=symbol, days=1))["error"]

    assert "\n" not in words
    assert allowed[0] in words


async def test_the_day_of_a_summary_is_one_of_the_journal(played: Path) -> None:
    """AN-06: the last one where none is named"""
    journal, days = a_journal(played), days_of(played)

    assert journal.day_named("") == f"{days[-1]}"
    assert journal.day_named(f"{days[0]}") == f"{days[0]}"
    for day in ("2031-01-01", "2025-12-01", "yesterday"):
        assert "error" in await asked(journal, "summarise_day", text="quiet", day=day)


async def test_a_report_tells_of_no_other_agent(played: Path, tmp_path: Path) -> None:
    """OP-09: its draft, its summary, and a settings file that names it and its limits"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    folder = home.account("demo")
    folder.prepare()
    shutil.copytree(played, folder.journal, dirs_exist_ok=True)
    last = days_of(played)[-1]
    other = Settings.model_validate({"agents": {OTHER: {"most_value": ITS_LIMIT}}})
    with closing(FileJournal(folder)) as journal:
        at = [record.at for record in journal.records()][-1]
        for fact in (
            AgentsApplied(other, agent_changes(Settings(), other)),
            SettingsFileChanged(f"settings.toml: agents.{OTHER}.most_value = {ITS_LIMIT}"),
            DraftRejected(OTHER, "a", DraftRefusal.VALUE, (f"it may draft {ITS_LIMIT} USD",)),
            DaySummarised(OTHER, last, f"{OTHER} was quick"),
        ):
            journal.append(at, fact)
    server = DeskServer(AgentClient(no_engine, CLAUDE, "0.1.0"), a_journal(folder.journal))
    told = [server.report(last.isoformat()), server.report("")]

    assert all(str(last) in text for text in told)
    assert not [word for word in (OTHER, ITS_LIMIT) for text in told if word in text]
