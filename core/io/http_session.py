"""A `requests` session that sends its client's credentials only to the given host (SY-06).

Cookies and passwords from files are not sent, and no proxy of the environment is used for this machine. Redirects are
not followed: Alpaca's clients disable them for each request.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from core.io.time_limit import TimedAdapter


def http_session(url: str, connections: int) -> requests.Session:
    """Return a session for this address; empty means the client's own server elsewhere. Requests are not retried."""
    session = requests.Session()
    session.trust_env = not is_loopback(url)
    session.auth = _as_it_is
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, TimedAdapter(pool_connections=4, pool_maxsize=connections, max_retries=0))
    return session


def is_loopback(url: str) -> bool:
    """Whether an address is this machine, encrypted or not."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the client's own headers as the only credentials: `.netrc` is not read."""
    return request
