"""The template of strategy processes: it has imported all that they import, and each of them is a fork of it.

Reads lines of a folder and two descriptors of the process that began it, and writes the number of the new process. It
is the grandchild of this one and no child, so that whoever began this one is its parent and hears how it ends.
"""

import gc
import os
import sys
from pathlib import Path

MOST_DESCRIPTORS = 1024


def become_a_strategy(folder: str, asked: int, answers: int) -> None:
    for here, there in ((asked, 0), (answers, 1), (os.open(os.devnull, os.O_WRONLY), 2)):
        os.dup2(here, there)
    os.closerange(3, MOST_DESCRIPTORS)
    os.setsid()
    os.chdir(folder)
    main()


def begun(folder: str, reads: str, writes: str) -> int:
    """The number of a new process. Its pipes are opened here: they are closed over there as soon as it has begun."""
    of_parent = f"/proc/{os.environ['PARENT']}/fd"
    asked, answers = os.open(f"{of_parent}/{reads}", os.O_RDONLY), os.open(f"{of_parent}/{writes}", os.O_WRONLY)
    told, tell = os.pipe()
    between = os.fork()
    if between == 0:
        pid = os.fork()
        if pid == 0:
            try:
                become_a_strategy(folder, asked, answers)
            finally:
                os._exit(1)
        os.write(tell, str(pid).encode())
        os._exit(0)
    os.waitpid(between, 0)
    pid = int(os.read(told, 20))
    for descriptor in (asked, answers, told, tell):
        os.close(descriptor)
    return pid


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from core.runtime.strategy_host.child import import_all, main

    import_all()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        print(begun(*line.rstrip("\n").split("\t")), flush=True)
