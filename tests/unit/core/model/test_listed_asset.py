"""The search in a broker's list: an exact symbol, then symbols that begin so, then names by the beginnings of their
words (MD-06).
"""

from __future__ import annotations

from core.model.reference_data import MOST_FOUND, AssetList, ListedAsset
from core.model.values import Symbol
from tests.kit.rows import table


def listed(symbol: str, name: str) -> ListedAsset:
    return ListedAsset(Symbol(symbol), name, "NYSE", is_shortable=True, is_fractionable=True)


SHARES = AssetList(
    [
        listed("AA", "Alcoa Corporation"), listed("AAPL", "Apple Inc. Common Stock"),
        listed("APLE", "Apple Hospitality REIT, Inc."), listed("BRK.B", "Berkshire Hathaway Inc. Class B"),
        listed("INC", "Income Trust"), listed("T", "AT&T Inc."),
    ],
)  # fmt: skip


@table(
    "typed found",
    ("aa", ["AA", "AAPL"]),
    ("AAPL", ["AAPL"]),
    ("apple", ["AAPL", "APLE"]),
    ("hosp app", ["APLE"]),
    ("inc", ["INC", "AAPL", "APLE", "BRK.B", "T"]),
    ("brk.b", ["BRK.B"]),
    ("pple", []),
    ("apple berk", []),
    ("", ["AA", "AAPL", "APLE", "BRK.B", "INC", "T"]),
    ("  ", ["AA", "AAPL", "APLE", "BRK.B", "INC", "T"]),
    ("&", []),
)
def test_symbols_are_found_before_names(typed: str, found: list[str]) -> None:
    assert [asset.symbol for asset in SHARES.find(typed)] == found


def test_an_answer_is_bounded() -> None:
    many = AssetList([listed(f"Z{number:03}", "Zed Holdings") for number in range(500)] + [listed("Z", "Zillow")])

    found = many.find("z")

    assert len(found) == MOST_FOUND
    assert found[0].symbol == "Z"
