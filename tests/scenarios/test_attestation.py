"""An account is attested: what its journal says of each control, and what each does at twice its busiest day."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import engine
from core.facts import (
    BarClosed,
    BasketOrderSkipped,
    BreakerOpened,
    OrderCreated,
    OrderStateChanged,
    ProposalStaged,
    TicketOpened,
)
from core.messages.commands import Confirm, Halt, Kill, ListSymbol, OpenTicket
from core.model.instrument import ListKind
from core.model.order import OrderStatus, OrderType, Side
from core.model.session import HOME
from core.model.staging import CheckResult, Review, Verdict
from core.model.values import ProposalId, Symbol, TicketId
from core.risk import gate
from core.risk.checks import order_value
from core.risk.controls import BY_NAME, CONTROLS
from core.risk.gate import passed
from core.risk.standard_gate import standard_gate
from core.risk.trials import First, Trial, Tried
from core.runtime.attest import report, script, trial_market
from core.runtime.attest.report import QUOTES_A_BAR, Attested, Load, Reading, Result, attested, read_of, rows_of
from core.runtime.attest.trial_market import HELD
from core.settings.settings import Settings
from state.files import Home
from state.journal import FileJournal, MemoryJournal
from tests.scenarios.backtests import Keyturn
from tests.scenarios.house import House, a_house_with_a_proposal, a_typed_buy
from tests.scenarios.plans import a_buy, a_floor, opens, passes
from tests.unit.core.brokers.trading_floor import THURSDAY

ACCOUNT = "paper"
AAA = Symbol("AAA")


def account_of(house: House, tmp_path: Path) -> Path:
    """The house's journal as the account of a home; its folder."""
    folder = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account(ACCOUNT)
    folder.prepare()
    with closing(FileJournal(folder)) as journal:
        for record in house.journal.records():
            journal.append(record.at, record.fact)
        journal.sync()
    return folder.path


def a_house_that_refused(settings: Settings | None = None) -> House:
    """At 10:06:05 five shares are typed: 498 USD, where 50 are the most."""
    house = a_house_with_a_proposal(settings=settings or Settings())
    house.until("10:06:05")
    house.presses(a_typed_buy("5"))
    return house


def of(rows: list[dict[str, Any]], control: str) -> dict[str, Any]:
    (row,) = (row for row in rows if row["control"] == control)
    return row


def test_last_trip_is_the_newest_refusal(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-23"""
    house = a_house_that_refused()
    house.until("10:20:00")
    house.presses(a_typed_buy("6"))
    account_of(house, tmp_path)

    rows = keyturn("attest", "--no-run", "--json", "--account", ACCOUNT).json
    told = keyturn("attest", "--no-run", "--account", ACCOUNT).out

    trip = of(rows, "notional")["last_trip"]
    assert (trip["at"], trip["kind"]) == (f"{THURSDAY.isoformat()}T15:20:00Z", "refused")
    assert trip["reason"].partition(" ")[0] == "597.60"
    assert f"{THURSDAY.isoformat()} 10:20:00 New York" in told
    assert of(rows, "trading halt")["last_trip"] is None


def trips_of(house: House, name: str) -> list[tuple[str, str]]:
    """The last trip and the last warning of a control."""
    reading = read_of(house.journal.records(), HOME.day_of)
    found = (reading.trips.get(name), reading.warnings.get(name))
    return [(trip.kind.value, trip.words) for trip in found if trip is not None]


def kinds_of(house: House, name: str) -> list[str]:
    return [kind for kind, _ in trips_of(house, name)]


def a_house_with_a_resting_entry() -> House:
    house = a_floor()
    house.presses(replace(a_typed_buy("10", limit="99.50", stop="99"), symbol=AAA))
    house.presses(OpenTicket(house.last(ProposalStaged).proposal.id))
    passes(house, 1)
    ticket = house.last(TicketOpened).ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 3)
    return house


def test_halt_kill_and_open_breaker_are_trips() -> None:
    """RK-23, OP-07, EX-15"""
    house = a_floor()
    house.presses(Halt("desk"))
    halted = kinds_of(house, "kill switch")
    house.presses(Kill("key"))
    opened = BreakerOpened("5 requests in a row had no answer", None)
    house.desk.record(opened)

    assert halted == ["tripped"]
    assert trips_of(house, "kill switch") == [("tripped", "killed by key")]
    assert trips_of(house, "breaker") == [("tripped", opened.reason)]


def test_cancel_by_a_control_is_a_trip(snapshot: SnapshotAssertion) -> None:
    """RK-23, RK-26, OP-07"""
    found = {}
    for name, command in (("lists", ListSymbol(AAA, ListKind.NEVER, "fraud")), ("kill switch", Kill("key"))):
        house = a_house_with_a_resting_entry()
        house.presses(command)
        passes(house, 3)
        found[name] = trips_of(house, name)
        assert [kind for kind, _ in found[name]] == ["took back"]
    assert found == snapshot


def test_refused_basket_row_is_a_trip(snapshot: SnapshotAssertion) -> None:
    """RK-23, OP-05: when the basket is opened, and at its turn"""
    house = a_floor()
    house.presses(ListSymbol(AAA, ListKind.CLOSE_ONLY, "merger"))
    opens(house, a_buy("AAA"), a_buy("BBB"))
    at_opening = trips_of(house, "lists")
    house.desk.record(BasketOrderSkipped(TicketId("1"), ProposalId("2"), ("notional: 9 USD is over 5 USD", "gone")))

    at_turn = trips_of(house, "notional")
    assert [kind for kind, _ in at_opening + at_turn] == ["refused", "refused"]
    assert [at_opening, at_turn] == snapshot


def test_warning_is_kept_beside_the_refusal() -> None:
    """RK-23, RK-17"""
    house = a_floor()

    def staged(check: str, standing: CheckResult, reason: str) -> None:
        proposal = replace(house.last(ProposalStaged).proposal, id=ProposalId(f"{reason[:9]}"))
        house.desk.record(ProposalStaged(proposal, Review((Verdict(check, standing, reason),))))

    far, near = "110.00 would pay 10 % more", "limit 70.00 is 30 % from the quote, 100.00"
    house.presses(replace(a_typed_buy("10", limit="99.50", stop="99"), symbol=AAA))
    staged("price collar", CheckResult.REFUSES, far)
    staged("price collar", CheckResult.WARNS, "no quote: none seen yet; asked at the ticket")
    staged("quote age", CheckResult.WARNS, "no quote: none seen yet")
    before = trips_of(house, "price collar")
    staged("price collar", CheckResult.WARNS, near)

    assert before == [("refused", far)]
    assert trips_of(house, "quote age") == []
    assert trips_of(house, "price collar") == [*before, ("warned", near)]


def test_json_rows_have_the_fields_of_each_control(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-23"""
    account_of(a_house_that_refused(), tmp_path)

    rows = keyturn("attest", "--no-run", "--json", "--account", ACCOUNT).json

    assert [row["control"] for row in rows] == [check.name for check in standard_gate().checks]
    for row in rows:
        assert [*row][:6] == ["control", "rule", "setting", "is_on", "last_trip", "test"]
        assert row["result"] == Result.NOT_TRIED.value
        assert row["messages"] is None
    assert of(rows, "notional")["setting"] == {
        "risk.max_notional": "50 USD",
        "risk.min_notional": "1",
        "strategies.vwap.limits.max_notional": "1000000000 USD",
    }
    assert of(rows, "stop")["rule"] == ["our own"]


def test_required_control_that_is_off_fails(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-23"""
    account_of(a_house_that_refused(), tmp_path)  # no profile: its exposure is not limited

    answer = keyturn("attest", "--no-run", "--account", ACCOUNT)

    assert answer.code == 1
    assert [line for line in answer.lines if "OFF" in line] == snapshot
    assert answer.lines[-1] == snapshot


def test_settings_are_those_the_engine_applied(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-13"""
    limited = Settings.model_validate({"risk": {**ON, "max_notional": {"usd": "49"}}})
    account_of(a_house_that_refused(limited), tmp_path)
    (tmp_path / "home" / "settings.toml").write_text("[risk.max_notional]\nusd = 20\n")

    answer = keyturn("attest", "--no-run", "--json", "--account", ACCOUNT)

    assert answer.code == 0
    assert of(answer.json, "notional")["setting"]["risk.max_notional"] == "49 USD"
    assert of(answer.json, "portfolio")["is_on"] is True


ON: dict[str, object] = {
    "portfolio": {"max_exposure": "2", "symbol_exposure": "1"},
    "order_size": {"shares": "1000"},
    "collar": {"band": "0.03", "period_band": "0.05"},
    "margin": {"deficit_limit": 3},
    "max_day_value": {"usd": "100000"},
}
"""What is off without a profile, and a rule asks for."""


LASTS = timedelta(minutes=75)
"""All trials fit into it."""
ASKED = len(trial_market.QUOTED) * (LASTS // timedelta(minutes=1)) + 100
"""Messages of the run; a few more than its market has by itself."""


@pytest.fixture(scope="module")
def whole() -> tuple[Attested, MemoryJournal]:
    """One run on the defaults, every control that can be on turned on."""
    risk = {**ON, "protections": {"day_trades": {"enabled": True}}}
    journal = MemoryJournal()
    with pytest.MonkeyPatch.context() as patch:
        ends_after(patch, LASTS)
        return attested(Settings.model_validate({"risk": risk}), ASKED, journal), journal


def test_each_control_holds_and_lets_the_exit_go(whole: tuple[Attested, MemoryJournal]) -> None:
    """RK-23, RK-22"""
    for control in CONTROLS:
        found = whole[0].results[control.name]

        if isinstance(control.trial, Trial):
            assert found.result is Result.HELD, found
        else:
            assert (found.result, found.why) == (Result.NOT_TRIED, control.trial)


@pytest.fixture
def an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session of a run ends after an hour."""
    ends_after(monkeypatch, timedelta(hours=1))


def ends_after(patch: pytest.MonkeyPatch, lasts: timedelta) -> None:
    """The session of a run ends earlier, and its market has fewer messages."""
    ends = trial_market.OPEN + lasts
    for module in (trial_market, report):
        patch.setattr(module, "SESSION", replace(trial_market.SESSION, close=ends))
        patch.setattr(module, "LEAST", len(trial_market.QUOTED) * (lasts // timedelta(minutes=1)))
    for module in (script, report):
        patch.setattr(module, "AFTER", ends + timedelta(minutes=2))
    patch.setattr(script, "LAST_AT", ends - timedelta(minutes=10))


@pytest.mark.usefixtures("an_hour")
def test_row_names_the_value_tried(snapshot: SnapshotAssertion) -> None:
    """RK-23"""
    settings = Settings.model_validate({"risk": {"spread_of_stop_limit": "1"}})
    tried = [BY_NAME[name] for name in ("spread", "notional", "stop")]
    found = attested(settings, 0, MemoryJournal(), controls=tried)

    spread, *others = rows_of(settings, Reading(), found, tried)

    assert [spread.on, spread.result] == snapshot
    assert [(row.on, row.result) for row in others] == [("on", "held"), ("on", "held")]
    told = spread.as_json(Load("none"))
    assert (told["is_on"], told["result"]) == (True, Result.HELD.value)
    assert told["not_limited"] == snapshot


def test_run_sends_as_many_messages_as_asked(whole: tuple[Attested, MemoryJournal]) -> None:
    """RK-23: beside them are those of the orders."""
    assert ASKED <= whole[0].messages < ASKED + 1_500


@pytest.mark.usefixtures("an_hour")
def test_planted_faults_are_found(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """RK-23: three faults are planted."""
    kept = [check for check in standard_gate().checks if check.name != "spread"]
    monkeypatch.setattr(engine, "standard_gate", lambda: gate.Gate(kept))
    monkeypatch.setattr(order_value.NotionalCheck, "review", lambda *_: passed("notional", "looked away"))
    monkeypatch.setattr(gate, "_warning", lambda verdict: verdict)
    tried = [BY_NAME[name] for name in ("kill switch", "notional", "spread", "stop")]

    found = attested(Settings(), 0, MemoryJournal(), controls=tried).results

    failed = {name: each.why for name, each in found.items() if each.result is Result.DID_NOT_HOLD}
    assert failed == snapshot
    assert found["stop"].result is Result.HELD


@pytest.mark.usefixtures("an_hour")
def test_blocked_plain_order_proves_nothing(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """RK-23: whoever refuses everything has proved nothing."""
    monkeypatch.setattr(engine, "standard_gate", lambda: gate.Gate([_No()]))

    found = attested(Settings(), 0, MemoryJournal(), controls=[BY_NAME["stop"]]).results["stop"]

    assert found.result is Result.NOT_TRIED
    assert found.why == snapshot


class _No:
    name = "no"

    def review(self, *_: object) -> Any:
        raise RuntimeError("never")


@pytest.mark.usefixtures("an_hour")
def test_run_depends_on_the_seed() -> None:
    """RK-23, MD-05"""

    def fingerprint(seed: int) -> str:
        journal = MemoryJournal()
        attested(Settings(), 0, journal, seed=seed, controls=[BY_NAME["kill switch"]])
        return journal.fingerprint()

    found = fingerprint(3)
    assert found == fingerprint(3)
    assert found != fingerprint(4)


@pytest.mark.usefixtures("an_hour")
def test_run_leaves_the_account_untouched(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-23"""
    house = a_house_that_refused()
    folder, page = account_of(house, tmp_path), tmp_path / "controls.html"
    before = files_of(folder.parent)
    bars = len(house.facts(BarClosed))

    answer = keyturn("attest", "--json", "--account", ACCOUNT, "--html", page)

    rows = answer.json
    assert answer.code == 1  # portfolio is off
    assert {row["control"] for row in rows if row["result"] == "did not hold"} == set()
    assert of(rows, "notional")["result"] == "held"
    assert of(rows, "portfolio")["why"] == "it is off"
    day, many = re.match(r"(\S+): ([\d,]+) messages", rows[0]["busiest_day"]).groups()  # type: ignore[union-attr]
    assert (day, int(many.replace(",", "")) // (QUOTES_A_BAR + 1)) == (THURSDAY.isoformat(), bars)
    assert rows[0]["messages"] >= max(report.LEAST, 2 * int(many.replace(",", "")))
    assert files_of(folder.parent) == before
    assert reads_alone(page.read_text()) == [row["control"] for row in rows]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reads_alone(text: str) -> list[str]:
    """The first cell of each row of a page that asks for nothing beside it."""
    reader = _Reader()
    reader.feed(text)
    assert reader.asks == []
    assert "url(" not in text
    assert "@import" not in text
    return reader.controls


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.asks: list[tuple[str, str]] = []
        self.controls: list[str] = []
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asks += [(tag, name) for name, _ in attrs if name in ("src", "href", "data", "action")]
        self._cells = 0 if tag == "tr" else self._cells + (tag == "td")

    def handle_data(self, data: str) -> None:
        if self._cells == 1 and data.strip():
            self.controls.append(data)


def test_invalid_requests_are_refused_before_the_run(keyturn: Keyturn, snapshot: SnapshotAssertion) -> None:
    """SY-07"""
    answers = [keyturn("attest", *words) for words in (("--html", "/nowhere/at/all.html"), ("--account", "nobody"))]

    assert {(answer.code, answer.out, answer.err.count("\n")) for answer in answers} == {(2, "", 1)}
    assert [answer.err for answer in answers] == snapshot


@pytest.mark.usefixtures("an_hour")
def test_orders_beside_the_tried_one(snapshot: SnapshotAssertion) -> None:
    """RK-23: for checks that look at orders beside the one that is tried."""
    after_two = Trial({"risk.entries_a_day": 3}, first=First.ENTRY)  # of what is held, and the plain one
    over_a_sale = Trial({"risk.max_notional": {"usd": "2"}}, Tried.HIGH_LIMIT, First.RESTING_SALE)
    tried = (replace(BY_NAME["trade frequency"], trial=after_two), replace(BY_NAME["notional"], trial=over_a_sale))
    journal = MemoryJournal()

    found = attested(Settings(), 0, journal, controls=tried).results

    assert [each.result for each in found.values()] == [Result.HELD, Result.HELD]
    assert found["trade frequency"].why == snapshot
    facts = [record.fact for record in journal.records()]
    (sale,) = [f.order for f in facts if isinstance(f, OrderCreated) and f.order.type is OrderType.LIMIT]
    ends = [f.after for f in facts if isinstance(f, OrderStateChanged) and f.client_order_id == sale.client_order_id]
    assert (sale.symbol, sale.side, ends[-1]) == (HELD, Side.SELL, OrderStatus.CANCELLED)
