"""Every fact there is, a few of each with all their fields: what a story of four days cannot hold.

    .venv/bin/python -m tests.journals.each first

writes `kept/first-each.jsonl.xz`, one record a line as a journal has it. Like a kept home it is made once for each
released format, and read ever after.
"""

from __future__ import annotations

import lzma
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.settings.settings import PROFILES, Settings
from state.codec import GENESIS, RecordError, encode
from tests.journals.homes import KEPT, kinds_of_facts

EXAMPLES = 4
AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
MIDNIGHT = datetime.fromisoformat("2020-01-01")  # without its zone, as hypothesis wants its bounds


def examples() -> Iterator[Any]:
    """Some facts of every kind, the same in every run."""
    st.register_type_strategy(Decimal, st.decimals(-1000, 100_000, places=2))
    st.register_type_strategy(datetime, st.datetimes(MIDNIGHT, MIDNIGHT.replace(year=2030), timezones=st.just(UTC)))
    st.register_type_strategy(int, st.integers(0, 10_000))
    st.register_type_strategy(str, st.text("abcdefgh ", min_size=1, max_size=8))
    st.register_type_strategy(
        Settings,
        st.sampled_from(sorted(PROFILES)).map(
            lambda name: Settings.model_validate({"profile": name, **PROFILES[name]})
        ),
    )
    for kind in kinds_of_facts():
        yield from _of_a_kind(kind)


def _of_a_kind(kind: type) -> list[Any]:
    found: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(fact=st.from_type(kind))
    def gather(fact: Any) -> None:
        found.append(fact)

    gather()
    return found


def lines() -> Iterator[bytes]:
    total, sequence = GENESIS, 1
    for fact in examples():
        try:
            line, total = encode(sequence, AT, fact, total)
        except RecordError:  # what could not be read back is not written
            continue
        sequence += 1
        yield line


def kept_lines(name: str) -> list[bytes]:
    return lzma.decompress((KEPT / f"{name}-each.jsonl.xz").read_bytes()).splitlines()


if __name__ == "__main__":
    text = b"".join(lines())
    path = KEPT / f"{sys.argv[1]}-each.jsonl.xz"
    path.write_bytes(lzma.compress(text, preset=9))
    print(f"{path.name}: {len(text.splitlines())} records, {path.stat().st_size:,} bytes")
