"""What Alpaca promises of its market data, as far as this adapter reads it (MD-07), held to its own description."""

from __future__ import annotations

from core.model.contract import Field, Kind, Record

TEXT, NUMBER, MOMENT, LIST, OBJECT = Kind.TEXT, Kind.NUMBER, Kind.MOMENT, Kind.LIST, Kind.OBJECT

BAR = Record(
    "a bar",
    "GET /v2/stocks/bars, and the stream of market data",
    "stock_bar",
    (
        Field("t", MOMENT),
        Field("o", NUMBER),
        Field("h", NUMBER),
        Field("l", NUMBER),
        Field("c", NUMBER),
        Field("v", NUMBER),
    ),
)

QUOTE = Record(
    "a quote",
    "GET /v2/stocks/quotes/latest, and the stream of market data",
    "stock_quote",
    (Field("t", MOMENT), Field("bp", NUMBER), Field("bs", NUMBER), Field("ap", NUMBER), Field("as", NUMBER)),
)

STATUS = Record(
    "a trading status",
    "the stream of market data",
    "",
    (
        Field("t", MOMENT),
        Field("sc", TEXT),
        Field("sm", TEXT, absent="its code alone says what it is"),
        Field("rm", TEXT, absent="no reason was given"),
    ),
)

BARS = Record(
    "a page of bars",
    "GET /v2/stocks/bars",
    "stock_bars_resp",
    (
        Field("bars", OBJECT, absent="asked again, and after three in a row believed: there are none"),
        Field("next_page_token", TEXT, absent="it was the last page"),
    ),
)

QUOTES = Record(
    "the latest quotes",
    "GET /v2/stocks/quotes/latest",
    "stock_latest_quotes_resp",
    (Field("quotes", OBJECT, absent="no symbol was quoted: counted, and nothing opens without a quote"),),
)

RECORDS = (BAR, QUOTE, STATUS, BARS, QUOTES)
"""All that this adapter reads of answers; what the stream says of itself is its protocol's."""
