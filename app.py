"""The program `keyturn`: its command line, with every error in one line.

The commands are assembled from state, core and console in `console/commands/`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from errno import EACCES, EEXIST, EISDIR, ENOENT, ENOSPC, ENOTDIR, EROFS
from io import TextIOWrapper

from console.commands.assembly.desks import open_demo, open_desk, open_plainly
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions
from core.ports import JournalError, OperatorError

REMEDIES: Mapping[int, str] = {
    EACCES: "; check its permissions, and whose it is",
    EEXIST: "; a file stands where a folder belongs, move it away",
    EISDIR: "; a file belongs there, move the folder away",
    ENOENT: "; check the path",
    ENOSPC: "; free some room",
    ENOTDIR: "; a file stands where a folder belongs, move it away",
    EROFS: "; mount it for writing, or set KEYTURN_HOME",
}
"""Remedies for system errors, by number."""
OUR_FAULT = 70
"""Exit code of an unexpected error: EX_SOFTWARE of sysexits.h."""


def main() -> None:
    """Run the program.

    An operator's error is one line and exit code 2; an internal error is one line and exit code 70.
    """
    # Open closed standard streams on /dev/null. After `>&-` the next file would get their number, and other output
    # would be written into a journal.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
    if isinstance(sys.stdout, TextIOWrapper):  # in another encoding than UTF-8 a sign that it lacks becomes `?`
        sys.stdout.reconfigure(errors="replace")
    try:
        host = Host.of(dict(os.environ))
        opens = {
            (): lambda: open_desk(host),
            ("--simulated",): lambda: open_desk(host.simulated()),
            ("demo",): lambda: open_demo(host, DemoOptions()),
        }
        if not open_plainly(sys.argv[1:], host.environ, opens):
            from console.commands.program import build

            build(host)()
    except (OperatorError, JournalError) as error:
        fail(str(error))
    except BrokenPipeError:
        os._exit(1)
    except KeyboardInterrupt:
        raise SystemExit(1) from None  # as Typer ends a command
    except OSError as error:
        fail(f"{error.filename or 'the output'}: {error.strerror or error}{REMEDIES.get(error.errno or 0, '')}")
    except Exception as error:
        fail(
            f"unexpected {type(error).__name__}: {error}; nothing more was done; look at `keyturn status`",
            OUR_FAULT,
        )


def fail(message: str, code: int = 2) -> None:
    """Print one line, with control characters removed (SY-06), and exit."""
    from core.model.text_sanitizer import harmless

    sys.stderr.write(f"keyturn: {harmless(message)}\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
