"""The two words that open an account at Alpaca, and what can be said of them before anything is sent."""

from __future__ import annotations

from core.model.account import Mode
from core.model.keys import AccountRefusedError, Keys

PREFIXES = {Mode.PAPER: "PK", Mode.LIVE: "AK"}
"""How Alpaca's keys of each kind begin."""

MISSING = "no keys for Alpaca: set APCA_API_KEY_ID and APCA_API_SECRET_KEY, as its dashboard gave them"
DAMAGED = "the keys for Alpaca hold a space, a line break or a foreign letter: copy both of them again"
CHECK = "check APCA_API_KEY_ID and its secret, or the keyring, for {mode} keys"
MEANWHILE = "tried again in a minute, other keys need a new start"
WANTED = {
    Mode.PAPER: 'use a paper key (PK…); live trading needs account.mode = "live" and KEYTURN_ALLOW_LIVE=1',
    Mode.LIVE: 'use a live key (AK…), or set account.mode = "paper"',
}


def checked(keys: Keys, mode: Mode) -> Keys:
    """The keys, where they can be of this kind (OP-10).

    Raises
    ------
    AccountRefusedError
        They are missing, damaged, or of the other kind.
    """
    key_id, secret = keys.key_id.get_secret_value(), keys.secret.get_secret_value()
    if not key_id or not secret:
        raise AccountRefusedError(MISSING)
    if not all(_is_plain(word) for word in (key_id, secret)):
        raise AccountRefusedError(DAMAGED)
    other = Mode.LIVE if mode is Mode.PAPER else Mode.PAPER
    if key_id.startswith(PREFIXES[other]):
        raise AccountRefusedError(
            f"this desk trades {mode.value} and the key is a {other.value} key ({PREFIXES[other]}…): {WANTED[mode]}"
        )
    return keys


def check_the_keys(mode: Mode) -> str:
    """What to do where Alpaca says that it does not know them, before the desk is open."""
    return f"{CHECK.format(mode=mode.value)}; then start again"


def keys_on_the_line(mode: Mode) -> str:
    """The same for a connection of an open desk, which is tried again by itself."""
    return f"{CHECK.format(mode=mode.value)}; {MEANWHILE}"


def _is_plain(word: str) -> bool:
    return all("!" <= letter <= "~" for letter in word)
