"""One HTTP request and its complete answer, with a total time limit, without retries and redirects (SY-06).

The limit covers look-up, connection, headers and body together, also when they arrive slowly. TLS is verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.io.http_session import is_loopback

OK = 200


class NoAnswerError(Exception):
    """There was no usable answer; the message continues after the name of the service."""


class UnreachableError(NoAnswerError):
    """No HTTP exchange took place: the network, the name, TLS or the address failed."""


@dataclass(frozen=True, slots=True)
class HttpTimes:
    """Time-outs in seconds: for the connection, for the next piece of the answer, and for the whole answer."""

    connect: float
    read: float
    answer: float


def answer_of(
    method: str, url: str, times: HttpTimes, largest: int, headers: Mapping[str, str], content: bytes | None = None
) -> bytes:
    """Return the body, of at most `largest` bytes. Raises `NoAnswerError`.

    A separate event loop can drop every pending operation; when closed, it waits for none of them.
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
