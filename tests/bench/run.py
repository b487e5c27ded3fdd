"""`make bench`: every measurement, each beside its baseline from the same run. Nothing here asserts a time."""

from __future__ import annotations

import os
import platform
import resource
import sys

from tests.bench import books, desk, house, opening, paint, protections, sizes, ticket

BARS = 200_000


def main() -> None:
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}\n")
    calendar, bars, feed = house.fed(BARS)
    parts = (
        ("bars through the whole house", lambda: house.measure(calendar, bars, feed)),
        ("the opening minute", opening.measure),
        ("protections", lambda: protections.measure(calendar, bars, feed)),
        ("the books compared", books.measure),
        ("a ticket", ticket.measure),
        ("the size of an order", sizes.measure),
        ("the desk", paint.measure),
        ("the desk under load, in a terminal", desk.measure),
    )
    for title, measure in parts:
        print(title)
        for name, value in measure():
            print(f"  {name:<55} {value}", flush=True)
        if title.startswith("bars"):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {'peak memory, the parsed bars and both journals included':<55} {peak:.0f} MiB")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
