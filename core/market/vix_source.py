"""The history of the VIX over HTTP. Only a whole, sound table of days is accepted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from core.files.csv_files import TableError, daily_values
from core.io.http_requests import HttpTimes, NoAnswerError, UnreachableError, answer_of
from core.market.vix import VixError
from core.model.sizing import DailyValue
from core.settings.risk import RegimeSettings

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer; the file of 36 years has half of one million."""


class HttpVixSource:
    """One request per call, without retries."""

    def __init__(self, settings: RegimeSettings) -> None:
        self._url = settings.vix_url
        self._times = HttpTimes(
            float(settings.connect_seconds), float(settings.read_seconds), float(settings.answer_seconds)
        )
        self._host = urlsplit(self._url).hostname or "no host"

    def history(self) -> list[DailyValue]:
        try:
            content = answer_of("GET", self._url, self._times, LARGEST, {"Accept": "text/csv"})
            return daily_values(Path(self._host), content.decode("utf-8-sig"))
        except TableError as error:
            raise VixError(f"the source of the VIX is not read: {error}") from None
        except UnreachableError as error:
            raise VixError(f"{self._host} {error}; check the network and regime.vix_url") from None
        except NoAnswerError as error:
            raise VixError(f"{self._host} {error}") from None
        except UnicodeError as error:
            raise VixError(f"{self._host} sent no text ({type(error).__name__})") from None
