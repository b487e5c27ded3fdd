"""No test outside tests/real, tests/soak and tests/bench sleeps, reads the wall clock or waits for a time (SY-07)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MAY_TAKE_TIME = ("real", "soak", "bench")
SLEEP = "wait for the state itself, or `tests.kit.pause` on a clock that the test moves"
CLOCK = "give the program a time: `now=`, `clock=` or `steady=`"
WAIT = "wait without a limit of its own; pytest's time-out ends a test that hangs"
CLOCKS = {
    "time": {"monotonic", "monotonic_ns", "time", "time_ns", "perf_counter", "perf_counter_ns", "process_time"},
    "datetime": {"now", "utcnow"},
    "date": {"today"},
}
SECONDS = re.compile(r"^[A-Z_]+$|(^|_)(time_?out|patience|seconds|limit|left)$")
HINT = re.compile(
    r"sleep\(|\btime\.(monotonic|time|perf|process)|datetime\.(now|utcnow)|date\.today|from time import|time as "
    r"|wait_for\(|timeout|Timer\("
    r"|\.(wait|join|result|acquire)\([^\"'\[\n]*(\d|[A-Z_]{3}|patience|seconds|limit|left)"
)
"""In every file with a fault: most files have none and need no parsing."""
WAITS = {"wait", "join", "result", "get", "acquire"}
PROCESSES = {"run", "call", "check_call", "check_output", "communicate"}
OTHERS = {"house", "hand", "self", "requests"}
"""Whose `wait` is a method of the tests that passes time on a clock of its own, and whose `get` is a request."""

EXCEPTIONS: Mapping[str, str] = {
    "tests/accidents/turns.py": "sleeps", "tests/desk/test_kill_screen.py": "virtual time",
    "tests/keys_counted.py": "reads the clock", "tests/kit/served.py": "virtual time",
    "tests/kit/shares.py": "reads the clock", "tests/kit/steady.py": "reads the clock",
    "tests/kit/timeline.py": "reads the clock", "tests/scenarios/live_floor.py": "virtual time",
    "tests/scenarios/test_clock_jumps.py": "virtual time",
    "tests/scenarios/test_lanes_and_leaving.py": "virtual time",
    "tests/scenarios/test_live_runtime.py": "virtual time",
    "tests/scenarios/test_registered_broker.py": "virtual time",
    "tests/scenarios/test_socket_attacks.py": "virtual time", "tests/scenarios/test_socket_desks.py": "virtual time",
    "tests/scenarios/test_strategies_side_by_side.py": "virtual time",
    "tests/unit/console/test_input_reader.py": "waits for a time",
    "tests/unit/console/test_mcp_http.py": "waits for a time",
    "tests/unit/core/brokers/alpaca_door.py": "waits for a time",
    "tests/unit/core/market/vix/source.py": "waits for a time", "tests/wire/dripping.py": "virtual time",
    "tests/wire/exchange/door.py": "virtual time", "tests/wire/exchange/run.py": "virtual time",
    "tests/wire/exchange/server.py": "virtual time", "tests/wire/open_desk.py": "virtual time",
    "tests/wire/receivers.py": "virtual time", "tests/wire/test_kill_press.py": "virtual time",
    "tests/wire/test_lanes.py": "virtual time", "tests/wire/test_leaving.py": "virtual time",
    "tests/wire/test_resolver_and_threads.py": "virtual time",
    "tests/wire/test_time_limit.py": "virtual time",
}  # fmt: skip
"""By path, or by folder: why. An entry that is no longer needed fails; take it out."""

Found = tuple[int, str, str]
"""Line, code and what to use instead."""


def is_seconds(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return SECONDS.search(name) is not None
        case ast.BinOp(left=left, right=right):
            return is_seconds(left) or is_seconds(right)
        case ast.Call(func=ast.Name(id="max" | "min"), args=args):
            return any(map(is_seconds, args))
    return False


def is_timed(call: ast.Call, name: str) -> bool:
    """Whether a wait ends by itself: by `timeout=`, or by seconds where no text is joined and no key is looked up."""
    assert isinstance(call.func, ast.Attribute)
    holder = call.func.value
    if (holder.id if isinstance(holder, ast.Name) else getattr(holder, "attr", "")) in OTHERS:
        return False
    if any(word.arg == "timeout" and not is_none(word.value) for word in call.keywords):
        return True
    is_of_texts = isinstance(holder, ast.Constant | ast.JoinedStr)
    return name != "get" and len(call.args) == 1 and not is_of_texts and is_seconds(call.args[0])


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def faults_in(source: str) -> Iterator[Found]:
    if not HINT.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="sleep") | ast.Attribute(attr="sleep"), args=args):
                if not (args and isinstance(args[0], ast.Constant) and args[0].value == 0):
                    yield node.lineno, ast.unparse(node), SLEEP
            case ast.Attribute(value=ast.Name(id=module) | ast.Attribute(attr=module), attr=name) if name in CLOCKS.get(
                module, ()
            ):
                yield node.lineno, ast.unparse(node), CLOCK
            case ast.ImportFrom(module="time", names=names) if {each.name for each in names} & CLOCKS["time"]:
                yield node.lineno, ast.unparse(node), CLOCK
            case ast.Import(names=names) if any(each.name in CLOCKS and each.asname for each in names):
                yield node.lineno, ast.unparse(node), CLOCK
            case ast.Call(func=ast.Name(id="Timer") | ast.Attribute(attr="Timer")):
                yield node.lineno, ast.unparse(node), WAIT
            case ast.Call(func=ast.Attribute(attr="settimeout"), args=[limit]) if not is_none(limit):
                yield node.lineno, ast.unparse(node), WAIT
            case ast.Call(func=ast.Attribute(attr=name), keywords=words) if name in PROCESSES and any(
                word.arg == "timeout" and not is_none(word.value) for word in words
            ):
                yield node.lineno, ast.unparse(node), WAIT
            case ast.Call(func=ast.Name(id="wait_for") | ast.Attribute(attr="wait_for")):
                yield node.lineno, ast.unparse(node), WAIT
            case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio"), attr="timeout"), args=[limit]):
                if not is_none(limit):
                    yield node.lineno, ast.unparse(node), WAIT
            case ast.Call(func=ast.Attribute(attr=name)) if name in WAITS and is_timed(node, name):
                yield node.lineno, ast.unparse(node), WAIT


def faults() -> dict[str, list[Found]]:
    """By file."""
    paths = {path.relative_to(TESTS.parent).as_posix(): path for path in sorted(TESTS.rglob("*.py"))}
    return {
        name: found
        for name, path in paths.items()
        if name.split("/")[1] not in MAY_TAKE_TIME and (found := [*faults_in(path.read_text())])
    }


def test_no_test_decides_by_the_wall_clock() -> None:
    """SY-07"""
    needed, told = set(), []
    for name, each in faults().items():
        allowed = next((entry for entry in EXCEPTIONS if name == entry or (entry[-1] == "/" and entry in name)), None)
        needed.add(allowed)
        told += [f"{name}:{line}: {code}: {instead}" for line, code, instead in each if allowed is None]

    assert told == [], "\n".join(told)
    assert EXCEPTIONS.keys() - needed == set(), "these exceptions are no longer needed"
    assert [*EXCEPTIONS] == sorted(EXCEPTIONS)
