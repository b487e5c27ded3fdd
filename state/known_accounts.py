"""Which account a pair of keys belongs to, as the broker said last: its folder is found offline too.

Keys may be renewed and the account stays: the folder has the account's name, never a key's.
"""

from __future__ import annotations

import orjson

from core.files.regular_file import bytes_of
from core.model.keys import Keys
from state.credentials import fingerprint
from state.files import make_folder, replace_file
from state.folders import Home

LARGEST = 1_000_000
"""Bytes of the file: a line an account."""


class KnownAccounts:
    """One small file beside the accounts' folders: fingerprints of keys, and account names."""

    def __init__(self, home: Home) -> None:
        self.path = home.state / "accounts.json"

    def name_of(self, keys: Keys) -> str | None:
        return self._read().get(fingerprint(keys))

    def remember(self, keys: Keys, name: str) -> None:
        """Raises OSError."""
        known = self._read()
        if known.get(fingerprint(keys)) != name:
            make_folder(self.path.parent)
            replace_file(self.path, orjson.dumps({**known, fingerprint(keys): name}))

    def _read(self) -> dict[str, str]:
        """Nothing where it cannot be read: the broker says it again."""
        try:
            found = orjson.loads(bytes_of(self.path, LARGEST))
        except (OSError, orjson.JSONDecodeError):
            return {}
        return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}
