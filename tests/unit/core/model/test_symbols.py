"""A symbol from outside is read in one place: no letter of another alphabet becomes one of a share (SY-06, EX-11)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.screens.watchlist import Drop, read_alert
from core.files.basket_file import BasketFileError, read_plan
from core.files.csv_files import COLUMNS, TableError, read_trades
from core.model.instrument import capitals, small_letters, symbol_in
from core.model.reference_data import AssetList, ListedAsset
from core.model.values import Symbol
from state.home_files import WatchlistFiles
from tests.kit.rows import table

ROOT = Path(__file__).parents[4]
LOOKALIKES = ("\u017fpy", "\ufb00", "\u0131", "\u00df", "\u0149", "sp\u200by", "\uff33\uff30\uff39", "\u212a")
"""`str.upper` or a compatible form makes SPY, FF, I, SS, ʼN, SPY and K of them."""


@table("text, symbol", ("spy", "SPY"), ("Brk.b", "BRK.B"), ("btc/usd", "BTC/USD"), ("", None), ("1x", None))
def test_a_symbol_is_read_in_either_case(text: str, symbol: str | None) -> None:
    assert symbol_in(text) == symbol


@pytest.mark.parametrize("text", LOOKALIKES, ids=ascii)
def test_no_lookalike_becomes_a_symbol(text: str, tmp_path: Path) -> None:
    """Of the parser, a plan, a history of trades, a watchlist and the search"""
    assert symbol_in(text) is None
    assert not capitals(text).isascii()
    trades, lists = tmp_path / "trades.csv", tmp_path / "watchlists"
    with pytest.raises(BasketFileError, match="is no symbol such as SPY"):
        read_plan(tmp_path / "plan.csv", f"symbol,side,quantity\n{text},sell,1\n")
    row = f"2026-11-19T15:00:00Z,2026-11-19T15:10:00Z,{text},long,-0.01,stop_loss"
    trades.write_text(f"{','.join(COLUMNS)}\n{row}\n")
    with pytest.raises(TableError, match="is no symbol such as SPY"):
        read_trades(trades)
    lists.mkdir()
    (lists / "mine.toml").write_text(f'symbols = ["{text}"]\n')
    seen = WatchlistFiles(lists).look()
    assert seen is not None
    assert (seen.lists, seen.unread) == ((), ("mine",))
    shares = [ListedAsset(Symbol(s), "", "", is_shortable=True, is_fractionable=True) for s in ("FF", "I", "K", "SPY")]
    found = AssetList(shares)
    assert found.find(text) == ()


OF_ANY_ALPHABET = {
    "core/model/notification_sanitizer.py": "it looks at words of people",
    "state/proof/parts.py": "how a signed line is split never changes",
}


def test_digits_from_outside_are_those_of_ascii() -> None:
    """`\\d` and `\\w` of a text take every alphabet's: a pattern says that it reads ASCII"""
    paths = (path for folder in ("console", "core", "state", "widgets") for path in (ROOT / folder).rglob("*.py"))
    found = {path.relative_to(ROOT).as_posix() for path in paths if any(map(_reads_any_digit, _calls_in(path)))}
    assert found == {*OF_ANY_ALPHABET}


def _calls_in(path: Path) -> Iterator[ast.Call]:
    text = path.read_text()
    tree = ast.parse(text if "\\d" in text or "\\w" in text else "")
    return (each for each in ast.walk(tree) if isinstance(each, ast.Call))


def _reads_any_digit(call: ast.Call) -> bool:
    pattern = next((each.value for each in call.args[:1] if isinstance(each, ast.Constant)), None)
    text = ast.unparse(call) if isinstance(pattern, str) and re.search(r"\\[dw]", pattern) else ""
    return text.startswith("re.") and "re.ASCII" not in text


def test_no_word_is_written_with_a_sign_for_kelvin(tmp_path: Path) -> None:
    """Of a plan, an alert and a distance"""
    assert small_letters("MAR\u212aET") == "mar\u212aet"
    with pytest.raises(BasketFileError, match="type"):
        read_plan(tmp_path / "plan.csv", "symbol,side,quantity,type\nSPY,sell,1,mar\u212aet\n")
    assert isinstance(read_alert(Symbol("SPY"), "drop \uff13", None), str)
    assert isinstance(read_alert(Symbol("SPY"), "drop 3", None), Drop)


ROOMS = ("commands", "order_form", "screens")
FOLDERS = (*(f"console/{room}" for room in ROOMS), "core/files", "core/model", "core/settings", "state")
OURS = {
    "core/model/order_terms.py": "order.side.value", "state/credentials.py": "channel",
    "state/settings_file.py": "key", "console/commands/demo.py": "row['side']",
    "console/commands/assembly/settings.py": "name", "console/screens/desk_control.py": "owed",
}  # fmt: skip
"""Words of ours, and names of variables."""


def test_nothing_from_outside_is_put_in_capitals_otherwise() -> None:
    """`str.upper` stands where the word is one of ours alone"""
    found = {
        (str(path.relative_to(ROOT)), match)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for match in re.findall(r"([\w.\[\]']+)\.upper\(\)", path.read_text())
    }
    assert found == {*OURS.items()}
