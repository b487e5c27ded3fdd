"""Opens a kept home with whatever program this file lies beside, and says as JSON what the desk then holds.

    python -m tests.journals.opened HOME

The test copies the program, changes it as a later release would, and runs this there: in a process of its own.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import timedelta

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.event_text import in_words
from core.facts import SettingsApplied
from core.messages.command_ports import CommandPort, PortKind
from tests.journals.homes import ACCOUNT, statement


def opened(home: str) -> dict[str, object]:
    """What stands when the desk is open, and what it says a minute of market later."""
    with ExitStack() as stack:
        request = DemoOptions(seed=int(ACCOUNT.removeprefix("demo-")))
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": home}), request, stack)
        runtime.admit(CommandPort(PortKind.SCRIPT).known)
        desk = runtime.engine.state
        held = statement(desk)
        runtime.pace.speed = None
        runtime.run(until=runtime.at + timedelta(minutes=1))
        word = desk.control.word()
        runtime.stop("seen")
        records = list(desk.journal.records())
        applied = [in_words(record.fact) for record in records if isinstance(record.fact, SettingsApplied)]
    return {"held": held, "notes": runtime.engine.notes, "applied": applied, "word": word}


if __name__ == "__main__":
    print(json.dumps(opened(sys.argv[1])))
