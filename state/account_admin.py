"""Looking after an account while no engine runs on it: an archive restored, everything forgotten (SP-04).

Which account is meant is decided here; how it is done stands in `state.restoring` and `state.resetting`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from core.ports import OperatorError, ResetPlan, RestorePlan
from state.account_info import AccountInfo
from state.folders import AccountFolder
from state.lock import last_account


class AccountAdmin(AccountInfo):
    """The commands that look after an account; those that look are inherited."""

    def restore(
        self,
        account: str | None,
        archive: Path,
        agree: Callable[[RestorePlan], bool],
        watch: Callable[[float], None],
    ) -> dict[str, object] | None:
        """Restore an archive's journal and documents; None where the operator did not agree."""
        from state.archive import look
        from state.restoring import restore

        contents = look(archive)
        folder = self._account_of(archive, contents.account, account)
        done = restore(folder, archive, contents, datetime.now(UTC), agree, watch)
        if done is None:
            return None
        return {**asdict(done.plan), "backup": str(done.backup) if done.backup else None, "notes": done.notes}

    def reset(self, account: str | None, agree: Callable[[ResetPlan], bool]) -> dict[str, object] | None:
        """Begin an account's journal anew; None where the operator did not agree."""
        from state.resetting import reset

        done = reset(self._folder(account), datetime.now(UTC), agree)
        if done is None:
            return None
        return {**asdict(done.plan), "backup": str(done.backup), "notes": done.notes}

    def _account_of(self, archive: Path, made_of: str, asked_for: str | None) -> AccountFolder:
        """The account that an archive was made of: the one that is named, or that ran last, or the first one here."""
        last = last_account(self.home)
        expected = asked_for or (last.name if last else made_of)
        if expected != made_of:
            raise OperatorError(f"{archive.name} is of account {made_of!r}, not {expected!r}; add --account {made_of}")
        return self.home.account(made_of)
