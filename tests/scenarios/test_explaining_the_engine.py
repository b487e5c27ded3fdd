"""What the engine does with an input or a fact, as `keyturn journal` explains it to whoever looks for a fault."""

from __future__ import annotations

import json
from pathlib import Path

from console.commands.assembly.routes import routes
from core.facts import BarClosed, OrderFilled
from core.messages.commands import Confirm
from core.messages.inputs import DeadlineReached
from core.runtime.routes import FactRoute, InputRoute
from docs.requirements import ROOT
from tests.scenarios.backtests import Keyturn

KNOWN = routes()


def all_routes() -> list[FactRoute | InputRoute]:
    return [KNOWN.of(name) for name in KNOWN.names]


def test_below_each_record_stands_who_folds_it_and_who_follows_it(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """SY-07"""
    folder = tmp_path / "journal"
    keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--journal-dir", folder)
    tail = ("journal", "tail", "-n", "2000", "--journal-dir", folder)

    plain, explained = keyturn(*tail).out.splitlines(), keyturn(*tail, "--explain").out.splitlines()

    assert explained[::3] == plain
    filled = [pair for pair in zip(explained[1::3], explained[2::3], strict=True) if "OrderFilled is" in pair[0]]
    assert filled
    assert all(
        "folded by orders, exits," in folds and "ProtectiveStops.after_fill" in follows for folds, follows in filled
    )
    told = [json.loads(line) for line in keyturn(*tail, "--explain", "--json").out.splitlines()]
    assert {"orders"} <= {name for row in told if row["fact"] == "OrderFilled" for name in row["folded_by"]}
    assert {tuple(row["followed_by"]) for row in told if row["fact"] == "BarClosed"} == {()}


def test_an_input_is_explained_by_the_workflows_that_it_runs_through(keyturn: Keyturn) -> None:
    """SY-07"""
    words = keyturn("journal", "explain", "AccountFetched").out.splitlines()

    assert words[0] == "AccountFetched, an input"
    assert [line.split()[2] for line in words[1:3]] == ["CircuitBreaker.hear", "AccountUpdates.on_account"]
    assert "  then Reconciliation.settle (core/workflows/reconciliation/reconciliation.py)" in "\n".join(words)
    (found,) = keyturn("journal", "explain", "Confirm", "--json").json
    assert found["is_command"]
    assert found["answered_by"][0]["name"] == "Confirmations.on_confirm"
    assert "Submission" in found["answered_by"][0]["uses"]


def test_a_fact_is_found_by_its_older_name(keyturn: Keyturn) -> None:
    """SP-07"""
    assert keyturn("journal", "explain", "PlanOpened").out == keyturn("journal", "explain", "BasketOpened").out


def test_a_name_that_is_none_is_answered_with_those_near_it(keyturn: Keyturn) -> None:
    """SY-07"""
    answer = keyturn("journal", "explain", "OrderFiled")

    assert answer.code == 2
    assert "did you mean OrderFilled" in answer.err


def test_without_a_name_all_are_listed(keyturn: Keyturn) -> None:
    """SY-07"""
    lines = keyturn("journal", "explain").out.splitlines()

    assert [line.split(",")[0] for line in lines if not line.startswith((" ", "At "))] == list(KNOWN.names)


def test_no_input_hides_a_fact_of_the_same_name() -> None:
    """SY-07"""
    assert len(KNOWN.names) == len(set(KNOWN.names))


def test_every_file_that_is_named_is_there() -> None:
    """SY-07"""
    inputs = [route for route in all_routes() if isinstance(route, InputRoute)]
    files = {step.file for route in inputs for step in (*route.answered_by, *route.due, *route.settled_by)}

    assert len(files) > 20
    assert [file for file in sorted(files) if not (ROOT / file).is_file()] == []


def test_every_input_is_answered_and_the_deadline_names_who_may_be_due() -> None:
    """SY-07"""
    inputs = [route for route in all_routes() if isinstance(route, InputRoute)]

    assert [route.name for route in inputs if not route.answered_by] == []
    assert [route.name for route in inputs if route.due] == [DeadlineReached.__name__]
    assert [step.name for step in KNOWN.of_input(Confirm).answered_by] == ["Confirmations.on_confirm"]


def test_what_folds_any_fact_folds_no_bar() -> None:
    """SY-07: the strategies fold bars on their own, and whatever else another slice folds"""
    assert KNOWN.of_fact(OrderFilled).folded_by[0] == "orders"
    assert "strategies" in KNOWN.of_fact(OrderFilled).folded_by
    assert KNOWN.of_fact(BarClosed).folded_by.count("strategies") == 1
