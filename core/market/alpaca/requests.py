"""Requests to Alpaca's data service, each with a time-out: pages of bars and latest quotes.

Alpaca's own client has the addresses, headers and keys. Its handling of answers is bypassed: it waits without limit,
retries by itself, parses numbers as floats and fails on `null`. Retries are in `history`, with their pauses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import requests
from pydantic import SecretStr
from urllib3.exceptions import HTTPError, ReadTimeoutError

from core.io.alpaca_py import StockHistoricalDataClient
from core.io.http_requests import (
    LARGEST_BODY,
    LIMITED,
    OK,
    Reply,
    TooMuchError,
    http_session,
    is_unnamed,
    reply_to,
    within,
)
from core.io.proxies import ProxyRefusedError, by_proxy, proxy_of
from core.market.alpaca.failure import Counts, Failure, Seen, asked_for
from core.market.alpaca.parsing import BARS, CORPORATE_ACTIONS, NEWS, QUOTES, read_actions, read_bar, read_quote, shown
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.api_contract import Redaction
from core.model.bar import ONE_MINUTE, Feed
from core.model.lazy_dataclass import dataclass
from core.model.reference_data import CorporateAction
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings

Adjustment = Literal["raw", "split"]
"""Unadjusted prices, or adjusted for splits. Alpaca's default is the first."""
Frame = Literal["1Min", "1Day"]
PAGE = 10_000
"""Most bars in one answer: Alpaca's limit."""
MOST = 1000
"""Corporate actions in one answer: Alpaca's limit."""
MOST_ARTICLES = 50
"""Articles in one answer: Alpaca's limit."""
CONNECTIONS = 16
KEYS_REFUSED = (401, 403)
ABOUT_SYMBOLS = (400, 404, 422)
"""Status of a request with an unknown symbol, whatever the other symbols are."""
SERVER_ERROR = 500
LONGEST_NUMBER = 40
"""Digits."""
NO_NUMBER = Decimal("NaN")
PLACE = "Alpaca's history"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the requested bars; `token` requests the next page, None after the last."""

    bars: list[BarArrived | MarketDataBroken]
    token: str | None
    has_null: bool


class AskError(Exception):
    """A failed request; the message has the reason and the remedy."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class NullError(AskError):
    """`null` in place of bars: no bars, or an answer that is not ready. Another request may tell which."""


class DataRequests(StockHistoricalDataClient):
    """Blocks; thread-safe. Every request has ended by the sum of its time-outs."""

    def __init__(self, settings: AlpacaSettings, key: SecretStr, secret: SecretStr, counts: Counts) -> None:
        super().__init__(
            api_key=key.get_secret_value(),
            secret_key=secret.get_secret_value(),
            raw_data=True,
            url_override=settings.data_url.rstrip("/") or None,
        )
        self._counts = counts
        self.hide = Redaction(secret, key)
        self._feed = Feed(settings.feed)
        self._timeout = (float(settings.connect_seconds), float(settings.read_seconds))
        self._session = http_session(settings.data_url, CONNECTIONS)

    def __repr__(self) -> str:
        return "DataRequests()"

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────

    def bars_page(
        self,
        symbols: Sequence[Symbol],
        start: datetime,
        end: datetime,
        token: str | None,
        *,
        believes_null: bool,
        frame: Frame = "1Min",
        adjustment: Adjustment = "raw",
    ) -> Page:
        """Return one page of bars that begin from `start` to before `end`.

        Raises `AskError`; `NullError` unless `null` is believed to mean that there are none.
        """
        question = {
            "symbols": ",".join(symbols),
            "timeframe": frame,
            **({} if adjustment == "raw" else {"adjustment": adjustment}),
            "start": _stamp(start),
            "end": _stamp(end - ONE_MINUTE / 60),
            "limit": PAGE,
            "feed": self._feed.value,
            "sort": "asc",
        }
        if token is not None:
            question["page_token"] = token
        answer = self._ask("/stocks/bars", question)
        bars, following = (answer.get(BARS.field(name).name) for name in ("bars", "next_page_token"))
        has_null = bars is None or (isinstance(bars, Mapping) and None in bars.values())
        if has_null and not believes_null:
            self._counts.see(Seen.EMPTY)
            raise NullError(Failure("Alpaca's history sent null in place of bars; it is asked again"))
        token = following if isinstance(following, str) and following else None
        return Page(self._bars(bars, symbols), token, has_null)

    def latest_quotes(self, symbols: Sequence[Symbol]) -> list[QuoteArrived | MarketDataBroken]:
        """Return the newest quote of each symbol that has one. Raises `AskError`."""
        answer = self._ask("/stocks/quotes/latest", {"symbols": ",".join(symbols), "feed": self._feed.value})
        quotes = answer.get(QUOTES.field("quotes").name)
        if not isinstance(quotes, Mapping):
            self._counts.see(Seen.EMPTY)
            return []
        return [
            read_quote(symbol, quotes[symbol], "Alpaca's latest quotes", self._feed)
            for symbol in symbols
            if quotes.get(symbol) is not None
        ]

    def corporate_actions(
        self, symbols: Sequence[Symbol], first: date, last: date, token: str | None
    ) -> tuple[list[CorporateAction | MarketDataBroken], str | None]:
        """Return one page of actions processed from `first` to `last`, and the token of the next page.

        Raises `AskError`.
        """
        question = {"symbols": ",".join(symbols), "start": first.isoformat(), "end": last.isoformat(), "limit": MOST}
        if token is not None:
            question["page_token"] = token
        answer = self._ask("/corporate-actions", question, api_version="v1")
        following = answer.get(CORPORATE_ACTIONS.field("next_page_token").name)
        return read_actions(answer, symbols), following if isinstance(following, str) and following else None

    def news(self, symbols: Sequence[Symbol], start: datetime, token: str | None) -> tuple[list[object], str | None]:
        """Return one page of articles updated since `start`, the newest first, and the token of the next page.

        Raises `AskError`.
        """
        question = {"symbols": ",".join(symbols), "start": _stamp(start), "limit": MOST_ARTICLES, "sort": "desc"}
        if token is not None:
            question["page_token"] = token
        answer = self._ask("/news", question, api_version="v1beta1")
        articles, following = (answer.get(NEWS.field(name).name) for name in ("news", "next_page_token"))
        if articles is not None and not isinstance(articles, list):
            raise AskError(Failure(f"Alpaca's news: {shown(articles)} is no list"))
        return articles or [], following if isinstance(following, str) and following else None

    def _bars(self, bars: object, symbols: Sequence[Symbol]) -> list[BarArrived | MarketDataBroken]:
        if bars is None:
            self._counts.see(Seen.EMPTY)
            return []
        if not isinstance(bars, Mapping):
            return [MarketDataBroken(PLACE, f"bars {shown(bars)} are no record by symbol")]
        self._counts.see(Seen.NOT_ASKED_FOR, len(bars.keys() - set(symbols)))
        return [bar for symbol in symbols if symbol in bars for bar in self._bars_of(symbol, bars[symbol])]

    def _bars_of(self, symbol: Symbol, rows: object) -> list[BarArrived | MarketDataBroken]:
        if rows is None:
            self._counts.see(Seen.EMPTY)
            return []
        if not isinstance(rows, list):
            return [MarketDataBroken(PLACE, f"{symbol} bars: {shown(rows)} are no list")]
        self._counts.see(Seen.EMPTY, sum(row is None for row in rows))
        return [read_bar(symbol, row, PLACE) for row in rows if row is not None]

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, path: str, question: dict[str, Any], **of_its_own: str) -> Record:
        answer: object = self.get(path, question, **of_its_own)
        if not isinstance(answer, Mapping):
            words = f"Alpaca's data service answered {path} with {shown(answer)}, which is no record"
            raise AskError(Failure(f"{words}; it is asked again"))
        return answer

    def _one_request(self, method: str, url: str, opts: dict[str, Any], _retry: int) -> dict[str, Any]:
        """Send once, with time-outs and Decimal numbers; every failure is an `AskError`, never the library's error."""
        self._counts.ask(f"{method} {_path(url)}")
        try:
            proxy_of(url)
            with within(sum(self._timeout)):
                reply = reply_to(self._session, method, url, self._timeout, opts)
        except ProxyRefusedError as error:
            raise AskError(Failure(f"Alpaca's data service: {error}")) from None
        except (requests.Timeout, ReadTimeoutError) as error:
            raise AskError(
                Failure(f"Alpaca's data service did not answer in time at {_path(url)}{by_proxy(url)}")
            ) from error
        except (requests.RequestException, HTTPError, ValueError) as error:
            why = "its name cannot be looked up" if is_unnamed(error) else type(error).__name__
            words = f"Alpaca's data service cannot be reached at {_path(url)} ({why}){by_proxy(url)}"
            raise AskError(Failure(f"{words}; check the network and alpaca.data_url")) from error
        except TooMuchError:
            words = f"Alpaca's data service answered with more than {LARGEST_BODY // 2**20} MiB; it is asked again"
            raise AskError(Failure(words)) from None
        if reply.status != OK:
            failure = _refusal(reply)
            raise AskError(replace(failure, words=self.hide(failure.words)))
        try:
            answer: dict[str, Any] = json.loads(reply.body, parse_float=_figure, parse_int=_whole_number)
        except (ValueError, RecursionError) as error:
            raise AskError(Failure(f"Alpaca's data service sent no JSON at {_path(url)}; it is asked again")) from error
        return answer


def _figure(text: str) -> Decimal:
    """Parse exactly; a number beyond all measure becomes NaN, so that only its own field is unreadable."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return NO_NUMBER


def _whole_number(text: str) -> int | Decimal:
    return int(text) if len(text) <= LONGEST_NUMBER else NO_NUMBER


def _refusal(reply: Reply) -> Failure:
    status = reply.status
    at_least = asked_for(reply.headers.get("Retry-After")) or timedelta(0)
    if status == LIMITED:
        return Failure("too many requests to Alpaca's data service (429); it is asked again, slower", at_least=at_least)
    if status >= SERVER_ERROR:
        return Failure(f"Alpaca's data service has an error on its side ({status})", at_least=at_least)
    said = _message(reply.body)
    if status in KEYS_REFUSED:
        advice = "check the keys, and whether your plan has the feed of alpaca.feed"
        return Failure(f"Alpaca's data service refused ({status}{said}): {advice}", is_refused=True)
    words = f"Alpaca's data service refused the question ({status}{said}): check `symbols`"
    return Failure(words, is_refused=True, may_be_a_symbol=status in ABOUT_SYMBOLS)


def _message(body: bytes) -> str:
    """Return the message of a JSON answer; an HTML page has none."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f" {shown(message)}"


def _path(url: str) -> str:
    return "/" + url.split("://", 1)[-1].partition("/")[2]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
