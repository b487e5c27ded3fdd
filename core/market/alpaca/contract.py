"""What Alpaca promises of its market data, as far as this adapter reads it (MD-07), held to its own description."""

from __future__ import annotations

from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord

TEXT, NUMBER, MOMENT, LIST, OBJECT = (
    ApiFieldKind.TEXT,
    ApiFieldKind.NUMBER,
    ApiFieldKind.MOMENT,
    ApiFieldKind.LIST,
    ApiFieldKind.OBJECT,
)

BAR = ApiRecord(
    "a bar",
    "GET /v2/stocks/bars, and the stream of market data",
    "stock_bar",
    (
        ApiField("t", MOMENT),
        ApiField("o", NUMBER),
        ApiField("h", NUMBER),
        ApiField("l", NUMBER),
        ApiField("c", NUMBER),
        ApiField("v", NUMBER),
    ),
)

QUOTE = ApiRecord(
    "a quote",
    "GET /v2/stocks/quotes/latest, and the stream of market data",
    "stock_quote",
    (
        ApiField("t", MOMENT),
        ApiField("bp", NUMBER),
        ApiField("bs", NUMBER),
        ApiField("ap", NUMBER),
        ApiField("as", NUMBER),
    ),
)

STATUS = ApiRecord(
    "a trading status",
    "the stream of market data",
    "",
    (
        ApiField("t", MOMENT),
        ApiField("sc", TEXT),
        ApiField("sm", TEXT, absent="its code alone says what it is"),
        ApiField("rm", TEXT, absent="no reason was given"),
    ),
)

BARS = ApiRecord(
    "a page of bars",
    "GET /v2/stocks/bars",
    "stock_bars_resp",
    (
        ApiField("bars", OBJECT, absent="asked again, and after three in a row believed: there are none"),
        ApiField("next_page_token", TEXT, absent="it was the last page"),
    ),
)

QUOTES = ApiRecord(
    "the latest quotes",
    "GET /v2/stocks/quotes/latest",
    "stock_latest_quotes_resp",
    (ApiField("quotes", OBJECT, absent="no symbol was quoted: counted, and nothing opens without a quote"),),
)

RECORDS = (BAR, QUOTE, STATUS, BARS, QUOTES)
"""All that this adapter reads of answers; what the stream says of itself is its protocol's."""
