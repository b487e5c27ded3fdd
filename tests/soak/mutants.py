"""`make mutants N=400 SEED=1`: small changes of the code, and whether the tests notice each.

The changes are drawn from the order path (`PLACES`): a comparison, a connective, a negation, a sum, a number, a choice,
or a call that is left out. A copy of the tree holds the original and the change at each place behind a switch. One run
of the suite without a change records which test reaches which place. Then each change is judged by the tests that reach
it, fastest first, in a process that has imported everything before. A change is killed where a test fails or a process
hangs, and the same tests in the same kind of process pass without the change. One that no test within `BUDGET` seconds
kills survives.

`--mutants FILE` judges the changes named in FILE, which an earlier run wrote, in place of drawn ones. `--tree`
names the tree to judge, this one by default. The rows go to a folder in `.mutants/`; `--resume FOLDER` judges what a
run that was broken off there had left.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
PLACES = (
    "core/execution",
    "core/workflows",
    "core/risk",
    "core/staging",
    "core/brokers",
    "console/terminal",
    "state/journal*.py",
    "state/restoring.py",
)
"""Folders and files, as patterns."""
BUDGET = 40.0
"""Seconds of tests, as measured without a change, by which one change is judged."""
CPU_LIMIT = 120
WALL_LIMIT, IDLE_LIMIT, LOOK = 900.0, 60.0, 2.0
"""A process hangs after so many seconds, in all or without a second of CPU; seconds between two looks."""
NO_CHANGE = -1
NO_END = "a hang"
"""The tests came to no end: a hang, or a process that broke off."""
SWITCH = "_mutants"
SWITCHES = """
import os
ACTIVE = int(os.environ.get("ACTIVE_MUTANT", "-1"))
REACHED = set()
def on(number):
    REACHED.add(number)
    return number == ACTIVE
"""
COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPARE |= {ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
SUMS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


def changed(node: ast.AST) -> tuple[str, ast.expr | None] | None:
    """The kind of change that a node allows, and the changed expression; None for a statement that is left out."""
    is_known = isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.BinOp | ast.Constant | ast.IfExp)
    copy = ast.parse(ast.unparse(node), mode="eval").body if is_known else None
    match copy:
        case ast.Compare(ops=[op]) if type(op) in COMPARE:
            copy.ops = [COMPARE[type(op)]()]
            return "comparison", copy
        case ast.BoolOp():
            copy.op = ast.Or() if isinstance(copy.op, ast.And) else ast.And()
            return "connective", copy
        case ast.UnaryOp(op=ast.Not()):
            return "negation", copy.operand
        case ast.BinOp(op=op) if type(op) in SUMS:
            copy.op = SUMS[type(op)]()
            return "sum", copy
        case ast.Constant(value=bool() as value):
            return "truth", ast.Constant(not value)
        case ast.Constant(value=int() as value):
            return "number", ast.Constant(value + 1)
        case ast.IfExp():
            copy.body, copy.orelse = copy.orelse, copy.body
            return "choice", copy
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom):
        return "left out", None
    return None


class Sites(ast.NodeTransformer):
    """Visits each place where a change is possible, in functions alone; puts a switch at those that are wanted."""

    def __init__(self, file: str, wanted: dict[str, int] | None = None) -> None:
        self.file, self.wanted = file, wanted
        self.names: list[str] = []
        self.found: list[str] = []
        self.seen: Counter[str] = Counter()

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _inside(self, node: Any) -> ast.AST:
        self.names.append(node.name)
        node.body = [self.visit(child) for child in node.body]
        self.names.pop()
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        for case in node.cases:
            case.body = [self.visit(child) for child in case.body]
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        change = changed(node) if self.names else None
        key = ""
        if change is not None:
            key = f"{self.file}::{'.'.join(self.names)}::{change[0]}::{ast.unparse(node)}"
            self.seen[key] += 1
            key += f"::{self.seen[key]}"
            self.found.append(key)
        super().generic_visit(node)
        if change is None or self.wanted is None or key not in self.wanted:
            return node
        switch = ast.parse(f"{SWITCH}.on({self.wanted[key]})", mode="eval").body
        if change[1] is None:
            return ast.If(test=ast.UnaryOp(op=ast.Not(), operand=switch), body=[node], orelse=[])
        assert isinstance(node, ast.expr)
        return ast.IfExp(test=switch, body=change[1], orelse=node)


def files_of(tree: Path) -> Iterator[Path]:
    for place in (place for name in PLACES for place in sorted(tree.glob(name))):
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def drawn(tree: Path, many: int, seed: int) -> list[str]:
    found: list[str] = []
    for file in files_of(tree):
        sites = Sites(str(file.relative_to(tree)))
        sites.visit(ast.parse(file.read_text()))
        found += sites.found
    return sorted(Random(seed).sample(found, many))


def instrumented(tree: Path, copy: Path, names: list[str]) -> list[str]:
    """A copy of the tree with a switch at each named place; those that were not found."""
    wanted = {name: number for number, name in enumerate(names)}
    left = set(names)
    skipped = shutil.ignore_patterns(".git", ".venv", ".mutants", ".soak", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(tree, copy, ignore=skipped, symlinks=True)
    (copy / f"{SWITCH}.py").write_text(SWITCHES)
    for file in files_of(copy):
        sites = Sites(str(file.relative_to(copy)), wanted)
        module = sites.visit(ast.parse(file.read_text()))
        left -= set(sites.found)
        if not set(sites.found) & set(names):
            continue
        future = [n for n, node in enumerate(module.body) if getattr(node, "module", None) == "__future__"]
        after = future[0] + 1 if future else 1
        module.body.insert(after, ast.parse(f"import {SWITCH}").body[0])
        file.write_text(ast.unparse(ast.fix_missing_locations(module)) + "\n")
    return sorted(left)


# ── in the processes of the test runner ──────────────────────────────────────────────────────────────────────────────


class Reach:
    """Which places each test reaches, how long it takes and whether it passes: a line for each, as it ends."""

    def __init__(self, folder: Path) -> None:
        self.file = (folder / f"reach-{os.getpid()}.jsonl").open("a", buffering=1)
        self.is_green = True

    def pytest_runtest_logstart(self) -> None:
        sys.modules[SWITCH].REACHED.clear()
        self.is_green, self.begun = True, time.process_time()

    def pytest_runtest_makereport(self, call: Any) -> None:
        self.is_green &= call.excinfo is None or call.excinfo.typename == "Skipped"

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        reached = sorted(sys.modules[SWITCH].REACHED)
        row = {"test": nodeid, "seconds": time.process_time() - self.begun, "green": self.is_green, "reached": reached}
        self.file.write(json.dumps(row) + "\n")


class Judge:
    """Collects once; then a forked process for each change runs the tests that reach it until one fails."""

    def __init__(self, folder: Path, share: int, shares: int) -> None:
        self.folder, self.share, self.shares = folder, share, shares

    def pytest_runtestloop(self, session: Any) -> bool:
        items = {item.nodeid: item for item in session.items}
        plan = json.loads((self.folder / "plan.json").read_text())
        left = json.loads((self.folder / "left.json").read_text())
        with (self.folder / f"judged-{self.share}.jsonl").open("a", buffering=1) as out:
            for number in left[self.share :: self.shares]:
                begun = time.monotonic()
                known = [items[test] for test in plan[str(number)] if test in items]
                killer, unfit = self._killer(number, known)
                row = {"number": number, "killed_by": killer, "tests": len(known), "unfit": unfit}
                out.write(json.dumps(row | {"seconds": round(time.monotonic() - begun, 1)}) + "\n")
        return True

    def _killer(self, number: int, items: list[Any]) -> tuple[str | None, list[str]]:
        """The test that kills a change; the tests that fail without it too, which therefore judge nothing."""
        unfit: list[str] = []
        while killer := self._judged(number, items):
            until = next((n for n, item in enumerate(items, 1) if item.nodeid == killer), len(items))
            fails = self._judged(NO_CHANGE, items[:until])
            if fails is None:
                break
            unfit.append(fails)
            if fails == NO_END:
                return None, unfit
            items = [item for item in items if item.nodeid != fails]
        return killer, unfit

    def _judged(self, number: int, items: list[Any]) -> str | None:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
            with suppress(BaseException):
                self._run(number, items, writing)
                os._exit(0)
            os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            is_over = self._ends(child, pipe.fileno())
            if not is_over:
                os.kill(child, signal.SIGKILL)
            told = pipe.read() if is_over else ""
        _, status = os.waitpid(child, 0)
        return told or (NO_END if status else None)

    def _ends(self, child: int, reading: int) -> bool:
        begun = since = time.monotonic()
        stat, spent = Path(f"/proc/{child}/stat"), 0.0
        while not select.select([reading], [], [], LOOK)[0]:
            user, system = stat.read_text().rpartition(")")[2].split()[11:13]
            now, used = time.monotonic(), (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
            if used - spent > 1:
                spent, since = used, now
            if now - since > IDLE_LIMIT or now - begun > WALL_LIMIT:
                return False
        return True

    def _run(self, number: int, items: list[Any], writing: int) -> None:
        from _pytest.runner import runtestprotocol

        os.environ["ACTIVE_MUTANT"] = str(number)
        sys.modules[SWITCH].ACTIVE = number
        for n, item in enumerate(items):
            reports = runtestprotocol(item, nextitem=items[n + 1] if n + 1 < len(items) else None, log=False)
            if any(report.failed for report in reports):
                os.write(writing, item.nodeid.encode())
                return


def pytest_configure(config: Any) -> None:
    """As a plug-in of the runs that `main` starts (`-p tests.soak.mutants`)."""
    folder = os.environ.get("MUTANTS_FOLDER")
    if folder is None or (os.environ.get("MUTANTS_SHARE") is None and config.getoption("numprocesses", None)):
        return
    __import__(SWITCH)
    share = os.environ.get("MUTANTS_SHARE")
    plugin = Reach(Path(folder)) if share is None else Judge(Path(folder), *map(int, share.split("/")))
    config.pluginmanager.register(plugin)


# ── the whole ────────────────────────────────────────────────────────────────────────────────────────────────────────


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=Path)
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("tests", nargs="*")
    asked = parser.parse_args()
    folder = asked.resume.resolve() if asked.resume else _prepared(asked)
    names, gone = json.loads((folder / "mutants.json").read_text()), json.loads((folder / "gone.json").read_text())
    copy = folder / "tree"
    shutil.copy(__file__, copy / "mutants_plugin.py")
    if not (folder / "plan.json").exists():
        _pytest(asked.python, copy, folder, ["-n", str(asked.cores), *asked.tests], None)
        if not any(rows_of(folder, "reach")):
            sys.exit(f"no test was run; see {folder / 'reach.log'}")
        _plan(folder)
    judged = {row["number"] for row in rows_of(folder, "judged")}
    left = [number for number in map(int, json.loads((folder / "plan.json").read_text())) if number not in judged]
    (folder / "left.json").write_text(json.dumps(left))
    judges = [
        subprocess.Popen(*_command(asked.python, copy, folder, asked.tests, f"{n}/{asked.cores}"))
        for n in range(asked.cores)
    ]
    for judge in judges:
        judge.wait()
    return _told(folder, names, gone)


def _prepared(asked: argparse.Namespace) -> Path:
    """A folder with a copy of the tree that holds the changes."""
    tree = asked.tree.resolve()
    folder: Path = ROOT / ".mutants" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    names = json.loads(asked.mutants.read_text()) if asked.mutants else drawn(tree, asked.many, asked.seed)
    gone = instrumented(tree, folder / "tree", names)
    (folder / "mutants.json").write_text(json.dumps(names, indent=1))
    (folder / "gone.json").write_text(json.dumps(gone, indent=1))
    print(f"{len(names)} mutants, {len(gone)} of them not in this tree; {folder}", flush=True)
    return folder


def rows_of(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for file in folder.glob(f"{kind}-*.jsonl"):
        yield from map(json.loads, file.read_text().splitlines())


def _command(python: str, copy: Path, folder: Path, words: list[str], share: str | None) -> tuple[list[str], int]:
    env = f"MUTANTS_FOLDER={folder}", *(() if share is None else (f"MUTANTS_SHARE={share}",)), f"PYTHONPATH={copy}"
    command = ["env", "-C", str(copy), *env, python, "-m", "pytest", "-q", "-p", "mutants_plugin", "-p", "no:randomly"]
    return [*command, "-p", "no:cacheprovider", *words], -1


def _pytest(python: str, copy: Path, folder: Path, words: list[str], share: str | None) -> None:
    command, _ = _command(python, copy, folder, words, share)
    with (folder / "reach.log").open("w") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)


def _plan(folder: Path) -> None:
    """For each change the tests that reach it and pass without it, fastest first, as far as the budget goes."""
    reach: dict[int, list[tuple[float, str]]] = defaultdict(list)
    for row in rows_of(folder, "reach"):
        for number in row["reached"] if row["green"] else ():
            reach[number].append((row["seconds"], row["test"]))
    plan: dict[int, list[str]] = {}
    for number, tests in sorted(reach.items()):
        spent, plan[number] = 0.0, []
        for seconds, test in sorted(tests):
            spent += seconds
            if spent > BUDGET:
                break
            plan[number].append(test)
    (folder / "plan.json").write_text(json.dumps(plan))


def _told(folder: Path, names: list[str], gone: list[str]) -> int:
    rows = list(rows_of(folder, "judged"))
    killed = {names[row["number"]]: row["killed_by"] for row in rows if row["killed_by"]}
    unjudged = {names[row["number"]]: "unjudged" for row in rows if NO_END in row["unfit"]}
    outcome = {name: (unjudged | killed).get(name, "gone" if name in gone else "survives") for name in names}
    (folder / "outcome.json").write_text(json.dumps(outcome, indent=1))
    for name, told in outcome.items():
        if told == "survives" or name in unjudged:
            print(f"{told}: {name}")
    for test in sorted({test for row in rows for test in row["unfit"]} - {NO_END}):
        print(f"fails without a change: {test}")
    there = len(names) - len(gone)
    print(f"{len(killed)} of {there} killed ({len(killed) / max(1, there):.1%}); {folder / 'outcome.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
