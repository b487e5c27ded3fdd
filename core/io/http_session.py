"""A session of `requests` that takes its client's credentials to the host that was named, and nowhere else (SY-06).

Cookies and passwords out of a file are not sent, and no proxy of the environment is asked for this machine. Redirects
are not followed: the clients of Alpaca forbid it with each request.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from core.io.time_limit import TimedAdapter


def http_session(url: str, connections: int) -> requests.Session:
    """For requests to this address; empty is a server of the client's own, elsewhere. Each is tried once."""
    session = requests.Session()
    session.trust_env = not is_loopback(url)
    session.auth = _as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, TimedAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0))
    return session


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine, encrypted or not."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No other credentials than the client's own headers: a `.netrc` is not asked."""
    return request
