"""The history of the VIX over HTTP. What is not a whole, sound table of days is no answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from core.files.csv_table import TableError
from core.files.daily_file import daily_values
from core.market.vix.port import VixError
from core.model.regime import DailyValue
from core.settings.regime import RegimeSettings

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer; the file of 36 years has half of one million."""
OK = 200


class HttpVixSource:
    """One request a question, without repeats; look-up, connection, headers and body have ended together by its time
    for an answer, also where they drip.
    """

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
        """The body of the answer. Raises `VixError`, httpx.HTTPError, UnicodeError.

        A loop of its own can drop whatever it waits for; closed, it waits for nothing that it asked.
        """
        loop = asyncio.new_event_loop()
        try:
            content = loop.run_until_complete(asyncio.wait_for(self._content(), self._answer_seconds))
        except TimeoutError:
            raise VixError(f"{self._host} did not end its answer in {self._answer_seconds:g} s") from None
        finally:
            loop.close()
        return content.decode("utf-8-sig")

    async def _content(self) -> bytes:
        content = bytearray()
        async with (
            httpx.AsyncClient(timeout=self._timeout) as client,
            client.stream("GET", self._url, headers={"Accept": "text/csv"}) as response,
        ):
            if response.status_code != OK:
                raise VixError(f"{self._host} answered {response.status_code}")
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise VixError(f"{self._host} sent more than {LARGEST:,} bytes")
        return bytes(content)
