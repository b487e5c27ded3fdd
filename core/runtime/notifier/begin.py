"""Where the notifier's process begins: a file by its path, as it has no environment that would name this program."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from core.runtime.notifier.child import main

    main()
