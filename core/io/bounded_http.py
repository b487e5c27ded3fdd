"""One question over HTTP, one whole answer: no repeats, nobody is followed elsewhere, and the time is a limit (SY-06).

Look-up, connection, headers and body have ended together by then, also where they drip. TLS is verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.io.http_session import is_loopback

OK = 200


class NoAnswerError(Exception):
    """Nothing that was asked for came; the message goes on after the name of who was asked."""


class UnreachableError(NoAnswerError):
    """No HTTP was spoken: the network, the name, TLS or the address."""


@dataclass(frozen=True, slots=True)
class HttpTimes:
    """Seconds: until a connection stands, until the next piece of the answer, until all of it has come."""

    connect: float
    read: float
    answer: float


def answer_of(
    method: str, url: str, times: HttpTimes, largest: int, headers: Mapping[str, str], content: bytes | None = None
) -> bytes:
    """The body, of `largest` bytes at most. Raises `NoAnswerError`.

    A loop of its own can drop whatever it waits for; closed, it waits for nothing that it asked.
    """
    loop = asyncio.new_event_loop()
    asked = _asked(method, url, times, largest, headers, content)
    try:
        return loop.run_until_complete(asyncio.wait_for(asked, times.answer))
    except TimeoutError:
        raise NoAnswerError(f"did not end its answer in {times.answer:g} s") from None
    except httpx.TimeoutException:
        raise NoAnswerError("did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise UnreachableError(f"cannot be reached ({type(error).__name__})") from error
    finally:
        loop.close()


async def _asked(
    method: str, url: str, times: HttpTimes, largest: int, headers: Mapping[str, str], content: bytes | None
) -> bytes:
    body = bytearray()
    timeout = httpx.Timeout(times.read, connect=times.connect)
    async with (
        httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=not is_loopback(url)) as client,
        client.stream(method, url, headers=headers, content=content) as response,
    ):
        if response.status_code != OK:
            raise NoAnswerError(f"answered {response.status_code}")
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > largest:
                raise NoAnswerError(f"sent more than {largest:,} bytes")
    return bytes(body)
