"""`make soak PART=kernel`: backtests by the engine and by the compiled research kernel, side by side (AN-08)."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.kit.kernel_cases import Case, arrays_case_of, case_of, compared
from tests.soak.chunks import Chunks, Play

CASES = 20
"""Cases of a chunk."""
OF_ARRAYS = 6
"""Each such case has a strategy of arrays."""


@dataclass
class KernelOutcome:
    reached: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def drawn_case(seed: int, number: int) -> Case:
    return (case_of if number % OF_ARRAYS else arrays_case_of)(seed, number)


def cases(seed: int, first: int, many: int) -> KernelOutcome:
    """Play so many cases of a seed."""
    outcome = KernelOutcome()
    for number in range(first, first + many):
        case = drawn_case(seed, number)
        found = compared(case)
        outcome.reached["cases"] += 1
        if found.rejected:
            outcome.rejected[found.rejected.split(", about")[0]] += 1
        elif found.difference:
            outcome.failures.append(f"case {number} of seed {seed}: {found.difference}; {case.words}")
        else:
            outcome.reached["equal"] += 1
            outcome.reached["equal, with fills"] += bool(found.fills)
            outcome.reached["fills"] += found.fills
            outcome.reached[f"equal, with fills: {case.strategy}"] += bool(found.fills)
        gc.collect()  # an engine is full of circles
    return outcome


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play the cases on all cores and print what they reached."""
    del plant
    whole = KernelOutcome()
    for outcome in chunks(cases, CASES).results(cores):
        whole.reached += outcome.reached
        whole.rejected += outcome.rejected
        whole.failures += outcome.failures
    for name, count in (*whole.reached.items(), *sorted(whole.rejected.items())):
        print(f"  {count:>9,}  {name}")
    for failure in whole.failures:
        print(failure)
    print(f"failures: {len(whole.failures):,}")
    return int(bool(whole.failures))


def replay(seed: int, number: int) -> int:
    """Play one case again; return 1 if it differs."""
    case = drawn_case(seed, number)
    found = compared(case)
    print(case.words, found.rejected or found.difference or f"equal, {found.fills} fills", sep="\n")
    return int(bool(found.difference))
