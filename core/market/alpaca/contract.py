"""The fields of Alpaca's market data that this adapter reads (MD-07), checked against Alpaca's own description."""

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

CORPORATE_ACTIONS = ApiRecord(
    "a page of corporate actions",
    "GET /v1/corporate-actions",
    "corporate_actions_resp",
    (
        ApiField("corporate_actions", OBJECT, absent="there are none"),
        ApiField("next_page_token", TEXT, absent="it was the last page"),
    ),
)

CORPORATE_ACTION = ApiRecord(
    "a corporate action",
    "GET /v1/corporate-actions, a list a kind",
    "",
    (
        ApiField("symbol", TEXT, absent="another field names its share"),
        ApiField("source_symbol", TEXT, absent="it is no spin-off"),
        ApiField("acquiree_symbol", TEXT, absent="it is no merger"),
        ApiField("old_symbol", TEXT, absent="its share keeps its name"),
        ApiField("ex_date", TEXT, absent="another day is that on which it counts"),
        ApiField("effective_date", TEXT, absent="it has an ex date"),
        ApiField("process_date", TEXT),
        ApiField("payable_date", TEXT, absent="when it is paid is not told"),
        ApiField("rate", NUMBER, absent="no cash is paid a share"),
        ApiField("old_rate", NUMBER, absent="the number of shares stays"),
        ApiField("new_rate", NUMBER, absent="the number of shares stays"),
    ),
)

RECORDS = (BAR, QUOTE, STATUS, BARS, QUOTES, CORPORATE_ACTIONS, CORPORATE_ACTION)
"""All records that this adapter reads from answers; the stream's control messages belong to its protocol."""
