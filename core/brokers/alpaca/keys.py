"""API keys for Alpaca, and the checks that are possible before anything is sent."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from core.model.account import Mode
from core.model.api_contract import AccountRefusedError, Keys

PREFIXES = {Mode.PAPER: "PK", Mode.LIVE: "AK"}
"""Prefixes of Alpaca's keys of each kind."""

MISSING = "no keys for Alpaca: set APCA_API_KEY_ID and APCA_API_SECRET_KEY, as its dashboard gave them"
DAMAGED = "the keys for Alpaca hold a space, a line break or a foreign letter: copy both of them again"
CHECK = "check APCA_API_KEY_ID and its secret, or the keyring, for {mode} keys"
MEANWHILE = "tried again in a minute, other keys need a new start"
GATES = {
    Mode.PAPER: 'live trading needs account.mode = "live" and KEYTURN_ALLOW_LIVE=1',
    Mode.LIVE: 'paper trading needs account.mode = "paper"',
}
WANTED = {
    Mode.PAPER: f"use a paper key (PK…); {GATES[Mode.PAPER]}",
    Mode.LIVE: 'use a live key (AK…), or set account.mode = "paper"',
}


def checked(keys: Keys, mode: Mode) -> Keys:
    """Return the keys if they can be of this kind (OP-10).

    Raises
    ------
    AccountRefusedError
        They are missing, damaged, or of the other kind.
    """
    key_id, secret = keys.key_id.get_secret_value(), keys.secret.get_secret_value()
    if not key_id or not secret:
        raise AccountRefusedError(MISSING)
    if not all(all("!" <= letter <= "~" for letter in word) for word in (key_id, secret)):
        raise AccountRefusedError(DAMAGED)
    other = Mode.LIVE if mode is Mode.PAPER else Mode.PAPER
    if key_id.startswith(PREFIXES[other]):
        raise AccountRefusedError(
            f"this desk trades {mode.value} and the key is a {other.value} key ({PREFIXES[other]}…): {WANTED[mode]}"
        )
    return keys


HOSTS = {Mode.PAPER: "paper-api.alpaca.markets", Mode.LIVE: "api.alpaca.markets"}
OF_ALPACA = "alpaca.markets"
_PLAIN_HOST = re.compile(r"[a-z0-9.:-]+")
"""Other names are converted to one of these before they are resolved."""


def checked_address(url: str, mode: Mode, key: str) -> str:
    """Return an address for orders, empty for Alpaca's own, if it can be of this kind of account (OP-10).

    Raises
    ------
    AccountRefusedError
        It is one of Alpaca's for the other kind, whatever the keys look like, or cannot be distinguished from one.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if url and not _PLAIN_HOST.fullmatch(host):
        raise AccountRefusedError(f"alpaca.{key} has no plain host name: write it in small letters, digits and dots")
    is_alpacas = host == OF_ALPACA or host.endswith(f".{OF_ALPACA}")
    if is_alpacas and host != HOSTS[mode]:
        words = f"this desk trades {mode.value}, and alpaca.{key} is {host}, not {HOSTS[mode]}"
        raise AccountRefusedError(f"{words}: leave it empty; {GATES[mode]}")
    return url


def check_the_keys(mode: Mode) -> str:
    """Return the remedy for keys unknown to Alpaca, before the desk is open."""
    return f"{CHECK.format(mode=mode.value)}; then start again"


def keys_on_the_line(mode: Mode) -> str:
    """Return the same for a connection of an open desk, which is retried automatically."""
    return f"{CHECK.format(mode=mode.value)}; {MEANWHILE}"
