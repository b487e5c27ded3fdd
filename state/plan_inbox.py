"""A plan that `keyturn plan` hands to the running engine: one file in the account's folder, taken once (OP-05)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import orjson

from core.inputs import OpenPlan
from core.model.plan import PlanSource
from core.plan_file import read_plan
from core.ports import OperatorError
from state.files import replace_file
from state.folders import AccountFolder

FRESH_SECONDS = 30.0
"""A request that lay longer was meant for an engine that is gone: it is dropped."""


def hand_over(folder: AccountFolder, name: str, text: str, deploy: Decimal | None) -> None:
    """Put it where the engine looks at every beat; an older one that was not taken is replaced. Raises OSError."""
    request = {"name": name, "text": text, "deploy": None if deploy is None else str(deploy)}
    replace_file(folder.plan_request, orjson.dumps(request))


@dataclass(slots=True)
class PlanInbox:
    """The engine's side of it. The file was read by the command; it is read again, because only this counts."""

    folder: AccountFolder
    now: Callable[[], float] = time.time

    def take(self) -> OpenPlan | str | None:
        """The plan, or why it is none; None where nothing lies there. It costs one stat."""
        path = self.folder.plan_request
        try:
            written_at = path.stat().st_mtime
            content = path.read_bytes()
            path.unlink()  # first: a plan is never opened twice
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"a plan could not be taken: {path.name}: {error.strerror}; mend the folder"
        if self.now() - written_at > FRESH_SECONDS:
            return "an old plan that no engine took was dropped; run keyturn plan again"
        try:
            request = orjson.loads(content)
            name = str(request["name"])
            deploy = None if request["deploy"] is None else Decimal(request["deploy"])
            rows = read_plan(Path(name), str(request["text"]), deploy)
        except (OperatorError, ValueError, KeyError, TypeError) as error:
            return f"a plan was not opened: {error}"
        return OpenPlan(PlanSource.FILE, name, rows)
