"""The VIX over HTTP: a whole, sound table of its closes, and one sound value in the day."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.files.csv_files import LARGEST_INDEX, TableError, daily_values
from core.io.http_requests import HttpTimes, NoAnswerError, UnreachableError, answer_of
from core.market.vix import VixError
from core.model.session import XNYS
from core.model.sizing import DailyValue, VixReading
from core.risk.regime import last_reading, plain_level
from core.settings.risk import RegimeSettings

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer; the file of 36 years has half of one million."""


LARGEST_QUOTE = 64 * 1024
"""Bytes of an answer; a quote has less than one thousand."""
HUNDREDTH = Decimal("0.01")
"""The VIX is published to the hundredth."""


LEAST_INDEX = Decimal(5)
"""Points. The lowest value since 1990 was 8.56, on 2017-11-24. A lower one would raise sizes, and is a fault."""


class Quote(BaseModel):
    """`data` of a delayed quote of Cboe.

    `last_trade_time` is the time of `current_price`, by the clock of the exchange where it has no offset.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    symbol: Literal["^VIX"]
    current_price: Decimal = Field(ge=LEAST_INDEX, le=LARGEST_INDEX)
    last_trade_time: datetime


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    data: Quote


class HttpVixSource:
    """Closes. One request per call, without retries."""

    def __init__(self, settings: RegimeSettings) -> None:
        self._settings = settings

    def newest(self) -> VixReading | None:
        return last_reading(self.history())

    def history(self) -> list[DailyValue]:
        url = self._settings.vix_url
        host, content = _asked(self._settings, url, "vix_url", LARGEST, "text/csv")
        try:
            return daily_values(Path(host), content.decode("utf-8-sig"))
        except TableError as error:
            raise VixError(f"the source of the VIX is not read: {error}") from None
        except UnicodeError as error:
            raise VixError(f"{host} sent no text ({type(error).__name__})") from None


class HttpVixQuote:
    """The value in the day, at its level by the default borders alone. One request per call, without retries."""

    def __init__(self, settings: RegimeSettings) -> None:
        self._settings = settings

    def newest(self) -> VixReading:
        url = self._settings.vix_now_url
        host, content = _asked(self._settings, url, "vix_now_url", LARGEST_QUOTE, "application/json")
        try:
            quote = Answer.model_validate_json(content).data
            told = quote.last_trade_time
            at = (told if told.tzinfo is not None else told.replace(tzinfo=XNYS.zone)).astimezone(UTC)
            day = XNYS.day_of(at)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"]) or "its text"
            raise VixError(f"{host} sent no quote of the VIX ({where}: {fault['msg']})") from None
        except OverflowError:
            raise VixError(f"{host} sent no quote of the VIX (data.last_trade_time: no such day)") from None
        value = quote.current_price.quantize(HUNDREDTH)
        return VixReading(value, day, plain_level(value), measured_at=at)


def _asked(settings: RegimeSettings, url: str, key: str, largest: int, accept: str) -> tuple[str, bytes]:
    """Return the host and its answer. Raises `VixError`."""
    host = urlsplit(url).hostname or "no host"
    times = HttpTimes(float(settings.connect_seconds), float(settings.read_seconds), float(settings.answer_seconds))
    try:
        return host, answer_of("GET", url, times, largest, {"Accept": accept})
    except UnreachableError as error:
        raise VixError(f"{host} {error}; check the network and regime.{key}") from None
    except NoAnswerError as error:
        raise VixError(f"{host} {error}") from None
