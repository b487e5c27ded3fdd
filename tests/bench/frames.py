"""What a picture and a change of it cost on their way to a desk: bytes, and milliseconds of the processor.

The desk is the stress desk: 30 positions, 60 orders, 20 symbols that are quoted 100 times a second each, ten pictures a
second. Beside it, in the same run: the whole picture by pickle. Alone: `make bench-frames`.
"""

from __future__ import annotations

import pickle
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from console.commands.assembly.simulated import DemoOptions
from core.protocol.changes import apply_changes, changes, encode_changes
from core.protocol.codec import View, decode_view, encode
from tests.scenarios.test_stress_desk import the_stress_desk

PICTURES, STEP = 200, timedelta(seconds=0.1)
STRESS = DemoOptions(speed=600)


def main() -> None:
    pictures = int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    spent: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)

    def measured(name: str, act: Callable[[], Any]) -> Any:
        began = time.process_time()
        made = act()
        spent[name].append((time.process_time() - began) * 1000)
        if isinstance(made, bytes):
            sizes[name].append(len(made))
        return made

    with tempfile.TemporaryDirectory() as place, the_stress_desk(Path(place), STRESS) as runtime:
        here = runtime.view()
        there: Any = decode_view(encode(here))
        for _ in range(pictures):
            runtime.run(until=runtime.at + STEP)
            before, here = here, runtime.view()
            whole = measured("whole picture, encoded", lambda here=here: encode(here))
            measured("whole picture, decoded and checked", lambda whole=whole: decode_view(whole))
            found = measured("changes found", lambda before=before, here=here: changes(before, here))
            told = measured("changes encoded", lambda found=found: encode_changes(found))
            there = measured("changes applied", lambda t=there, told=told: apply_changes(t, told, View))
            assert there == here
            pickled = measured("baseline: pickle, encoded", lambda here=here: pickle.dumps(here, 5))
            measured("baseline: pickle, decoded", lambda pickled=pickled: pickle.loads(pickled))
    for name, milliseconds in spent.items():
        size = f"{statistics.median(sizes[name]):>9.0f} bytes" if name in sizes else ""
        most = sorted(milliseconds)[len(milliseconds) * 99 // 100]
        print(f"{name:<36} p50 {statistics.median(milliseconds):6.2f} ms  p99 {most:6.2f} ms {size}")


if __name__ == "__main__":
    main()
