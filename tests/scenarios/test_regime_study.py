"""`keyturn regime-study` as its user calls it, and the files that it refuses (AN-07)."""

from __future__ import annotations

from pathlib import Path

from tests.data import days_of
from tests.kit.rows import cases
from tests.scenarios.backtests import keyturn_at


def test_every_figure_is_in_the_json_and_the_tables(tmp_path: Path) -> None:
    """AN-07, SY-08: three states of each method, and a row for each day"""
    days = days_of("SPY").read_text().splitlines(keepends=True)[:401]
    (tmp_path / "SPY_daily.csv").write_text("".join(days))

    found = keyturn_at(tmp_path / "home")(
        "regime-study", tmp_path / "SPY_daily.csv", "--json", "--csv", tmp_path / "tables"
    )

    assert found.code == 0
    assert [(row["method"], row["state"]) for row in found.json["states"]] == [
        (method, number) for method in ("k-means", "hidden Markov model") for number in (1, 2, 3)
    ]
    assert len(found.json["labels"]) == 351
    assert {path.name for path in (tmp_path / "tables").iterdir()} >= {"states.csv", "labels.csv"}


@cases(
    "symbol words",
    ("AAPL", ()),
    ("SPY", ("--trades", "VIX")),
    ("VIX", ()),
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, symbol: str, words: tuple[str, ...]) -> None:
    """AN-07, MD-08: a split in it, other columns"""
    options = [days_of(word) if word == "VIX" else word for word in words]
    found = keyturn_at(tmp_path / "home")("regime-study", days_of(symbol), *options)

    assert found.code == 2
    assert len(found.err.splitlines()) == 1
