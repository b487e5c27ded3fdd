"""The program as a person or a script calls it: what it prints, what it exits with, and what it says when it cannot."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import resource
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.messages.commands import Kill
from state import basket_inbox
from state.files import Home
from state.housekeeping import status_of
from state.running_engine import Heartbeat, Status
from tests.data import MARKET
from tests.scenarios.backtests import Keyturn, only_before
from tests.scenarios.house import a_house_in_a_position


def test_a_replay_tells_everything_as_json(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-05, SP-01: and its fingerprint is the hash of its segments in order."""
    folder = tmp_path / "journal"

    found = keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder).json

    assert found["bars"] == 420
    assert {row["effect"] for row in found["proposals"]} == {"open", "close"}
    assert {row["status"] for row in found["orders"]} <= {"FILLED", "CANCELLED"}
    assert all(row["exit_reason"] in ("STOP_LOSS", "MEAN_REVERSION", "FORCE_FLAT") for row in found["trades"])
    segments = b"".join(path.read_bytes() for path in sorted(folder.glob("*.jsonl")))
    assert found["fingerprint"] == hashlib.sha256(segments).hexdigest()
    assert keyturn("journal", "verify", "--journal-dir", folder).code == 0


def test_speed_does_not_change_the_journal(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-05"""
    script = tmp_path / "keys.txt"
    script.write_text("# buy the first\nat 2026-01-05T15:24:00.5Z key enter\nafter 1 key B\nafter 600 key c\n")

    def fingerprint(speed: str, operator: object) -> object:
        words = ("replay", only_before("16:30", bars), "--headless", "--json", "--operator", operator, "--speed", speed)
        return keyturn(*words).json["fingerprint"]

    assert fingerprint("max", script) == fingerprint("100000", script)
    assert fingerprint("max", "confirm-all") == fingerprint("max", "confirm-all") != fingerprint("max", script)


def test_without_an_operator_no_order_is_sent(keyturn: Keyturn, bars: Path) -> None:
    """OP-01"""
    found = keyturn("replay", bars, "--headless", "--json").json

    assert found["proposals"]
    assert found["orders"] == []


def test_a_set_option_reaches_the_strategy(keyturn: Keyturn, bars: Path) -> None:
    """ST-02"""
    holder = "strategies.vwap.stop_holder=desk"

    found = keyturn("replay", bars, "--headless", "--json", "--operator", "confirm-all", "--set", holder).json

    assert "stop" not in {row["type"] for row in found["orders"]}


REAL_WEEK = {
    "SPY": (1560, 2, ["2013-10-08T14:50:00Z", "2013-10-09T15:09:00Z"]),
    "IBM": (1560, 1, [f"2013-10-08T14:{minute}:00Z" for minute in ("01", "08", "10", "32")]),
    "BAC": (
        1560,
        1,
        [
            *("2013-10-07T15:19:00Z", "2013-10-07T15:21:00Z"),
            *(f"2013-10-08T15:{minute}:00Z" for minute in ("20", "22", "27")),
            "2013-10-09T15:07:00Z",
        ],
    ),
    "AIG": (1559, 2, ["2013-10-08T14:46:00Z", "2013-10-09T14:46:00Z", "2013-10-09T14:49:00Z"]),
}
"""Of each symbol: its bars, how many entries are filled, and when each was proposed."""


@pytest.mark.parametrize("symbol", REAL_WEEK)
def test_a_recorded_week_gives_the_rules_entries(keyturn: Keyturn, symbol: str) -> None:
    """ST-02, MD-03, AN-04, RK-04, RK-09: an entry lives for 90 s, in two minutes; it is filled where the market went
    past its limit in them, and nowhere else; where one was not filled, the rule gives the next. Nothing trips.
    """
    bars, filled, entries = REAL_WEEK[symbol]

    found = the_real_week_of(symbol, keyturn)

    opened = [row for row in found["proposals"] if row["effect"] == "open"]
    assert (found["bars"], found["skipped"], [row["time"] for row in opened]) == (bars, {}, entries)
    lows = real_lows_of(symbol)
    orders = [row for row in found["orders"] if row["side"] == "buy"]
    assert Counter(row["status"] for row in orders) == Counter(FILLED=filled, CANCELLED=len(entries) - filled)
    for row, limit in zip(orders, (Decimal(each["limit_price"]) for each in opened), strict=True):
        minute = datetime.fromisoformat(row["submitted_at"]).replace(second=0, microsecond=0)
        lowest = min(lows[minute], lows[minute + timedelta(minutes=1)])
        assert (row["status"] == "FILLED") == (lowest < limit), row


def the_real_week_of(symbol: str, keyturn: Keyturn, *terms: str) -> Mapping[str, Any]:
    path = MARKET / f"{symbol}_1min_2013-10-07_to_2013-10-10.csv"
    return keyturn("replay", path, "--symbol", symbol, "--headless", "--json", "--operator", "confirm-all", *terms).json


def real_lows_of(symbol: str) -> dict[datetime, Decimal]:
    with (MARKET / f"{symbol}_1min_2013-10-07_to_2013-10-10.csv").open() as rows:
        return {datetime.fromisoformat(row["timestamp"]): Decimal(row["low"]) for row in csv.DictReader(rows)}


def test_a_drawdown_within_the_balance_goes_on(keyturn: Keyturn) -> None:
    """RK-04: BAC made 0.1805 USD on Monday and lost 0.1448 on Tuesday at 15:35 UTC: 0.07 % of a balance of 200.18.

    With nothing between bid and ask: where there is a tick to either side Monday's entry waits, and makes nothing.
    """
    found = the_real_week_of("BAC", keyturn, "--set", "exchange.half_spread_ticks=0")

    assert [row["profit"] for row in found["trades"]] == ["0.1805", "-0.1448", "-0.14532"]
    entries = [row["time"] for row in found["proposals"] if row["effect"] == "open"]
    assert entries == ["2013-10-07T15:19:00Z", "2013-10-08T15:20:00Z", "2013-10-09T15:07:00Z"]
    assert found["skipped"] == {}


def test_journal_why_tells_an_orders_whole_chain(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
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


def test_the_status_of_an_unused_home_is_stopped(keyturn: Keyturn) -> None:
    """SY-07"""
    answer = keyturn("status", "--json")

    assert answer.code == 3
    assert answer.json["state"] == "stopped"
    assert answer.json["heartbeat_age"] is None
    assert {answer.json[name] for name in ("positions", "orders_working", "orders_sent", "journal_sequence")} == {0}


def test_the_status_names_unprotected_shares(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-06, SY-02"""
    folder = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("paper")
    folder.prepare()
    bare, signed = ("SPY 2.5 no stop", "QQQ 1 exit in doubt"), ("QQQ until 16:00 New York",)
    status = Status("trading", 7, "paper", 2, 1, 3, 0, 5, "paper", bare, signed, ("no_stop", "in_doubt"))
    Heartbeat(folder).beat(status)

    told = keyturn("status", "--account", "paper").out
    found = keyturn("status", "--account", "paper", "--json").json

    assert [line for line in told.splitlines() if line.startswith("UN")] == snapshot
    assert (tuple(found["uncovered"]), tuple(found["unattended"])) == (bare, signed)


def test_the_status_has_equity_and_the_gain_of_the_day(keyturn: Keyturn, tmp_path: Path) -> None:
    """SY-08: as the running engine's broker told them; in words to the cent, as text in JSON"""
    told = status_of(a_house_in_a_position().engine, "paper", "on")
    assert (told.equity, told.equity_at, told.day_change) == ("200.00", "2026-11-19T15:06:03Z", "0.00")

    folder = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("paper")
    folder.prepare()
    Heartbeat(folder).beat(replace(told, equity="50003.98", day_change="-1234.50"))

    found = keyturn("status", "--account", "paper", "--json").json
    assert (found["equity"], found["day_change"], found["equity_at"]) == ("50003.98", "-1234.50", told.equity_at)
    line = next(each for each in keyturn("status", "--account", "paper").out.splitlines() if "50,003.98" in each)
    assert "-1,234.50" in line


def test_a_kill_holds_for_a_later_engine(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-08"""
    home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
    home.account("demo").prepare()

    answer = keyturn("kill", "--account", "demo", "--flatten")

    assert (answer.code, answer.out) == (0, snapshot)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.beat()
        runtime.step()
        assert runtime.engine.state.control.killed_by == "command"


def test_the_status_tells_of_a_kill_without_an_engine(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-08"""
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo").prepare()
    assert keyturn("status", "--account", "demo", "--json").json["killed_by"] is None

    keyturn("kill", "--account", "demo")

    found = keyturn("status", "--account", "demo", "--json").json
    assert (found["state"], found["killed_by"]) == ("stopped", "command")


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes: a full disk's error at the real write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


ROWS = "symbol,side,quantity,stop_price\nSPY,buy,0.05,400\n"


def lives(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on while the command waits for its answer."""

    def beat() -> None:
        runtime.beat()
        runtime.step()

    monkeypatch.setattr(basket_inbox, "wait_a_little", beat)


@pytest.mark.parametrize(
    "rows",
    [ROWS, "symbol,side,quantity,stop_price\nSPY,buy,100,400\nQQQ,sell,,\n", "symbol,side\nSPY,sell\n"],
    ids=["waits", "refused in part", "refused"],
)
def test_a_basket_waits_at_the_desk_or_says_why_not(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion, rows: str
) -> None:
    """OP-05: a row that became no order, and an order that the dry run refuses, are each counted with a reason."""
    file = tmp_path / "in.csv"
    file.write_text(rows)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        runtime.step()
        lives(runtime, monkeypatch)

        answer = keyturn("basket", file)

        run = runtime.engine.state.plans.run
        assert (answer.code, answer.out, answer.err.replace(str(tmp_path), "HOME")) == snapshot
        assert (run is not None) is (answer.code == 0)
        if run is not None:
            assert (run.plan.name, run.is_open, run.marked) == ("in.csv", True, set())


def test_an_untaken_basket_is_withdrawn(
    keyturn: Keyturn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
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
        assert answer.err.replace(str(tmp_path), "HOME") == snapshot
        assert runtime.engine.state.plans.run is None


def test_a_basket_needs_a_desk_and_a_readable_file(
    keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """OP-05"""
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo").prepare()
    file = tmp_path / "in.csv"
    file.write_text("symbol,side\nSPY,sell\n")

    checked, alone = keyturn("basket", file, "--check"), keyturn("plan", file, "--account", "demo")
    file.write_text("symbol,side\nSPY,sell\nQQQ,hold\n")
    bad = keyturn("basket", file)

    assert (checked.code, alone.code, bad.code) == (3, 2, 1)
    told = [(answer.out + answer.err).replace(str(tmp_path), "HOME") for answer in (checked, alone, bad)]
    assert told == snapshot


def test_a_basket_is_a_small_regular_file(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-05, SY-06: a device would be read for ever, a pipe waited for."""
    pipe, large = tmp_path / "pipe.csv", tmp_path / "large.csv"
    os.mkfifo(pipe)
    large.write_bytes(b"symbol,side\n" + b"SPY,sell\n" * 200_000)

    answers = [keyturn("basket", file, "--check") for file in ("/dev/zero", pipe, large, tmp_path)]

    assert [answer.code for answer in answers] == [2, 2, 2, 2]
    assert [answer.err.replace(str(tmp_path), "HOME") for answer in answers] == snapshot


def test_an_amount_to_deploy_is_plain_digits(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-18"""
    file = tmp_path / "in.csv"
    file.write_text("symbol,side,stop_price\nSPY,buy,400\n")

    for amount in ("1e3", "1_000", "0", "-5", "x"):
        answer = keyturn("basket", file, "--check", f"--deploy={amount}")

        assert (answer.code, f"--deploy {amount}: " in answer.err) == (2, True), amount


def test_a_second_engine_names_the_firsts_process(keyturn: Keyturn, tmp_path: Path) -> None:
    """SP-04"""
    with ExitStack() as stack:
        demo(tmp_path, stack)

        answer = keyturn("demo", "--headless")

    assert (answer.code, str(os.getpid()) in answer.err) == (2, True)


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


def test_a_broken_file_is_refused_by_line(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """MD-03"""
    head, row = "timestamp,open,high,low,close,volume\n", "2026-01-05T14:30:00Z,1,1,1,1,1\n"
    broken = {
        "empty": "",
        "column missing": "timestamp,open,high,low,close\n2026-01-05T14:30:00Z,1,1,1,1\n",
        "header alone": head,
        "unsorted": f"{head}2026-01-05T14:31:00Z,1,1,1,1,1\n{row}",
        "duplicate": f"{head}{row}{row}",
        "cut off": f"{head}{row}2026-01-05T14:3",
    }
    path, told = tmp_path / "SPY_broken.csv", {}
    for name, content in broken.items():
        path.write_text(content)
        answer = keyturn("replay", path, "--headless", "--json")
        assert (answer.code, answer.err.count("\n")) == (2, 1), name
        told[name] = answer.err.replace(str(path), "FILE")

    assert told == snapshot


def test_bad_rows_are_quarantined(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-03: impossible dates, and a price that is none."""
    lines = bars.read_text().splitlines()[:321]
    for number, time in ((3, "0001-01-01T14:30:00Z"), (5, "9999-12-31T23:59:00Z")):
        lines[number] = f"{time},{lines[number].partition(',')[2]}"
    lines[10] = lines[10].replace(lines[10].split(",")[1], "n/a", 1)
    path = tmp_path / "SPY_three_bad.csv"
    path.write_text("\n".join(lines) + "\n")
    folder = tmp_path / "journal"

    found = keyturn("replay", path, "--headless", "--json", "--journal-dir", folder).json

    assert (found["bars"], found["quarantined"]) == (317, 3)
    assert "SPY_three_bad.csv:11" in keyturn("journal", "tail", "-n", "2000", "--journal-dir", folder).out


def test_a_wrong_option_names_what_is_allowed(keyturn: Keyturn, bars: Path, snapshot: SnapshotAssertion) -> None:
    """OP-10, SY-07"""
    asked = (
        ("--set", "risk.daily_loss.usd=-3"),
        ("--set", 'risk.daily_loss.usd="1e9999"'),
        ("--set", "risk.entries=3"),
        ("--profile", "bold"),
        ("--profile", ""),
        ("--speed", "fast"),
        ("--speed", "1000001"),
        ("--strategy", "momentun"),
        ("--operator", "nobody.txt"),
        ("--operator", "/"),
        ("--set", 'risk.window_start="09:30:00Z"'),
        ("--set", "symbols=SPY"),
        ("--symbol", "IBM"),
    )
    found = {" ".join(words): keyturn("replay", bars, "--headless", "--json", *words) for words in asked}

    assert {words: (answer.code, answer.err.count("\n")) for words, answer in found.items()} == dict.fromkeys(
        found, (2, 1)
    )
    assert {words: answer.err.replace(str(bars), "BARS") for words, answer in found.items()} == snapshot


def test_a_bad_script_is_refused_by_line(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """OP-01"""
    script = tmp_path / "keys.txt"
    for content, named in (
        (b"after 1 key \xff\n", str(script)),
        (b"after 1 key enter\nafter a while key B\n", "keys.txt:2"),
    ):
        script.write_bytes(content)

        answer = keyturn("replay", bars, "--headless", "--operator", script)

        assert (answer.code, named in answer.err, answer.err.count("\n")) == (2, True, 1)


def test_without_a_terminal_it_suggests_headless(keyturn: Keyturn) -> None:
    """OP-07"""
    for words in ((), ("demo",)):
        answer = keyturn(*words)

        assert answer.code == 2
        assert "keyturn demo --headless" in answer.err


def test_a_damaged_journal_is_placed_and_refused(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SP-01"""
    folder = tmp_path / "journal"
    keyturn("replay", only_before("15:00", bars), "--headless", "--json", "--journal-dir", folder)
    segment = sorted(folder.glob("*.jsonl"))[0]
    content = bytearray(segment.read_bytes())
    place = content.index(b'"BarClosed"', len(content) // 2)
    content[place + 2] ^= 0x01
    segment.write_bytes(content)

    answer = keyturn("journal", "verify", "--journal-dir", folder)

    assert answer.code == 1
    assert f"{segment.name}, line {content[:place].count(10) + 1}" in answer.out or segment.name in answer.out


def test_verify_needs_a_journal(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-01"""
    (tmp_path / "home" / "state" / "demo").mkdir(parents=True)
    (tmp_path / "empty").mkdir()

    for words in (("--account", "demo"), ("--journal-dir", tmp_path / "empty")):
        answer = keyturn("journal", "verify", *words)

        assert (answer.code, answer.out) == (2, "")
        assert answer.err.replace(str(tmp_path), "HOME") == snapshot


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

    known = len(lines)
    assert (answer.code, f" {known - 3} of {known}" in answer.out) == (1, True)

    segment.unlink()
    assert f" 0 of {known}" in keyturn("journal", "verify").out


def test_a_count_below_zero_is_refused(keyturn: Keyturn, tmp_path: Path) -> None:
    """SY-07"""
    assert keyturn("journal", "tail", "-n", "-1", "--journal-dir", tmp_path).code == 2


HARMFUL = "\x1b]0;owned\x07\x9b2J\u202e"
"""Would name the window, ring, clear the screen and turn the direction of reading."""


def test_outside_text_is_made_harmless(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SY-06: not in an error, not in words, not in JSON, which stays the same JSON."""
    lines = bars.read_text().splitlines()[:121]
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


def test_an_unexpected_error_is_one_line(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_quotes_of_nobody_knows_whom_are_refused(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """MD-03, RK-17: another symbol's quotes would be traded on."""
    quotes = tmp_path / "q.csv"
    quotes.write_text("timestamp,bid_close,bid_size,ask_close,ask_size\n2026-01-05T14:30:00Z,1,1,1.01,1\n")

    answer = keyturn("replay", bars, "--quotes", quotes, "--headless", "--json")

    assert (answer.code, answer.err.replace(str(tmp_path), "HOME")) == (2, snapshot)


def test_a_replay_counts_why_signals_were_skipped(keyturn: Keyturn, bars: Path) -> None:
    """ST-03, RK-01: every bar is accounted for."""
    narrow = ("--set", "risk.max_notional.usd=1", "--set", "risk.min_notional=1")

    found = keyturn("replay", bars, "--headless", "--json", *narrow).json

    assert found["proposals"] == []
    assert set(found["skipped"]) == {"notional"}
    assert sum(found["no_trade"].values()) + found["skipped"]["notional"] == found["bars"]


def test_a_replay_on_a_full_disk_gives_no_result(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SP-06: the limit on a file's size is a full disk's error at the real write."""
    words = ("--headless", "--json", "--operator", "confirm-all", "--journal-dir", tmp_path / "j")

    with files_end_at(8192):
        answer = keyturn("replay", bars, *words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[-1].replace(str(tmp_path), "HOME") == snapshot


def test_a_full_disk_names_the_file(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-06"""
    with files_end_at(10):
        answer = keyturn("demo", "--headless")

    assert (answer.code, answer.err.replace(str(tmp_path), "HOME")) == (2, snapshot)


def test_the_stress_desk_takes_no_other_operator(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """OP-10: what prepares it is its own."""
    answer = keyturn("demo", "--stress", "--headless", "--operator", "confirm-all")

    assert (answer.code, answer.err) == (2, snapshot)
