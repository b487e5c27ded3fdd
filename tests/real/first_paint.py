"""The program up to its first paint: where the engine would start, what is loaded is written down, and it ends.

Arguments: the file to write, and the words of the command.
"""

from __future__ import annotations

import sys

from app import main
from console.client.handle import EngineHandle

FILE = sys.argv[1]


def tell(_handle: object, _on_news: object = None) -> None:
    """In the place of the engine's start, which follows the first paint."""
    loaded = {name: getattr(module, "__file__", None) for name, module in sys.modules.copy().items()}

    import gc
    import json
    import os
    from pathlib import Path

    Path(FILE).write_text(json.dumps({"loaded": loaded, "collects": gc.isenabled()}))
    os._exit(0)


if __name__ == "__main__":
    EngineHandle.start = tell  # type: ignore[method-assign]
    sys.argv = ["keyturn", *sys.argv[2:]]
    if len(sys.argv) == 1:  # a desk that attaches has its engine elsewhere
        from console.client.remote import RemoteEngine

        RemoteEngine.start = tell  # type: ignore[method-assign]
    main()
