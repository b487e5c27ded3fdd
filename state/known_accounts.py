"""The account of each pair of keys by the broker's last answer, so that its folder is found offline.

Keys may be renewed while the account stays: the folder is named after the account, never after a key.
"""

from __future__ import annotations

import orjson

from core.files.regular_file import bytes_of
from core.model.api_contract import Keys
from state.credentials import fingerprint
from state.files import make_folder, replace_file
from state.folders import Home

LARGEST = 1_000_000
"""The maximum size of the file in bytes, with a line per account."""


class KnownAccounts:
    """A small file beside the accounts' folders: fingerprints of keys, and account names."""

    def __init__(self, home: Home) -> None:
        self.path = home.state / "accounts.json"

    def name_of(self, keys: Keys) -> str | None:
        return self._read().get(fingerprint(keys))

    def remember(self, keys: Keys, name: str) -> None:
        """Store the account name. Raises OSError."""
        known = self._read()
        if known.get(fingerprint(keys)) != name:
            make_folder(self.path.parent)
            replace_file(self.path, orjson.dumps({**known, fingerprint(keys): name}))

    def _read(self) -> dict[str, str]:
        """Return the known names; empty if unreadable, because the broker will give the name again."""
        try:
            found = orjson.loads(bytes_of(self.path, LARGEST))
        except (OSError, orjson.JSONDecodeError):
            return {}
        return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}
