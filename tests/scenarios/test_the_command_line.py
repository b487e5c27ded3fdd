"""The program as a person or a script calls it: what it prints, what it exits with, and what it says when it cannot."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.commands import Kill
from state import basket_inbox
from state.folders import Home
from state.heartbeat import Heartbeat, Status
from tests.data import MARKET
from tests.scenarios.backtests import Keyturn


def test_a_replay_tells_everything_as_json(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-05, SP-01: and its fingerprint is the hash of its segments in order."""
    folder = tmp_path / "journal"

    found = keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder).json

    assert found["bars"] == 780
    assert {row["effect"] for row in found["proposals"]} == {"open", "close"}
    assert {row["status"] for row in found["orders"]} <= {"FILLED", "CANCELLED"}
    assert all(row["exit_reason"] in ("STOP_LOSS", "MEAN_REVERSION", "FORCE_FLAT") for row in found["trades"])
    segments = b"".join(path.read_bytes() for path in sorted(folder.glob("*.jsonl")))
    assert found["fingerprint"] == hashlib.sha256(segments).hexdigest()
    assert keyturn("journal", "verify", "--journal-dir", folder).code == 0


def test_the_same_keys_give_the_same_journal_at_any_speed(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-05"""
    script = tmp_path / "keys.txt"
    script.write_text("# buy the first\nat 2026-01-05T15:24:00.5Z key enter\nafter 1 key B\nafter 600 key c\n")

    def fingerprint(speed: str, operator: object) -> object:
        words = ("replay", bars, "--headless", "--json", "--operator", operator, "--speed", speed)
        return keyturn(*words).json["fingerprint"]

    assert fingerprint("max", script) == fingerprint("100000", script)
    assert fingerprint("max", "confirm-all") == fingerprint("max", "confirm-all") != fingerprint("max", script)


def test_without_an_operator_there_are_proposals_and_not_one_order(keyturn: Keyturn, bars: Path) -> None:
    """OP-01"""
    found = keyturn("replay", bars, "--headless", "--json").json

    assert found["proposals"]
    assert found["orders"] == []


def test_a_setting_given_on_the_command_line_reaches_the_strategy(keyturn: Keyturn, bars: Path) -> None:
    """ST-02"""
    holder = "strategies.vwap.stop_holder=desk"

    found = keyturn("replay", bars, "--headless", "--json", "--operator", "confirm-all", "--set", holder).json

    assert "stop" not in {row["type"] for row in found["orders"]}


@pytest.mark.parametrize(
    ("symbol", "bars", "entries"),
    [
        ("SPY", 1560, ["2013-10-08T14:50:00Z", "2013-10-09T15:09:00Z"]),
        ("IBM", 1560, [f"2013-10-08T14:{minute}:00Z" for minute in ("01", "08", "10", "32")]),
        (
            "BAC",
            1560,
            [
                *("2013-10-07T15:19:00Z", "2013-10-07T15:21:00Z"),
                *(f"2013-10-08T15:{minute}:00Z" for minute in ("20", "22", "27")),
                "2013-10-09T15:07:00Z",
            ],
        ),
        ("AIG", 1559, ["2013-10-08T14:46:00Z", "2013-10-09T14:46:00Z", "2013-10-09T14:49:00Z"]),
    ],
)
def test_the_real_week_makes_the_entries_that_the_rule_gives(
    keyturn: Keyturn, symbol: str, bars: int, entries: list[str]
) -> None:
    """ST-02, MD-03: where the one before was not filled, the rule gives the next."""
    found = the_real_week_of(symbol, keyturn, "--set", "risk.protections.max_drawdown.enabled=false")

    assert found["bars"] == bars
    assert [row["time"] for row in found["proposals"] if row["effect"] == "open"] == entries
    assert found["skipped"] == {}


def the_real_week_of(symbol: str, keyturn: Keyturn, *terms: str) -> Mapping[str, Any]:
    path = MARKET / f"{symbol}_1min_2013-10-07_to_2013-10-10.csv"
    return keyturn("replay", path, "--symbol", symbol, "--headless", "--json", "--operator", "confirm-all", *terms).json


@pytest.mark.parametrize(("symbol", "filled", "waited"), [("SPY", 2, 0), ("IBM", 1, 3), ("BAC", 1, 5), ("AIG", 2, 1)])
def test_an_entry_of_the_real_week_is_filled_where_the_market_went_past_its_limit_and_nowhere_else(
    keyturn: Keyturn, symbol: str, filled: int, waited: int
) -> None:
    """AN-04: an entry lives for 90 s, in two minutes; what only touched its limit in them left it waiting."""
    found = the_real_week_of(symbol, keyturn)

    lows = real_lows_of(symbol)
    orders = {row["client_order_id"]: row for row in found["orders"] if row["side"] == "buy"}
    limits = [Decimal(row["limit_price"]) for row in found["proposals"] if row["effect"] == "open"]
    assert Counter(row["status"] for row in orders.values()) == Counter(FILLED=filled, CANCELLED=waited)
    for row, limit in zip(orders.values(), limits, strict=True):
        minute = datetime.fromisoformat(row["submitted_at"]).replace(second=0, microsecond=0)
        lowest = min(lows[minute], lows[minute + timedelta(minutes=1)])
        assert (row["status"] == "FILLED") == (lowest < limit), row


def real_lows_of(symbol: str) -> dict[datetime, Decimal]:
    with (MARKET / f"{symbol}_1min_2013-10-07_to_2013-10-10.csv").open() as rows:
        return {datetime.fromisoformat(row["timestamp"]): Decimal(row["low"]) for row in csv.DictReader(rows)}


def test_a_week_that_gave_back_what_it_had_made_goes_on_while_the_balance_stands(keyturn: Keyturn) -> None:
    """RK-04: BAC made 0.1805 USD on Monday and lost 0.1448 on Tuesday at 15:35 UTC: 0.07 % of a balance of 200.18.

    With nothing between bid and ask: where there is a tick to either side Monday's entry waits, and makes nothing.
    """
    found = the_real_week_of("BAC", keyturn, "--set", "exchange.half_spread_ticks=0")

    assert [row["profit"] for row in found["trades"]] == ["0.1805", "-0.1448", "-0.14532"]
    entries = [row["time"] for row in found["proposals"] if row["effect"] == "open"]
    assert entries == ["2013-10-07T15:19:00Z", "2013-10-08T15:20:00Z", "2013-10-09T15:07:00Z"]
    assert found["skipped"] == {}


@pytest.mark.parametrize("symbol", ["SPY", "IBM", "AIG"])
def test_the_other_real_weeks_trip_nothing_that_would_have_refused_an_entry(keyturn: Keyturn, symbol: str) -> None:
    """RK-04, RK-09"""
    assert the_real_week_of(symbol, keyturn)["skipped"] == {}


def test_an_order_is_explained_from_its_bar_to_its_end(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """EX-18"""
    folder = tmp_path / "journal"
    found = keyturn("replay", bars, "--headless", "--json", "--operator", "confirm-all", "--journal-dir", folder).json
    first = found["orders"][0]["client_order_id"]

    told = keyturn("journal", "why", first[:10], "--journal-dir", folder, "--json").out.splitlines()

    facts = [json.loads(line)["fact"] for line in told]
    assert facts[:7] == [
        "BarClosed",
        "SignalRaised",
        "ProposalStaged",
        "TicketOpened",
        "ConfirmationReceived",
        "OrderApproved",
        "ProposalEnded",
    ]
    assert facts[7:11] == ["ApprovalRedeemed", "OrderCreated", "OrderSent", "OrderStateChanged"]
    assert "OrderFilled" in facts
    assert facts[-1] == "TradeClosed"


def test_where_nothing_ever_ran_the_status_says_stopped_and_zeros(keyturn: Keyturn) -> None:
    """SY-07"""
    answer = keyturn("status", "--json")

    assert answer.code == 3
    assert answer.json["state"] == "stopped"
    assert answer.json["heartbeat_age"] is None
    assert {answer.json[name] for name in ("positions", "orders_working", "orders_sent", "journal_sequence")} == {0}


def test_the_status_names_shares_of_which_no_stop_is_known(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-06, SY-02"""
    folder = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("paper")
    folder.prepare()
    bare, signed = ("SPY 2.5 no stop", "QQQ 1 exit in doubt"), ("QQQ until 16:00 New York",)
    status = Status("trading", 7, "paper", 2, 1, 3, 0, 5, "paper", bare, signed, ("no_stop", "in_doubt"))
    Heartbeat(folder).beat(status)

    told = keyturn("status", "--account", "paper").out
    found = keyturn("status", "--account", "paper", "--json").json

    assert "UNCOVERED SPY 2.5 no stop at the broker; m in Positions gives one, c closes" in told
    assert "UNCOVERED QQQ 1 exit in doubt: the broker is asked; Orders shows it" in told
    assert found["uncovered"] == ["SPY 2.5 no stop", "QQQ 1 exit in doubt"]
    assert "UNATTENDED QQQ until 16:00 New York: exits go out without a key; u in Positions takes that back" in told
    assert found["unattended"] == ["QQQ until 16:00 New York"]


def test_a_kill_from_another_terminal_holds_for_an_engine_that_starts_later(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-08"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.account("demo").prepare()

    answer = keyturn("kill", "--account", "demo", "--flatten")

    assert answer.code == 0
    assert "no engine runs; it will start killed" in answer.out
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.beat()
        runtime.step()
        assert runtime.engine.state.control.killed_by == "command"


ROWS = "symbol,side,quantity,stop_price\nSPY,buy,0.05,400\n"


def lives(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on while the command waits for its answer."""

    def beat() -> None:
        runtime.beat()
        runtime.step()

    monkeypatch.setattr(basket_inbox, "wait_a_little", beat)


def test_a_plan_from_another_terminal_waits_for_its_marks_and_its_key(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-05"""
    file = tmp_path / "in.csv"
    file.write_text(ROWS)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        lives(runtime, monkeypatch)

        answer = keyturn("basket", file)

        assert (answer.code, answer.out.count("\n")) == (0, 1)
        assert "1 order, 0 to sell or cover, 1 to open; it waits at the desk of demo" in answer.out
        run = runtime.engine.state.plans.run
        assert run is not None
        assert (run.plan.name, run.is_open, run.marked) == ("in.csv", True, set())


def test_a_plan_says_in_one_line_what_of_it_would_not_go(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-05: a row that became no order, and an order that the dry run refuses, each counted with a reason."""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side,quantity,stop_price\nSPY,buy,100,400\nQQQ,sell,,\n")
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        lives(runtime, monkeypatch)

        answer = keyturn("basket", file)

    assert (answer.code, answer.out.count("\n")) == (0, 1)
    assert "with 1 order (1 would not go as it stands: " in answer.out
    assert "; 1 row became no order: there is no QQQ position that it would reduce)" in answer.out


def test_a_plan_that_the_desk_refuses_is_told_with_its_reason(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-05: every row asks for nothing that is there."""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side\nSPY,sell\n")
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        lives(runtime, monkeypatch)

        answer = keyturn("basket", file)

    assert (answer.code, answer.out) == (2, "")
    assert "in.csv: the desk of demo did not open it: no row of it became an order; in.csv:2: there is no" in answer.err


def test_a_plan_that_nobody_takes_is_taken_back_and_said(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-05: the lock is held, and no engine lives behind it."""
    file = tmp_path / "in.csv"
    file.write_text(ROWS)
    monkeypatch.setattr(basket_inbox, "ANSWER_SECONDS", 0.0)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)

        answer = keyturn("basket", file)
        runtime.beat()
        runtime.step()

        assert (answer.code, answer.out) == (2, "")
        assert "nobody took it in time, and it was taken back: look at the desk" in answer.err
        assert runtime.engine.state.plans.run is None


def test_a_plan_needs_a_desk_and_a_file_that_can_be_read(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-05"""
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo").prepare()
    file = tmp_path / "in.csv"
    file.write_text("symbol,side\nSPY,sell\n")

    checked, alone = keyturn("basket", file, "--check"), keyturn("plan", file, "--account", "demo")
    file.write_text("symbol,side\nSPY,sell\nQQQ,hold\n")
    bad = keyturn("basket", file)

    assert (checked.code, alone.code, bad.code) == (0, 2, 1)
    assert "nothing was staged" in checked.out
    assert "no engine runs to take a basket" in alone.err
    assert "in.csv:3: side 'hold' must be buy, sell, short, cover" in bad.err


def test_a_plan_is_read_of_a_regular_file_of_bounded_size_alone(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-05, SY-06: a device would be read for ever, a pipe waited for."""
    pipe, large = tmp_path / "pipe.csv", tmp_path / "large.csv"
    os.mkfifo(pipe)
    large.write_bytes(b"symbol,side\n" + b"SPY,sell\n" * 200_000)

    answers = [keyturn("basket", file, "--check") for file in ("/dev/zero", pipe, large, tmp_path)]

    assert [answer.code for answer in answers] == [2, 2, 2, 2]
    assert "/dev/zero: is no regular file; name a CSV file" in answers[0].err
    assert "pipe.csv: is no regular file" in answers[1].err
    assert "large.csv: has 1,800,012 bytes, 1,000,000 at most are read; split the file" in answers[2].err
    assert "is a folder; name one CSV file in it" in answers[3].err


@pytest.mark.parametrize("amount", ["1e3", "1_000", "0", "-5", "x"])
def test_an_amount_to_deploy_is_written_in_plain_digits(keyturn: Keyturn, tmp_path: Path, amount: str) -> None:
    """RK-18"""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side,stop_price\nSPY,buy,400\n")

    answer = keyturn("basket", file, "--check", f"--deploy={amount}")

    assert (answer.code, f"--deploy {amount}: is no amount in USD such as 50000" in answer.err) == (2, True)


def test_a_second_engine_is_refused_with_the_first_ones_process(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-04"""
    with ExitStack() as stack:
        demo(tmp_path, stack)

        answer = keyturn("demo", "--headless")

    assert answer.code == 2
    assert "an engine already runs on account 'demo' (process " in answer.err


def test_what_ran_can_be_looked_at_and_backed_up(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-04, SP-02"""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        for _ in range(200):
            runtime.step()
        runtime.obey(Kill("key"))
        runtime.stop("left")

    assert keyturn("status").code == 3
    assert keyturn("state", "show").json["control"]["killed_by"] == "key"
    assert keyturn("journal", "verify").code == 0
    assert "KILLED by key" in keyturn("journal", "tail", "-n", "3").out
    archive = Path(keyturn("state", "backup", tmp_path).out.strip())
    assert archive.is_file()
    assert archive.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("timestamp,open,high,low,close\n2026-01-05T14:30:00Z,1,1,1,1\n", "no column volume"),
        ("timestamp,open,high,low,close,volume\n", ":1"),
        (
            "timestamp,open,high,low,close,volume\n2026-01-05T14:31:00Z,1,1,1,1,1\n2026-01-05T14:30:00Z,1,1,1,1,1\n",
            ":3",
        ),
        (
            "timestamp,open,high,low,close,volume\n2026-01-05T14:30:00Z,1,1,1,1,1\n2026-01-05T14:30:00Z,1,1,1,1,1\n",
            ":3",
        ),
        ("timestamp,open,high,low,close,volume\n2026-01-05T14:30:00Z,1,1,1,1,1\n2026-01-05T14:3", ":3"),
    ],
    ids=["empty", "column missing", "header alone", "unsorted", "duplicate", "cut off"],
)
def test_a_file_whose_structure_is_broken_is_refused_by_line(
    keyturn: Keyturn, tmp_path: Path, content: str, words: str
) -> None:
    """MD-03"""
    path = tmp_path / "SPY_broken.csv"
    path.write_text(content)

    answer = keyturn("replay", path, "--headless", "--json")

    assert answer.code == 2
    assert "SPY_broken.csv" in answer.err
    assert words in answer.err
    assert answer.err.count("\n") == 1


def test_a_single_bad_row_is_set_aside_and_counted(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-03"""
    lines = bars.read_text().splitlines()
    lines[10] = lines[10].replace(lines[10].split(",")[1], "n/a", 1)
    path = tmp_path / "SPY_one_bad.csv"
    path.write_text("\n".join(lines) + "\n")
    folder = tmp_path / "journal"

    found = keyturn("replay", path, "--headless", "--json", "--journal-dir", folder).json

    assert (found["bars"], found["quarantined"]) == (779, 1)
    assert "SPY_one_bad.csv:11" in keyturn("journal", "tail", "-n", "2000", "--journal-dir", folder).out


@pytest.mark.parametrize("time", ["0001-01-01T14:30:00Z", "9999-12-31T23:59:00Z"])
def test_a_market_time_of_another_age_is_a_bad_row(keyturn: Keyturn, bars: Path, tmp_path: Path, time: str) -> None:
    """MD-03"""
    lines = bars.read_text().splitlines()
    lines[1] = f"{time},{lines[1].partition(',')[2]}"
    path = tmp_path / "SPY_one_bad.csv"
    path.write_text("\n".join(lines) + "\n")

    found = keyturn("replay", path, "--headless", "--json").json

    assert (found["bars"], found["quarantined"]) == (779, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "risk.daily_loss.usd=-3"), "--set risk.daily_loss.usd = -3: must be greater than 0"),
        (("--set", 'risk.daily_loss.usd="1e9999"'), "must be less than or equal to 1000000000"),
        (("--set", "risk.entries=3"), "risk.entries"),
        (("--profile", "bold"), "profile"),
        (("--profile", ""), "profile"),
        (("--speed", "fast"), "--speed fast: a number above zero, 1,000,000 at most, or `max`"),
        (("--speed", "1000001"), "--speed 1000001: a number above zero, 1,000,000 at most, or `max`"),
        (("--strategy", "momentun"), "--strategy momentun: there is none; one of vwap, momentum, breakout"),
        (("--operator", "nobody.txt"), "--operator: nobody.txt cannot be read: No such file or directory; name"),
        (("--operator", "/"), "--operator: / cannot be read: Is a directory"),
        (("--set", 'risk.window_start="09:30:00Z"'), "must have no zone"),
        (("--set", "symbols=SPY"), 'must be a list, as in ["SPY", "IBM"]'),
        (("--symbol", "IBM"), "SPY is not among the symbols; add --symbol SPY"),
    ],
)
def test_a_wrong_word_is_named_with_what_is_allowed(
    keyturn: Keyturn, bars: Path, words: tuple[str, ...], said: str
) -> None:
    """OP-10, SY-07"""
    answer = keyturn("replay", bars, "--headless", "--json", *words)

    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_script_that_is_no_text_is_refused(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """OP-01"""
    script = tmp_path / "keys.txt"
    script.write_bytes(b"after 1 key \xff\n")

    answer = keyturn("replay", bars, "--headless", "--operator", script)

    assert (answer.code, answer.err) == (2, f"keyturn: --operator: {script} is not UTF-8 text; save it as UTF-8\n")


def test_a_script_with_a_wrong_line_is_refused_by_line(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """OP-01"""
    script = tmp_path / "keys.txt"
    script.write_text("after 1 key enter\nafter a while key B\n")

    answer = keyturn("replay", bars, "--headless", "--operator", script)

    assert answer.code == 2
    assert "keys.txt:2" in answer.err


def test_without_a_terminal_the_desk_says_what_to_do_instead(keyturn: Keyturn) -> None:
    """OP-07"""
    for words in ((), ("demo",)):
        answer = keyturn(*words)

        assert answer.code == 2
        assert "keyturn demo --headless" in answer.err


def test_a_damaged_journal_is_placed_and_refused(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SP-01"""
    folder = tmp_path / "journal"
    keyturn("replay", bars, "--headless", "--json", "--journal-dir", folder)
    segment = sorted(folder.glob("*.jsonl"))[0]
    content = bytearray(segment.read_bytes())
    place = content.index(b'"BarClosed"', len(content) // 2)
    content[place + 2] ^= 0x01
    segment.write_bytes(content)

    answer = keyturn("journal", "verify", "--journal-dir", folder)

    assert answer.code == 1
    assert f"{segment.name}, line {content[:place].count(10) + 1}" in answer.out or segment.name in answer.out


def test_where_there_is_no_journal_there_is_nothing_to_prove(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-01"""
    (tmp_path / "home" / "state" / "demo").mkdir(parents=True)
    (tmp_path / "empty").mkdir()

    for words in (("--account", "demo"), ("--journal-dir", tmp_path / "empty")):
        answer = keyturn("journal", "verify", *words)

        assert (answer.code, answer.out) == (2, "")
        assert "there is no journal in " in answer.err


def test_a_journal_that_lost_its_end_is_damaged(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-01, SP-02: each record that is left holds, but the state documents know more of them."""
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        for _ in range(50):
            runtime.step()
        runtime.stop("left")
    (segment,) = (tmp_path / "home" / "state" / "demo" / "journal").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:-3]))

    answer = keyturn("journal", "verify")

    assert answer.code == 1
    known = len(lines)
    assert f"the journal ends at record {known - 3} of {known}: its end" in answer.out

    segment.unlink()
    assert f"ends at record 0 of {known}" in keyturn("journal", "verify").out


def test_a_count_below_zero_is_refused(keyturn: Keyturn, tmp_path: Path) -> None:
    """SY-07"""
    assert keyturn("journal", "tail", "-n", "-1", "--journal-dir", tmp_path).code == 2


HARMFUL = "\x1b]0;owned\x07\x9b2J\u202e"
"""Would name the window, ring, clear the screen and turn the direction of reading."""


def test_text_from_outside_reaches_no_terminal_raw(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SY-06: not in an error, not in words, not in JSON, which stays the same JSON."""
    lines = bars.read_text().splitlines()
    lines[10] = "n/a" + lines[10]
    path = tmp_path / f"SPY_{HARMFUL}.csv"
    path.write_text("\n".join(lines) + "\n")
    folder = tmp_path / "journal"
    keyturn("replay", path, "--headless", "--journal-dir", folder)
    tail = ("journal", "tail", "-n", "2000", "--journal-dir", folder)
    path.write_text("")

    answers = [
        keyturn(*tail),
        keyturn(*tail, "--json"),
        keyturn("replay", path, "--headless"),
        keyturn("replay", bars, "--headless", "--set", f"risk.{HARMFUL}=1"),
        keyturn("replay", bars, "--headless", "--operator", HARMFUL),
        keyturn("replay", bars, "--headless", "--speed", HARMFUL),
        keyturn("journal", "why", HARMFUL, "--journal-dir", folder),
    ]

    assert "owned" in answers[0].out
    places = [json.loads(line)["data"].get("place", "") for line in answers[1].out.splitlines()]
    assert f"SPY_{HARMFUL}.csv:11" in places
    for answer in answers:
        assert not set(HARMFUL) & set("\x1b\x07\x9b\u202e") & set(answer.out + answer.err)
        assert answer.err.count("\n") <= 1


def test_an_error_that_nobody_foresaw_is_one_line(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-06"""

    def breaks(*_: object) -> None:
        raise ZeroDivisionError("by\nnothing\x07")

    monkeypatch.setattr("console.commands.status.status_of", breaks)

    answer = keyturn("status")

    assert (answer.code, answer.out) == (70, "")
    said = (
        "keyturn: unexpected ZeroDivisionError: by\ufffdnothing\ufffd; nothing more was done; look at `keyturn status`"
    )
    assert answer.err == said + "\n"


def demo(tmp_path: Path, stack: ExitStack):  # type: ignore[no-untyped-def]
    """The demo's engine in this process, as the program builds it."""
    environ = {"KEYTURN_HOME": str(tmp_path / "home")}
    runtime = demo_runtime(Host.of(environ), DemoOptions(), stack)
    runtime.pace.speed = None
    return runtime


def test_quotes_of_nobody_knows_whom_are_refused(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-03, RK-17: another symbol's quotes would be traded on."""
    quotes = tmp_path / "q.csv"
    quotes.write_text("timestamp,bid_close,bid_size,ask_close,ask_size\n2026-01-05T14:30:00Z,1,1,1.01,1\n")

    answer = keyturn("replay", bars, "--quotes", quotes, "--headless", "--json")

    assert answer.code == 2
    assert "q.csv: its name does not begin with a symbol" in answer.err


def test_what_a_signal_was_not_staged_for_is_in_the_report(keyturn: Keyturn, bars: Path) -> None:
    """ST-03, RK-01: every bar is accounted for."""
    narrow = ("--set", "risk.max_notional.usd=1", "--set", "risk.min_notional=1")

    found = keyturn("replay", bars, "--headless", "--json", *narrow).json

    assert found["proposals"] == []
    assert set(found["skipped"]) == {"notional"}
    assert sum(found["no_trade"].values()) + found["skipped"]["notional"] == found["bars"]


def test_a_replay_whose_journal_cannot_be_written_gives_no_result(bars: Path, tmp_path: Path) -> None:
    """SP-06: the limit on a file's size is a full disk's error at the real write."""
    program = (
        "import resource, signal, sys, app; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); sys.argv = ['keyturn', *sys.argv[1:]]; app.main()"
    )
    words = [
        "replay",
        str(bars),
        "--headless",
        "--json",
        "--operator",
        "confirm-all",
        "--journal-dir",
        str(tmp_path / "j"),
    ]

    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "KEYTURN_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "halted, nothing more was sent" in ended.stderr


def test_the_stress_desk_takes_no_other_operator(keyturn: Keyturn) -> None:
    """OP-10: what prepares it is its own."""
    answer = keyturn("demo", "--stress", "--headless", "--operator", "confirm-all")

    assert (answer.code, answer.err) == (
        2,
        "keyturn: --stress brings an operator of its own; leave --operator out\n",
    )
