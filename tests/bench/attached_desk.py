"""The desk attached to an engine of another process, by the path of its socket: as `keyturn` opens it.

Without a path: Textual's own start, an app that draws one word.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def attach(path: Path) -> None:
    from console.client.access import a_seat
    from console.client.remote import RemoteEngine
    from console.commands.assembly.host import Host
    from console.run import run_desk
    from state.desk_files import DeskFiles
    from state.engine_socket import connected
    from tests.bench.engine_alone import RELEASE

    home = Host.of(os.environ).home
    files = DeskFiles(home, lambda: home.account(path.parent.name))
    run_desk(RemoteEngine(lambda _role: connected(path, 2.0), a_seat(), RELEASE), files)


def only_textual() -> None:
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Word(App[None]):
        def compose(self) -> ComposeResult:
            yield Static("READY")

    Word().run()


if __name__ == "__main__":
    attach(Path(sys.argv[1])) if len(sys.argv) > 1 else only_textual()
