"""No test outside tests/real, tests/soak and tests/bench sleeps, reads the wall clock or waits for a time (SY-07)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MAY_TAKE_TIME = ("real", "soak", "bench")
SLEEP = "wait for the state itself, or move the clock that the test gives to the program"
CLOCK = "give the program a time: `now=`, `clock=` or `steady=`"
WAIT = "wait without a limit of its own; pytest's time-out ends a test that hangs"
CLOCKS = {
    "time": {"monotonic", "monotonic_ns", "time", "time_ns", "perf_counter", "perf_counter_ns", "process_time"},
    "datetime": {"now", "utcnow"},
}
SECONDS = re.compile(r"^[A-Z_]+$|(^|_)(time_?out|patience|seconds|limit|left)$")
HINT = re.compile(
    r"sleep\(|\btime\.(monotonic|time|perf|process)|datetime\.(now|utcnow)|from time import|wait_for\(|timeout"
    r"|\.(wait|join|result|acquire)\([^\"'\[\n]*(\d|[A-Z_]{3}|patience|seconds|limit|left)"
)
"""In every file with a fault: most files have none and need no parsing."""
WAITS = {"wait", "join", "result", "get", "acquire"}
OTHERS = {"house", "hand", "self", "requests"}
"""Whose `wait` is a method of the tests that passes time on a clock of its own, and whose `get` is a request."""

EXCEPTIONS: Mapping[str, str] = {
    "tests/accidents/hand.py": "sleeps",
    "tests/accidents/house.py": "sleeps",
    "tests/accidents/run.py": "reads the clock",
    "tests/accidents/turns.py": "sleeps",
    "tests/desk/desk_house.py": "reads the clock",
    "tests/desk/plan_house.py": "reads the clock",
    "tests/desk/test_a_press_that_nobody_heard.py": "waits for a time",
    "tests/desk/test_kill_screen.py": "sleeps and waits for a time",
    "tests/keys_counted.py": "sleeps and reads the clock",
    "tests/proof/agents.py": "sleeps, reads the clock and waits for a time",
    "tests/proof/run.py": "reads the clock",
    "tests/remote/": "real processes",
    "tests/scenarios/live_floor.py": "sleeps, reads the clock and waits for a time",
    "tests/scenarios/test_a_broker_of_another_house.py": "reads the clock and waits for a time",
    "tests/scenarios/test_a_clock_that_jumps.py": "reads the clock",
    "tests/scenarios/test_a_desk_through_ssh.py": "reads the clock and waits for a time",
    "tests/scenarios/test_advisers_of_a_live_desk.py": "waits for a time",
    "tests/scenarios/test_an_engine_that_nobody_looks_at.py": "sleeps and reads the clock",
    "tests/scenarios/test_attacks_on_the_socket.py": "sleeps, reads the clock and waits for a time",
    "tests/scenarios/test_desks_over_a_socket.py": "sleeps, reads the clock and waits for a time",
    "tests/scenarios/test_output_that_goes_nowhere.py": "waits for a time",
    "tests/scenarios/test_playing_a_day_again.py": "sleeps and reads the clock",
    "tests/scenarios/test_playing_a_day_with_its_settings.py": "sleeps and reads the clock",
    "tests/scenarios/test_processes_of_strategies.py": "sleeps and reads the clock",
    "tests/scenarios/test_starting_without_last_times_settings.py": "reads the clock",
    "tests/scenarios/test_strategies_side_by_side.py": "reads the clock",
    "tests/scenarios/test_the_days_before_todays.py": "waits for a time",
    "tests/scenarios/test_the_health_of_the_engine.py": "sleeps and reads the clock",
    "tests/scenarios/test_the_live_runtime.py": "waits for a time",
    "tests/scenarios/test_the_log_of_the_engine.py": "sleeps, reads the clock and waits for a time",
    "tests/scenarios/test_the_watchdog_over_an_engine.py": "sleeps and reads the clock",
    "tests/scenarios/test_the_way_out.py": "waits for a time",
    "tests/served.py": "waits for a time",
    "tests/service/": "real processes",
    "tests/simulation/run.py": "reads the clock",
    "tests/simulation/shrink.py": "reads the clock",
    "tests/simulation/test_property_finds_faults.py": "reads the clock",
    "tests/simulation/test_sigkill.py": "sleeps and reads the clock",
    "tests/terminal/": "real processes",
    "tests/unit/core/brokers/alpaca_door.py": "reads the clock and waits for a time",
    "tests/unit/core/brokers/alpaca_ear.py": "waits for a time",
    "tests/unit/core/brokers/test_alpaca_stream.py": "sleeps, reads the clock and waits for a time",
    "tests/unit/core/market/alpaca/server.py": "sleeps and waits for a time",
    "tests/unit/core/market/alpaca/test_history.py": "reads the clock and waits for a time",
    "tests/unit/core/market/alpaca/test_stream.py": "sleeps, reads the clock and waits for a time",
    "tests/unit/core/market/vix/source.py": "waits for a time",
    "tests/unit/core/market/vix/test_service.py": "waits for a time",
    "tests/unit/core/model/test_listed_asset.py": "reads the clock",
    "tests/unit/core/runtime/test_sending.py": "waits for a time",
    "tests/unit/core/runtime/test_threads.py": "waits for a time",
    "tests/unit/core/test_names.py": "sleeps, reads the clock and waits for a time",
    "tests/unit/state/watchdog/fake_engine.py": "sleeps and reads the clock",
    "tests/unit/state/watchdog/test_watchdog.py": "sleeps and reads the clock",
    "tests/wire/clients.py": "sleeps and reads the clock",
    "tests/wire/dripping.py": "waits for a time",
    "tests/wire/exchange/clocks.py": "reads the clock",
    "tests/wire/exchange/door.py": "sleeps, reads the clock and waits for a time",
    "tests/wire/exchange/run.py": "reads the clock",
    "tests/wire/exchange/server.py": "sleeps and waits for a time",
    "tests/wire/receivers.py": "sleeps",
    "tests/wire/test_a_bracket_that_filled_in_part.py": "reads the clock",
    "tests/wire/test_a_press_of_the_kill_key.py": "reads the clock and waits for a time",
    "tests/wire/test_a_raise_that_nobody_foresaw.py": "reads the clock",
    "tests/wire/test_a_time_limit.py": "reads the clock and waits for a time",
    "tests/wire/test_activities_of_the_account.py": "reads the clock",
    "tests/wire/test_answers_that_lack_a_field.py": "reads the clock",
    "tests/wire/test_exits_beyond_what_is_held.py": "reads the clock",
    "tests/wire/test_faults_of_requests.py": "reads the clock",
    "tests/wire/test_faults_of_streams.py": "sleeps",
    "tests/wire/test_leaving_with_an_entry.py": "reads the clock",
    "tests/wire/test_names_and_threads_that_fail.py": "reads the clock and waits for a time",
    "tests/wire/test_names_of_orders.py": "reads the clock",
    "tests/wire/test_requests_of_the_desk.py": "sleeps, reads the clock and waits for a time",
    "tests/wire/test_signing_beside_a_desk.py": "reads the clock",
    "tests/wire/test_the_desks_market_data.py": "sleeps and reads the clock",
    "tests/wire/test_the_notifier.py": "sleeps and reads the clock",
    "tests/wire/test_the_streams.py": "waits for a time",
    "tests/wire/test_the_way_out.py": "sleeps and reads the clock",
    "tests/wire/test_the_whole_house.py": "sleeps, reads the clock and waits for a time",
    "tests/wire/test_two_orders_on_the_same_money.py": "reads the clock",
    "tests/wire/test_two_owners_of_one_symbol.py": "reads the clock",
    "tests/wire/test_updates_of_the_desk.py": "sleeps",
    "tests/wire/test_warming_up.py": "reads the clock",
    "tests/wire/test_what_is_lent.py": "reads the clock",
    "tests/wire/test_what_is_said_after_a_kill.py": "reads the clock",
    "tests/wire/test_what_the_desk_follows.py": "reads the clock",
    "tests/wire/test_what_the_desk_never_sends.py": "reads the clock",
}
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
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name in CLOCKS.get(module, ()):
                yield node.lineno, ast.unparse(node), CLOCK
            case ast.ImportFrom(module="time", names=names) if {each.name for each in names} & CLOCKS["time"]:
                yield node.lineno, ast.unparse(node), CLOCK
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
