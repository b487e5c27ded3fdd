"""What tests of reports ask: the report as JSON, its sums, and whether they are those of `keyturn explain`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.post_mortem.page import made_by_strategy
from state.past_days import explained
from tests.scenarios.backtests import Keyturn

NOTHING = Decimal(0)


def told(keyturn: Keyturn, folder: Path, *words: object) -> Any:
    found = keyturn("report", *words, "--journal-dir", folder, "--json")
    assert found.code == 0, found.err
    return found.json


def summed(rows: list[dict[str, Any]], what: str = "amount") -> Decimal:
    return sum((Decimal(row[what]) for row in rows if row[what] is not None), NOTHING)


def assert_sums_are_those_of_explain(keyturn: Keyturn, folder: Path, day: date, rounding: Decimal = NOTHING) -> None:
    """By strategy, by cause and by trade; each trade may be rounded by so much."""
    found = told(keyturn, folder, "--day", day)
    of_explain = keyturn("explain", day, "--journal-dir", folder, "--json").json

    result = sum((summed(trade["parts"]) for trade in of_explain["trades"]), NOTHING)
    sums = [Decimal(found["whole"]["result"]), summed(found["causes"])]
    sums += [summed(found[name], "result") for name in ("strategies", "trades")]
    assert all(abs(each - result) <= rounding * len(of_explain["trades"]) for each in sums)
    assert found["whole"]["equity_change"] == of_explain["equity_change"]
    assert found["rest"] == of_explain["rest"]
    assert found["parts"] == of_explain["parts"]
    if found["explained"] is not None:
        assert Decimal(found["explained"]) + Decimal(found["rest"]) == Decimal(found["whole"]["equity_change"])
    made = made_by_strategy(explained(folder, str(day))[0].let_go)
    assert summed(found["not_taken"], "would_have_made") == sum((part.amount for part in made), NOTHING)
    assert sum(row["entries"] for row in found["not_taken"]) == len(of_explain["not_taken"])
