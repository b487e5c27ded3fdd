"""The history of the VIX over HTTP. What is not a whole, sound table of days is no answer."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from core.csv_table import TableError
from core.daily_file import daily_values
from core.market.vix.port import VixError
from core.model.regime import DailyValue
from core.risk.regime.terms import RegimeSettings

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer; the file of 36 years has half of one million."""
OK = 200


class HttpVixSource:
    """One request a question, without repeats; it ends by its time-outs, also where the answer drips."""

    def __init__(self, settings: RegimeSettings) -> None:
        self._url = settings.vix_url
        self._answer_seconds = float(settings.answer_seconds)
        self._timeout = httpx.Timeout(float(settings.read_seconds), connect=float(settings.connect_seconds))
        self._host = urlsplit(self._url).hostname or "no host"

    def history(self) -> list[DailyValue]:
        try:
            return daily_values(Path(self._host), self._text())
        except TableError as error:
            raise VixError(f"the source of the VIX is not read: {error}") from None
        except httpx.TimeoutException:
            raise VixError(f"{self._host} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise VixError(
                f"{self._host} cannot be reached ({type(error).__name__}); check the network and regime.vix_url"
            ) from None

    def _text(self) -> str:
        """The body of the answer. Raises `VixError`, httpx.HTTPError, UnicodeError."""
        ends = time.monotonic() + self._answer_seconds
        content = bytearray()
        with (
            httpx.Client(timeout=self._timeout) as client,
            client.stream("GET", self._url, headers={"Accept": "text/csv"}) as response,
        ):
            if response.status_code != OK:
                raise VixError(f"{self._host} answered {response.status_code}")
            for piece in response.iter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise VixError(f"{self._host} sent more than {LARGEST:,} bytes")
                if time.monotonic() > ends:
                    raise VixError(f"{self._host} did not end its answer in {self._answer_seconds:g} s")
        return content.decode("utf-8-sig")
