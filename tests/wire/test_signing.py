"""An engine at a broker has its days signed beside itself (SP-08)."""

from __future__ import annotations

from pathlib import Path

from console.commands.assembly.host import Host
from tests.wire.open_desk import a_market, environ, opened, says


def test_a_missing_signing_key_is_reported(tmp_path: Path) -> None:
    """SP-08: keyturn journal sign ran as a process of its own, and its word came to the log"""
    asks = {"KEYTURN_PROOF__SIGN_DAILY": "true", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with a_market() as market, opened(Host.of({**environ(market, tmp_path), **asks})) as desk:
        desk.waits(lambda view: says(view, "were not signed: no key signs this record"), "the word of it", 60)
        desk.waits(lambda view: view.status.word == "on", "the books agree")
