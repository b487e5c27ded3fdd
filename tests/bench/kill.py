"""`make bench-kill`: a kill with orders of others at the loopback exchange, in virtual time.

Printed are the most requests in any rolling 60 seconds and the seconds until the last order is gone, with an exchange
that takes all requests, and with one that answers 429 beyond 200 a minute.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.kit.timeline import Timeline, installed
from tests.wire.kill_of_many import LIMIT, kill

ORDERS = (60, 300, 520)


def main() -> None:
    print("orders of others  429 beyond  most a minute  seconds  requests  refused")
    for limit in (None, LIMIT):
        for orders in ORDERS:
            with tempfile.TemporaryDirectory() as folder, installed(Timeline()):
                found = kill(Path(folder) / "home", orders, limit)
            seconds = "never" if found.seconds is None else f"{found.seconds:.0f}"
            beyond = "–" if limit is None else str(limit)
            print(
                f"{orders:>16}  {beyond:>10}  {found.most:>13}  {seconds:>7}  {found.requests:>8}  {found.refused:>7}",
                flush=True,
            )


if __name__ == "__main__":
    main()
