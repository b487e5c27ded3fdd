"""The forms of files of bars: each vendor's and program's columns, clock and numbers, over real bars of SPY.

Nothing of the product is imported here. `tests/scenarios/vendor_files.py` has the parts of which a form is made.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pandas as pd

from tests.scenarios.vendor_files import (
    FIGURES,
    MINUTE,
    NEW_YORK,
    OHLC,
    OHLCV,
    C,
    H,
    L,
    O,
    Row,
    V,
    Vendor,
    as_,
    at,
    billionths,
    clock,
    continental,
    day,
    days_between,
    dollars,
    epoch,
    grouped,
    gzipped,
    in_encoding,
    in_millions,
    lean,
    local_day,
    midnight,
    minutes_between,
    multiplied,
    packed_as_zip,
    reader,
    said,
    serial,
    since_1970,
    text,
    utc,
    with_a_comma,
    zoned,
)

MORNING = minutes_between("2013-10-08 09:30", "2013-10-08 11:09")
SESSION = minutes_between("2013-10-08 09:30", "2013-10-08 15:59")
TWO_AFTERNOONS = (
    *minutes_between("2013-10-08 14:10", "2013-10-08 15:59"),
    *minutes_between("2013-10-09 09:30", "2013-10-09 15:59"),
)
TRADED = frozenset(Random("thin").sample(range(1, 780), 90)) - {390} | {389}
"""Minutes of two sessions: the last of the first one, and neither open."""
THIN = tuple(
    row
    for number, row in enumerate((*SESSION, *minutes_between("2013-10-09 09:30", "2013-10-09 15:59")))
    if number in TRADED
)
EXTENDED = minutes_between("2013-10-08 08:00", "2013-10-08 18:00")
LUNCH = minutes_between("2013-10-08 09:31", "2013-10-08 13:00")
NOVEMBER = days_between("2013-11-13", "2013-11-29")
CHANGED_CLOCKS = days_between("2013-10-28", "2013-11-08")
"""Over the end of daylight saving."""
EARLY_NOVEMBER = days_between("2013-11-04", "2013-11-12")

CAPITALS = ("Open", "High", "Low", "Close", "Volume")
ANGLED = ("<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>")
PLAIN = "timestamp,open,high,low,close,volume"
DAILY = "date,open,high,low,close,volume"
A_SHEET = text(DAILY, at("%Y-%m-%d"), *OHLCV)
OF_A_SHEET = reader(day("%Y-%m-%d", "date"))
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
METATRADER = "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>,<VOL>,<SPREAD>"


def by_end(rows: tuple[Row, ...], form: str = "%Y-%m-%d %H:%M:%S") -> Vendor:
    return Vendor(
        rows,
        text(PLAIN, at(form, shift=MINUTE), *OHLCV),
        reader(clock(form, "timestamp", shift=-MINUTE)),
        zone=NEW_YORK,
    )


VENDORS: dict[str, Vendor] = {
    # ── brokers
    "Alpaca, alpaca-py": Vendor(
        MORNING,
        text(
            "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
            said("SPY"),
            utc("%Y-%m-%d %H:%M:%S+00:00"),
            *OHLCV,
            said("9"),
            C,
        ),
        reader(zoned("timestamp"), symbol="symbol"),
        name="bars.csv",
    ),
    "Alpaca, REST": Vendor(
        MORNING,
        text("t,o,h,l,c,v,n,vw", utc("%Y-%m-%dT%H:%M:%SZ"), *OHLCV, said("9"), C),
        reader(zoned("t"), tuple("ohlcv")),
    ),
    "Interactive Brokers, API": Vendor(
        MORNING,
        text(
            "date,open,high,low,close,volume,barCount,average", at("%Y%m%d %H:%M:%S US/Eastern"), *OHLCV, said("9"), C
        ),
        reader(clock("%Y%m%d %H:%M:%S US/Eastern", "date")),
    ),
    "Interactive Brokers, ib_insync": Vendor(
        MORNING,
        text(
            ",date,open,high,low,close,volume,average,barCount",
            said("0"),
            at("%Y-%m-%d %H:%M:%S-04:00"),
            *OHLCV,
            C,
            said("9"),
        ),
        reader(zoned("date")),
    ),
    "Interactive Brokers, TWS": Vendor(
        MORNING,
        text("Date,Open,High,Low,Close,Volume", at("%Y%m%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y%m%d %H:%M:%S", "Date"), CAPITALS),
    ),
    "Interactive Brokers, TWS, its zone named": Vendor(
        MORNING,
        text("Date,Open,High,Low,Close,Volume", at("%Y%m%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y%m%d %H:%M:%S", "Date"), CAPITALS),
        zone=NEW_YORK,
    ),
    "thinkorswim, a study's report": Vendor(
        MORNING,
        text(
            "Date;Open;High;Low;Close;Volume;",
            at("%m/%d/%y %I:%M %p"),
            *OHLCV,
            said(""),
            separator=";",
            before="Strategy report Symbol: SPY",
        ),
        reader(clock("%m/%d/%y %I:%M %p", "Date"), CAPITALS, sep=";", skiprows=1),
    ),
    "TradeStation": Vendor(
        MORNING,
        text(
            '"Date","Time","Open","High","Low","Close","Up","Down"',
            at("%m/%d/%Y"),
            at("%H:%M", shift=MINUTE),
            *OHLC,
            V,
            said("0"),
        ),
        reader(clock("%m/%d/%Y %H:%M", "Date", "Time", shift=-MINUTE), ("Open", "High", "Low", "Close", "Up")),
    ),
    "NinjaTrader": Vendor(
        MORNING,
        text("", at("%Y%m%d %H%M%S", shift=MINUTE), *OHLCV, separator=";"),
        reader(
            clock("%Y%m%d %H%M%S", 0, shift=-MINUTE), {n: k for k, n in enumerate(FIGURES, 1)}, sep=";", header=None
        ),
    ),
    "MetaTrader 4": Vendor(
        MORNING,
        text("", at("%Y.%m.%d"), at("%H:%M"), *OHLCV),
        reader(clock("%Y.%m.%d %H:%M", 0, 1), {n: k for k, n in enumerate(FIGURES, 2)}, header=None),
    ),
    "MetaTrader 5": Vendor(
        MORNING,
        text(
            METATRADER.replace(",", "\t"),
            at("%Y.%m.%d"),
            at("%H:%M:%S"),
            *OHLC,
            said("77"),
            V,
            said("1"),
            separator="\t",
        ),
        reader(clock("%Y.%m.%d %H:%M:%S", "<DATE>", "<TIME>"), ANGLED, sep="\t"),
    ),
    "MetaTrader 5, with commas": Vendor(
        MORNING,
        text(METATRADER, at("%Y.%m.%d"), at("%H:%M:%S"), *OHLC, said("77"), V, said("1")),
        reader(clock("%Y.%m.%d %H:%M:%S", "<DATE>", "<TIME>"), ANGLED),
    ),
    "MetaTrader 5, days": Vendor(
        NOVEMBER,
        text("<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>,<VOL>", at("%Y.%m.%d"), *OHLC, said("77"), V),
        reader(day("%Y.%m.%d", "<DATE>"), ANGLED),
    ),
    "MetaTrader 5, hyphens, real volume": Vendor(
        MORNING,
        text(METATRADER, at("%Y-%m-%d"), at("%H:%M:%S"), *OHLC, said("77"), V, said("1")),
        reader(clock("%Y-%m-%d %H:%M:%S", "<DATE>", "<TIME>"), ANGLED),
        zone=NEW_YORK,
    ),
    "MetaTrader 5, hyphens, ticks alone": Vendor(
        MORNING,
        text(METATRADER, at("%Y-%m-%d"), at("%H:%M:%S"), *OHLC, V, said("0"), said("1")),
        reader(clock("%Y-%m-%d %H:%M:%S", "<DATE>", "<TIME>"), (*ANGLED[:4], "<TICKVOL>")),
        zone=NEW_YORK,
    ),
    "MetaTrader 5, no real volume": Vendor(
        MORNING,
        text("<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>", at("%Y-%m-%d"), at("%H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", "<DATE>", "<TIME>"), (*ANGLED[:4], "<TICKVOL>")),
        zone=NEW_YORK,
    ),
    "Sierra Chart": Vendor(
        MORNING,
        text(
            "Date, Time, Open, High, Low, Last, Volume, # of Trades",
            at("%Y/%m/%d"),
            at("%H:%M:%S"),
            *OHLCV,
            said("9"),
            separator=", ",
        ),
        reader(clock("%Y/%m/%d %H:%M:%S", "Date", "Time"), ("Open", "High", "Low", "Last", "Volume")),
    ),
    "QuantConnect Lean, minutes": Vendor(
        MORNING,
        text(
            "",
            lambda r: str((r.local - r.local.normalize()) // pd.Timedelta(milliseconds=1)),
            *(as_(n, lambda t: f"{Decimal(t) * 10_000:f}".split(".")[0]) for n in FIGURES[:4]),
            V,
        ),
        lean,
        name="SPY_20131008_minute_trade.csv",
    ),
    # ── vendors
    "Polygon, REST": Vendor(
        MORNING,
        text("v,vw,o,c,h,l,t,n", V, C, O, C, H, L, epoch(10**3), said("7")),
        reader(since_1970("t", "ms"), tuple("ohlcv")),
    ),
    "Polygon, flat file": Vendor(
        MORNING,
        text(
            "ticker,volume,open,close,high,low,window_start,transactions",
            said("SPY"),
            V,
            O,
            C,
            H,
            L,
            epoch(10**9),
            said("7"),
        ),
        reader(since_1970("window_start", "ns"), symbol="ticker"),
        name="2013-10-08.csv",
    ),
    "Databento, decimals": Vendor(
        MORNING,
        text(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            utc("%Y-%m-%dT%H:%M:%S.000000000Z"),
            said("33"),
            said("2"),
            said("15144"),
            *OHLCV,
            said("SPY"),
        ),
        reader(zoned("ts_event"), symbol="symbol"),
        name="xnas.ohlcv-1m.csv",
    ),
    "Databento, raw, its numbers alone": Vendor(
        MORNING,
        text(
            "ts_event,open,high,low,close,volume",
            epoch(10**9),
            *(as_(n, lambda t: f"{Decimal(t) * 10**9:.0f}") for n in FIGURES[:4]),
            V,
        ),
        billionths,
    ),
    "Databento, raw": Vendor(
        MORNING,
        text(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume",
            epoch(10**9),
            said("33"),
            said("2"),
            said("15144"),
            *(as_(n, lambda t: f"{Decimal(t) * 10**9:.0f}") for n in FIGURES[:4]),
            V,
        ),
        billionths,
    ),
    "TradingView, seconds": Vendor(
        MORNING,
        text("time,open,high,low,close,Volume", epoch(1), *OHLCV),
        reader(since_1970("time", "s"), (*FIGURES[:4], "Volume")),
    ),
    "TradingView, ISO 8601": Vendor(
        MORNING,
        text("time,open,high,low,close,Volume", at("%Y-%m-%dT%H:%M:%S-04:00"), *OHLCV),
        reader(zoned("time"), (*FIGURES[:4], "Volume")),
    ),
    "Stooq, page": Vendor(
        NOVEMBER,
        text("Date,Open,High,Low,Close,Volume", at("%Y-%m-%d"), *OHLCV),
        reader(day("%Y-%m-%d", "Date"), CAPITALS),
    ),
    "Stooq, archive of days": Vendor(
        NOVEMBER,
        text(STOOQ, said("SPY"), said("D"), at("%Y%m%d"), said("000000"), *OHLCV, said("0")),
        reader(day("%Y%m%d", "<DATE>"), ANGLED, symbol="<TICKER>"),
        name="spy.txt",
    ),
    "Stooq, archive, the market behind the symbol": Vendor(
        NOVEMBER,
        text(STOOQ, said("SPY.US"), said("D"), at("%Y%m%d"), said("000000"), *OHLCV, said("0")),
        reader(day("%Y%m%d", "<DATE>"), ANGLED, symbol="<TICKER>"),
    ),
    "Yahoo, page": Vendor(
        NOVEMBER,
        text("Date,Open,High,Low,Close,Adj Close,Volume", at("%Y-%m-%d"), *OHLC, said("1.5"), V),
        reader(day("%Y-%m-%d", "Date"), CAPITALS),
    ),
    "Yahoo, copied from the page": Vendor(
        NOVEMBER,
        text(
            "Date,Open,High,Low,Close,Adj Close,Volume",
            at('"%b %d, %Y"'),
            *OHLC,
            said("1.5"),
            as_("volume", grouped),
            newest_first=True,
        ),
        reader(day("%b %d, %Y", "Date"), CAPITALS, dollars),
    ),
    "yfinance, minutes": Vendor(
        MORNING,
        text("Datetime,Open,High,Low,Close,Volume,Dividends", at("%Y-%m-%d %H:%M:%S-04:00"), *OHLCV, said("0.0")),
        reader(zoned("Datetime"), CAPITALS),
    ),
    "yfinance, days": Vendor(
        NOVEMBER,
        text("Date,Open,High,Low,Close,Volume,Dividends", at("%Y-%m-%d 00:00:00-05:00"), *OHLCV, said("0.0")),
        reader(day("%Y-%m-%d 00:00:00-05:00", "Date"), CAPITALS),
    ),
    "yfinance, two lines of names": Vendor(
        NOVEMBER,
        text(
            "Ticker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,", at("%Y-%m-%d"), *OHLCV, before="Price,Open,High,Low,Close,Volume"
        ),
        reader(day("%Y-%m-%d", "Price"), CAPITALS, skiprows=[1, 2]),
    ),
    "Nasdaq.com": Vendor(
        NOVEMBER,
        text(
            "Date,Close/Last,Volume,Open,High,Low",
            at("%m/%d/%Y"),
            as_("close", "${}".format),
            V,
            *(as_(n, "${}".format) for n in FIGURES[:3]),
            newest_first=True,
        ),
        reader(day("%m/%d/%Y", "Date"), ("Open", "High", "Low", "Close/Last", "Volume"), dollars),
    ),
    "Nasdaq.com, dates rewritten": Vendor(
        NOVEMBER,
        text(
            "Date,Close/Last,Volume,Open,High,Low",
            at("%Y-%m-%d"),
            as_("close", "${}".format),
            V,
            *(as_(n, "${}".format) for n in FIGURES[:3]),
        ),
        reader(day("%Y-%m-%d", "Date"), ("Open", "High", "Low", "Close/Last", "Volume"), dollars),
    ),
    "Investing.com": Vendor(
        NOVEMBER,
        text(
            '"Date","Price","Open","High","Low","Vol.","Change %"',
            at("%d-%b-%y"),
            C,
            O,
            H,
            L,
            as_("volume", in_millions),
            said("0.1%"),
        ),
        reader(day("%d-%b-%y", "Date"), ("Open", "High", "Low", "Price", "Vol."), multiplied),
    ),
    "Investing.com, the close renamed": Vendor(
        NOVEMBER,
        text("Date,Close,Open,High,Low,Vol.", at("%d-%b-%y"), C, O, H, L, as_("volume", in_millions)),
        reader(day("%d-%b-%y", "Date"), ("Open", "High", "Low", "Close", "Vol."), multiplied),
    ),
    "Investing.com, dates rewritten": Vendor(
        NOVEMBER,
        text("Date,Close,Open,High,Low,Vol.", at("%Y-%m-%d"), C, O, H, L, as_("volume", in_millions)),
        reader(day("%Y-%m-%d", "Date"), ("Open", "High", "Low", "Close", "Vol."), multiplied),
    ),
    "Barchart": Vendor(
        NOVEMBER,
        text(
            "Time,Open,High,Low,Last,Change,%Chg,Volume",
            at("%m/%d/%Y"),
            *OHLC,
            said("0.1"),
            said("0.1%"),
            V,
            after='"Downloaded from Barchart.com as of 12-02-2013 03:45am CST"\n',
        ),
        reader(day("%m/%d/%Y", "Time"), ("Open", "High", "Low", "Last", "Volume"), skipfooter=1, engine="python"),
    ),
    "Barchart, names and dates rewritten": Vendor(
        NOVEMBER,
        text(
            "Date,Open,High,Low,Close,Volume",
            at("%Y-%m-%d"),
            *OHLCV,
            after='"Downloaded from Barchart.com as of 12-02-2013 03:45am CST"\n',
        ),
        reader(day("%Y-%m-%d", "Date"), CAPITALS, skipfooter=1, engine="python"),
    ),
    "Kibot": Vendor(
        MORNING,
        text("", at("%m/%d/%Y"), at("%H:%M"), *OHLCV),
        reader(clock("%m/%d/%Y %H:%M", 0, 1), {n: k for k, n in enumerate(FIGURES, 2)}, header=None),
        name="SPY_kibot.txt",
    ),
    "FirstRate": Vendor(
        MORNING,
        text("", at("%Y-%m-%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", 0), {n: k for k, n in enumerate(FIGURES, 1)}, header=None),
        name="SPY_full_1min_UNADJUSTED.txt",
        zone=NEW_YORK,
    ),
    "FirstRate, a header added": Vendor(
        MORNING,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
        zone=NEW_YORK,
    ),
    "Tiingo, days": Vendor(
        NOVEMBER,
        text("date,close,high,low,open,volume,adjClose", at("%Y-%m-%dT00:00:00.000Z"), C, H, L, O, V, said("1")),
        reader(day("%Y-%m-%dT00:00:00.000Z", "date")),
    ),
    "Tiingo, IEX minutes": Vendor(
        MORNING,
        text("date,close,high,low,open,volume", utc("%Y-%m-%dT%H:%M:%S.000Z"), C, H, L, O, V),
        reader(zoned("date")),
    ),
    "Alpha Vantage, minutes": Vendor(
        MORNING,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV, newest_first=True),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
    ),
    "Alpha Vantage, its zone named": Vendor(
        MORNING,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV, newest_first=True),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
        zone=NEW_YORK,
    ),
    "Alpha Vantage, days": Vendor(
        NOVEMBER, text(PLAIN, at("%Y-%m-%d"), *OHLCV, newest_first=True), reader(day("%Y-%m-%d", "timestamp"))
    ),
    "EODHD, minutes": Vendor(
        MORNING,
        text(
            "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume",
            epoch(1),
            said("0"),
            utc("%Y-%m-%d %H:%M:%S"),
            *OHLCV,
        ),
        reader(since_1970("Timestamp", "s"), CAPITALS),
    ),
    "Twelve Data": Vendor(
        MORNING,
        text("datetime;open;high;low;close;volume", at("%Y-%m-%d %H:%M:%S"), *OHLCV, separator=";"),
        reader(clock("%Y-%m-%d %H:%M:%S", "datetime"), sep=";"),
    ),
    "Dukascopy": Vendor(
        MORNING,
        text("Gmt time,Open,High,Low,Close,Volume", utc("%d.%m.%Y %H:%M:%S.000"), *OHLCV),
        reader(clock("%d.%m.%Y %H:%M:%S.000", "Gmt time", zone="UTC"), CAPITALS),
    ),
    "Refinitiv": Vendor(
        MORNING,
        text("Date,Open,High,Low,Close,Volume", utc("%d-%b-%Y %H:%M:%S"), *OHLCV),
        reader(clock("%d-%b-%Y %H:%M:%S", "Date", zone="UTC"), CAPITALS),
    ),
    "Alpaca, days": Vendor(
        CHANGED_CLOCKS,
        text("symbol,timestamp,open,high,low,close,volume", said("SPY"), midnight("%Y-%m-%d %H:%M:%S+00:00"), *OHLCV),
        reader(day("%Y-%m-%d %H:%M:%S%z", "timestamp"), symbol="symbol"),
        name="bars.csv",
    ),
    "Interactive Brokers, days": Vendor(
        CHANGED_CLOCKS, text("date,open,high,low,close,volume", at("%Y%m%d"), *OHLCV), reader(day("%Y%m%d", "date"))
    ),
    "Polygon, days": Vendor(
        CHANGED_CLOCKS,
        text("v,vw,o,c,h,l,t,n", V, C, O, C, H, L, midnight("%s000"), said("7")),
        reader(lambda rows: local_day(since_1970("t", "ms")(rows)), tuple("ohlcv")),
    ),
    "TradingView, days": Vendor(
        CHANGED_CLOCKS,
        text("time,open,high,low,close,Volume", epoch(1), *OHLCV),
        reader(since_1970("time", "s"), (*FIGURES[:4], "Volume")),
    ),
    "Databento, days": Vendor(
        CHANGED_CLOCKS,
        text(
            "ts_event,rtype,open,high,low,close,volume,symbol",
            at("%Y-%m-%dT00:00:00.000000000Z"),
            said("35"),
            *OHLCV,
            said("SPY"),
        ),
        reader(day("%Y-%m-%dT00:00:00.000000000Z", "ts_event"), symbol="symbol"),
    ),
    "Google Finance": Vendor(
        NOVEMBER,
        text("Date,Open,High,Low,Close,Volume", at("%m/%d/%Y 16:00:00"), *OHLCV),
        reader(day("%m/%d/%Y 16:00:00", "Date"), CAPITALS),
    ),
    "Google Finance, dates rewritten": Vendor(
        NOVEMBER,
        text("Date,Open,High,Low,Close,Volume", at("%Y-%m-%d 16:00:00"), *OHLCV),
        reader(day("%Y-%m-%d 16:00:00", "Date"), CAPITALS),
    ),
    "HistData": Vendor(
        MORNING,
        text("", at("%Y%m%d %H%M%S"), *OHLCV, separator=";"),
        reader(clock("%Y%m%d %H%M%S", 0), {n: k for k, n in enumerate(FIGURES, 1)}, sep=";", header=None),
    ),
    "Financial Modeling Prep": Vendor(
        MORNING,
        text("date,open,low,high,close,volume", at("%Y-%m-%d %H:%M:%S"), O, L, H, C, V),
        reader(clock("%Y-%m-%d %H:%M:%S", "date")),
        zone=NEW_YORK,
    ),
    # ── spreadsheets, editors and programs
    "a spreadsheet's numbers of days": Vendor(
        NOVEMBER,
        text(DAILY, lambda r: str((r.local.tz_localize(None).normalize() - pd.Timestamp("1899-12-30")).days), *OHLCV),
        reader(serial("date")),
    ),
    "semicolons and decimal commas": Vendor(
        NOVEMBER,
        text(DAILY.replace(",", ";"), at("%Y-%m-%d"), *(as_(n, with_a_comma) for n in FIGURES), separator=";"),
        reader(day("%Y-%m-%d", "date"), number=continental, sep=";"),
    ),
    "quoted decimal commas": Vendor(
        NOVEMBER,
        text(DAILY, at("%Y-%m-%d"), *(as_(n, lambda t: f'"{with_a_comma(t)}"') for n in FIGURES)),
        reader(day("%Y-%m-%d", "date"), number=continental),
    ),
    "thousands separators": Vendor(
        NOVEMBER,
        text(DAILY, at("%Y-%m-%d"), *OHLC, as_("volume", grouped)),
        reader(day("%Y-%m-%d", "date"), number=dollars),
    ),
    "UTF-16": Vendor(NOVEMBER, in_encoding("utf-16", A_SHEET), reader(day("%Y-%m-%d", "date"), encoding="utf-16")),
    "a byte order mark and CRLF": Vendor(
        NOVEMBER, lambda rows: b"\xef\xbb\xbf" + A_SHEET(rows).replace(b"\n", b"\r\n"), OF_A_SHEET
    ),
    "a zip file": Vendor(NOVEMBER, packed_as_zip(A_SHEET), OF_A_SHEET, name="SPY_export.zip"),
    "a workbook": Vendor(
        NOVEMBER, packed_as_zip(A_SHEET), reader(day("%Y-%m-%d", "date"), compression="zip"), name="SPY_export.xlsx"
    ),
    "a gzip file": Vendor(NOVEMBER, gzipped(A_SHEET), OF_A_SHEET, name="SPY_export.csv.gz"),
    "days, the newest first": Vendor(NOVEMBER, text(DAILY, at("%Y-%m-%d"), *OHLCV, newest_first=True), OF_A_SHEET),
    "a clock of twelve hours": Vendor(
        MORNING,
        text(PLAIN, at("%Y-%m-%d %I:%M %p"), *OHLCV),
        reader(clock("%Y-%m-%d %I:%M %p", "timestamp")),
        zone=NEW_YORK,
    ),
    "a clock of twelve hours in its column": Vendor(
        MORNING[:20],
        text("Date,Time,Open,High,Low,Close,Volume", at("%Y-%m-%d"), at("%I:%M %p"), *OHLCV),
        reader(clock("%Y-%m-%d %I:%M %p", "Date", "Time"), CAPITALS),
        zone=NEW_YORK,
    ),
    "years of two digits, last": Vendor(NOVEMBER, text(DAILY, at("%m/%d/%y"), *OHLCV), reader(day("%m/%d/%y", "date"))),
    "years of two digits, after the day": Vendor(
        NOVEMBER, text(DAILY, at("%d.%m.%y"), *OHLCV), reader(day("%d.%m.%y", "date"))
    ),
    "years of two digits, first": Vendor(
        NOVEMBER, text(DAILY, at("%y/%m/%d"), *OHLCV), reader(day("%y/%m/%d", "date"))
    ),
    "days that may be months": Vendor(
        EARLY_NOVEMBER, text(DAILY, at("%m/%d/%Y"), *OHLCV), reader(day("%m/%d/%Y", "date"))
    ),
    "digits of a minute": Vendor(
        MORNING, text(PLAIN, at("%Y%m%d%H%M"), *OHLCV), reader(clock("%Y%m%d%H%M", "timestamp"))
    ),
    "digits of a minute, the zone named": Vendor(
        MORNING, text(PLAIN, at("%Y%m%d%H%M"), *OHLCV), reader(clock("%Y%m%d%H%M", "timestamp")), zone=NEW_YORK
    ),
    "digits of a second, the zone named": Vendor(
        MORNING, text(PLAIN, at("%Y%m%d%H%M%S"), *OHLCV), reader(clock("%Y%m%d%H%M%S", "timestamp")), zone=NEW_YORK
    ),
    # ── what the times stand for
    "a session by its ends": by_end(SESSION),
    "ends, the first day from the afternoon": by_end(TWO_AFTERNOONS),
    "ends of thin minutes": by_end(THIN),
    "ends of extended hours": by_end(EXTENDED),
    "starts of extended hours": Vendor(
        EXTENDED,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
        zone=NEW_YORK,
    ),
    "starts of thin minutes": Vendor(
        THIN,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
        zone=NEW_YORK,
    ),
    "starts up to 13:00": Vendor(
        LUNCH,
        text(PLAIN, at("%Y-%m-%d %H:%M:%S"), *OHLCV),
        reader(clock("%Y-%m-%d %H:%M:%S", "timestamp")),
        zone=NEW_YORK,
    ),
    "a volume of zero": Vendor(tuple(Row(r.start, *r.ohlc, "0") for r in NOVEMBER), A_SHEET, OF_A_SHEET),
}
"""Each by its vendor and form."""
