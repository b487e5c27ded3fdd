"""`keyturn measures`: how good a desk was, from its journal alone, each figure against numpy (AN-01)."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import DayStarted, MarginSampled, OrderCreated, TradeClosed
from core.model.position import AnyTrade
from core.model.session import HOME
from state.files import AccountFolder
from state.journal import FileJournal, days_of, read
from tests.scenarios.backtests import Keyturn, minutes_of, only_before
from tests.scenarios.test_account_activities import SESSIONS, a_house, buys, sells_all

HEADS = ("strategy", "by", "regime", "symbol", "half_hour", "held")


@pytest.fixture
def played(keyturn: Keyturn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mornings of a seeded week on margin whose every proposal was confirmed. It is played once, and only read."""
    folder = tmp_path_factory.getbasetemp() / "a measured week"
    if not folder.is_dir():
        minutes = only_before("17:00", minutes_of(tmp_path_factory.mktemp("bars") / "SPY_seeded.csv"))
        words = ("replay", minutes, "--headless", "--operator", "confirm-all", "--profile", "swing", "--json")
        assert keyturn(*words, "--journal-dir", folder).code == 0
    return folder


def measured(keyturn: Keyturn, folder: Path, *words: object) -> Any:
    return keyturn("measures", *words, "--journal-dir", folder, "--json").json


def trades_of(folder: Path) -> list[AnyTrade]:
    return [record.fact.trade for record in read(folder) if isinstance(record.fact, TradeClosed)]


def test_trade_groups_match_the_journal_to_the_cent(keyturn: Keyturn, played: Path) -> None:
    """AN-01: half-hours by the exchange's clock, R by the stop that went with the entry"""
    trades = trades_of(played)
    stops = {f.order.client_order_id: f.stop for r in read(played) if isinstance(f := r.fact, OrderCreated)}

    found = measured(keyturn, played)

    profit = np.array([float(trade.profit) for trade in trades])
    whole = sum((trade.profit for trade in trades), Decimal(0)).quantize(Decimal("0.01"))
    assert Decimal(str(found["trades"]["profit"])) == whole
    for by in HEADS:
        rows = found["groups"][by].values()
        assert sum(Decimal(str(each["profit"])) for each in rows) == whole
        assert sum(each["trades"] for each in rows) == len(trades)
    times = np.array([f"{(at := HOME.local(t.entry_time)):%H}:{at.minute // 30 * 30:02}" for t in trades])
    assert len(set(times)) > 1
    for name, each in found["groups"]["half_hour"].items():
        mine = profit[times == name]
        assert each["expectancy"] == pytest.approx(mine.mean())
        assert each["win_rate"] == pytest.approx((mine > 0).mean())
        lost = -mine[mine < 0].sum()
        assert each["profit_factor"] == (pytest.approx(mine[mine > 0].sum() / lost) if lost else None)
    risked = [float(abs(t.entry_price - stop.price) * t.quantity) for t in trades if (stop := stops[t.entry_order])]
    assert len(risked) == len(trades)
    assert found["trades"]["total_r"] == pytest.approx((profit / risked).sum())


def test_theses_are_judged_by_the_trades_of_the_journal(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-07: exit code 1 for one that is refuted, and the enabled strategies of no thesis are named"""
    trades, file = trades_of(played), tmp_path / "theses.toml"
    strategy = trades[0].strategy
    profits = [trade.profit for trade in trades if trade.strategy == strategy]
    criterion = f"profit < {sum(profits) + 1:.2f} USD over {len(profits)} trades"
    file.write_text(f'[morning]\nsays = "It gains"\nstrategy = "{strategy}"\ninvalid_if = ["{criterion}"]\n')

    found = keyturn("theses", "--file", file, "--journal-dir", played, "--json")

    assert found.code == 1
    (thesis,) = found.json["theses"]
    assert thesis["status"] == "INVALIDATED"
    (evidence,) = thesis["evidence"]
    assert (Decimal(evidence["value"]), evidence["trades"]) == (
        sum(profits, Decimal(0)).quantize(Decimal("0.0001")),
        len(profits),
    )
    assert strategy not in found.json["without_thesis"]


def test_a_thesis_of_no_strategy_is_refused(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-07"""
    file = tmp_path / "theses.toml"
    file.write_text('[luck]\nsays = "x"\nstrategy = "dice"\ninvalid_if = ["profit < 0 USD over 5 trades"]\n')

    found = keyturn("theses", "--file", file, "--journal-dir", played)

    assert (found.code, len(found.err.splitlines())) == (2, 1)


def test_equity_is_what_each_day_began_with(keyturn: Keyturn, played: Path, snapshot: SnapshotAssertion) -> None:
    """AN-01: the last day's close is told by the day that follows, and none does"""
    began = [record.fact for record in read(played) if isinstance(record.fact, DayStarted)]

    found = measured(keyturn, played)
    words = keyturn("measures", "--journal-dir", played).out

    assert [(row["day"], Decimal(row["equity"])) for row in found["days"]] == [
        (str(each.close_of), each.equity) for each in began
    ]
    equity = np.array([float(each.equity) for each in began])
    assert found["measures"]["total_return"] == pytest.approx(equity[-1] / equity[0] - 1)
    assert found["measures"]["sharpe"] is None
    assert found["too_few"]["sharpe"] == {"needs": 63, "has": 4}
    assert words == snapshot


def test_margin_use_has_one_row_for_each_sample(keyturn: Keyturn, played: Path) -> None:
    """AN-01: maintenance margin over equity, one instant for each sample of the journal"""
    samples = [(record.at, record.fact) for record in read(played) if isinstance(record.fact, MarginSampled)]

    found = measured(keyturn, played)["margin"]

    use = np.array([float(fact.maintenance_margin) / float(fact.equity) for _, fact in samples])
    days = np.array([str(HOME.day_of(at)) for at, _ in samples])
    assert [each["maintenance"] for each in found["instants"]] == pytest.approx(use)
    assert [row["day"] for row in found["days"]] == list(dict.fromkeys(days))
    for row in found["days"]:
        mine = use[(days == row["day"]) & (use > 0)]
        assert (row["highest"], row["mean"]) == (pytest.approx(mine.max()), pytest.approx(mine.mean()))
        assert row["instants"] == len(mine)


def test_days_alone_add_up_to_all_of_them(keyturn: Keyturn, played: Path) -> None:
    """AN-01"""
    days = days_of(played)

    alone = [measured(keyturn, played, day) for day in days]
    others = measured(keyturn, played, f"{days[1]}..{days[-1]}")
    whole = measured(keyturn, played)

    assert [row for each in alone for row in each["margin"]["days"]] == whole["margin"]["days"]
    assert sum(each["trades"]["trades"] for each in alone) == whole["trades"]["trades"] == len(trades_of(played))
    assert [row["day"] for row in alone[0]["days"]] == [row["day"] for row in whole["days"]][:2]
    assert others["days"][0] == whole["days"][1]


def test_the_page_is_self_contained_and_lines_fit(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-01"""
    page, seen = tmp_path / "week.html", []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert all(str(value).startswith("#") for name, value in attrs if name in {"src", "href"})

    found = keyturn("measures", "--journal-dir", played, "--html", page, "--csv", tmp_path / "tables")
    Reader().feed(page.read_text())

    assert found.code == 0
    assert max(len(line) for line in found.lines[:-2]) <= 80
    assert found.lines[-2:] == [f"written: {page}", f"written: {tmp_path / 'tables'}"]
    days = (tmp_path / "tables" / "days.csv").read_text().splitlines()
    assert days[0] == "day,equity,moved,is_first_figure,growth"
    assert len(days) == 6
    assert "script" not in seen
    assert seen.count("figure") == 3
    for head in ("By strategy", "By regime", "By symbol", "By half-hour", "By time held", "Maintenance margin"):
        assert head in page.read_text()


def test_it_reads_beside_an_engine_that_writes(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-01: a line that is half written is not there yet"""
    copy = tmp_path / "written"
    copy.mkdir()
    for path in played.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    with (copy / f"{days_of(played)[-1]}.jsonl").open("ab") as file:
        file.write(b'{"seq":999999,"at":"2026-01-09T20:59:59Z","fact":"TradeClosed","v":')

    assert measured(keyturn, copy) == measured(keyturn, played)


def test_a_desk_that_lends_nothing_says_so(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """AN-01"""
    folder = tmp_path / "cash"
    assert keyturn("replay", bars, "--headless", "--json", "--profile", "micro", "--journal-dir", folder).code == 0

    assert keyturn("measures", "--journal-dir", folder).out == snapshot
    assert measured(keyturn, folder)["trades"]["trades"] == 0


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 USD are paid in on the 12th, and SPY is split two for one on the 17th, while ten shares of it are held."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    sells_all(house, "09:36", date(2026, 11, 18))
    house.until("09:45", date(2026, 11, 25))
    folder = AccountFolder(tmp_path_factory.mktemp("month") / "DEMO")
    with closing(FileJournal(folder)) as kept:
        for record in house.journal.records():
            kept.append(record.at, record.fact)
        kept.sync()
    return folder.journal


def test_deposits_and_withdrawals_are_no_result(keyturn: Keyturn, month: Path) -> None:
    """AN-01: a desk's whole month; a dividend, interest and fees are results"""
    found = measured(keyturn, month)

    rows = found["days"]
    assert {row["day"]: Decimal(row["moved"]) for row in rows if Decimal(row["moved"])} == {
        "2026-11-12": Decimal(500),
        "2026-11-24": Decimal("-120.50"),
    }
    equity = np.array([float(row["equity"]) for row in rows])
    moved = np.array([float(row["moved"]) for row in rows])
    returns = (equity[1:] - moved[1:]) / equity[:-1] - 1
    assert np.abs(returns).max() < 0.005
    assert found["measures"]["total_return"] == pytest.approx(np.prod(1 + returns) - 1)
    assert found["measures"]["moved"] == 379.5


def test_a_split_does_not_change_a_trades_risk(keyturn: Keyturn, month: Path) -> None:
    """AN-01: ten shares with a stop 60 USD below them; twenty with one 30 below are the same 600 USD"""
    (trade,) = trades_of(month)

    (found,) = measured(keyturn, month)["groups"]["strategy"].items()

    assert found[0] == "manual"
    assert trade.quantity == Decimal(20)
    assert found[1]["mean_r"] == pytest.approx(float(trade.profit) / 600)


def test_bad_days_are_refused_in_one_line(keyturn: Keyturn, played: Path, snapshot: SnapshotAssertion) -> None:
    """AN-01"""
    asked = ("2026-02-30", "2026-01-05..", "2025-01-01", "last week")
    found = [keyturn("measures", each, "--journal-dir", played) for each in asked]

    assert [answer.code for answer in found] == [2] * 4
    assert [answer.err.replace(str(played), "JOURNAL").splitlines() for answer in found] == snapshot


def test_an_empty_folder_has_nothing_to_measure(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """AN-01"""
    found = keyturn("measures", "--journal-dir", tmp_path)
    assert (found.code, found.err.replace(str(tmp_path), "HOME")) == (2, snapshot)
