"""An account that remembers nothing: what it kept on the disk goes before it is opened again.

Only for accounts that nobody trades on, as the stress desk's; every other account is its journal.
"""

from __future__ import annotations

from state.folders import AccountFolder


def begin_anew(folder: AccountFolder) -> None:
    """Remove journal, documents, backups, exchange log, heartbeat and kill switch; its lock is held. Raises OSError."""
    kept = [path for place in (folder.journal, folder.backups) for path in place.iterdir() if path.is_file()]
    for path in (*kept, folder.documents, folder.past_orders, folder.exchange, folder.heartbeat, folder.kill_switch):
        path.unlink(missing_ok=True)
