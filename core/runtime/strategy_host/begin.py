"""The entry point of a strategy's process, run by path: its environment does not name this program."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from core.runtime.strategy_host.child import main

    main()
