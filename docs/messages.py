"""Lists every message of the program in docs/MESSAGES.md, each with its judgement from docs/messages.toml.

.venv/bin/python docs/messages.py          writes the page
.venv/bin/python docs/messages.py --check  exits 1 where a judgement is missing, or the page is not what it would write

A message is found in the code: a text of three words, one with a shouted word (HALTED), or a shorter one that is
handed to what speaks (`say`, `refused`, an error). Fields stand as {} in it.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "MESSAGES.md"
JUDGED = ROOT / "docs" / "messages.toml"
CODE = ("app.py", "console", "core", "state", "widgets", "wiring")
SAID_NO_MORE = "core/facts/older_words.py"
"""What older releases said, and no reader is told any more."""

ROOMS: Mapping[str, tuple[str, ...]] = {
    "Command line": (
        "app.py",
        "console/commands",
        "core/analytics",
        "core/explain.py",
        "core/market/calendar.py",
        "core/market/csv_source.py",
        "core/runtime/demo.py",
        "core/runtime/doctor.py",
        "core/runtime/exchange.py",
        "core/runtime/operator.py",
        "state/credentials.py",
        "state/looking.py",
        "state/surroundings.py",
        "wiring",
    ),
    "Settings": (
        "console/remapping.py",
        "core/own_terms.py",
        "core/settings.py",
        "core/exits/terms.py",
        "core/strategy_terms.py",
        "state/example_settings.py",
        "state/settings_file.py",
    ),
    "Journal and disk": ("core/checkpoint.py", "state"),
    "Market data and strategies": (
        "core/exits/rules.py",
        "core/market",
        "core/runtime/strategy_host",
        "core/strategies",
    ),
    "Gate and staging": (
        "core/control.py",
        "core/desk.py",
        "core/risk",
        "core/staging",
        "core/workflows/changing.py",
        "core/workflows/choosing.py",
        "core/workflows/closing.py",
        "core/workflows/confirming.py",
        "core/workflows/editing.py",
        "core/workflows/proposing.py",
    ),
    "Broker and doubt": ("core", "core/brokers", "core/execution", "core/runtime", "core/workflows"),
    "Log": ("core/telling.py", "core/pictures/log.py"),
    "Desk": (
        "console",
        "widgets/kill.py",
        "widgets/lamps.py",
        "widgets/states.py",
        "widgets/status_lines.py",
        "widgets/ticket.py",
    ),
    "Forms": (
        "console/order_form.py",
        "console/presets.py",
        "console/screens/close.py",
        "console/screens/decline.py",
        "console/screens/edit.py",
        "console/screens/edit_order.py",
        "console/screens/form.py",
        "console/screens/move_stop.py",
        "console/screens/new_order.py",
        "console/screens/typing.py",
        "widgets/order_form.py",
    ),
    "Panes": ("console/details", "console/log_pane.py", "core/picture.py", "core/pictures", "core/views", "widgets"),
}
"""Where a file's messages are read; the longest beginning of its path decides."""

SPEAKING = frozenset(
    [
        "answered",
        "block_entries",
        "cancel",
        "fail",
        "found",
        "missing",
        "passed",
        "refuse",
        "refused",
        "say",
        "show_state",
        "stop",
        "unmeasured",
        "unsaid",
        "warned",
        "_begin",
        "_end",
        "_end_all",
        "_fail",
        "_guard",
        "_invalid",
        "_not_enough",
        "_skip",
        "_stage_close",
        "_withdraw",
        "CancelRequested",
        "ConfirmationRefused",
        "Failed",
        "Halted",
        "Loading",
        "NoAccount",
        "NoAnswer",
        "NoInstrument",
        "NoQuote",
        "NoSession",
        "NoStop",
        "NotStaged",
        "OrderInDoubt",
        "Preset",
        "ProposalEnded",
        "Quarantined",
        "RefuseSymbol",
        "Refused",
        "TicketClosed",
        "UpdateIgnored",
    ]
)
"""What speaks to the operator: its texts are messages, however short. Every error does too."""

SILENT = frozenset(
    [
        "Argument",
        "Binding",
        "Column",
        "Input",
        "Key",
        "Option",
        "Random",
        "TypedDict",
        "Typer",
        "cast",
        "compile",
        "create_task",
        "getattr",
        "getLogger",
        "get_component_rich_style",
    ]
)
"""Their texts are help, names of keys, heads of columns and what no one reads."""

NO_MESSAGES = frozenset(
    (f"core/{file}.py", "Field")
    for file in (
        "settings",
        "exits/terms",
        "strategy_terms",
        "setting_types",
        "risk/terms",
        "risk/protections/terms",
        "risk/regime/terms",
        "risk/scaling/settings",
    )
) | frozenset(
    (f"core/{room}/alpaca/contract.py", call) for room in ("brokers", "market") for call in ("Field", "Record")
)
"""What a setting is: the file of examples says it. What an absent field means: `make contract` prints that table."""

TELLING = frozenset({"core/pictures/log.py", "core/telling.py"})
"""Here every text with a field is a line of the log."""

WORD = re.compile(r"[^\W\d_][\w'’-]+")
SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
FIELD = "{}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is said."""

    file: str
    function: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an operator learns from a message."""

    happened: str
    to_do: str


@dataclass(frozen=True, slots=True)
class Judgements:
    judged: Mapping[str, Judgement]
    """By the message's template."""
    parts: frozenset[str]
    """Parts of a line that is judged whole, labels, names: alone they tell of nothing that happened."""
    words: Mapping[str, str]
    """What no message says, and the desk's own word for it."""


def judgements() -> Judgements:
    read = tomllib.loads(JUDGED.read_text())
    judged = {template: Judgement(happened, to_do) for template, (happened, to_do) in read["judged"].items()}
    return Judgements(judged, frozenset(read["parts"]["texts"]), read["words"])


@cache
def messages() -> Mapping[str, tuple[Place, ...]]:
    """Every message's template, with each place that says it."""
    found: dict[str, dict[Place, None]] = defaultdict(dict)
    for top in CODE:
        path = ROOT / top
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = str(file.relative_to(ROOT))
            if name == SAID_NO_MORE:
                continue
            for template, function in said_in(file.read_text(), name):
                found[template][Place(name, function)] = None
    return {template: tuple(places) for template, places in found.items()}


def said_in(source: str, file: str) -> Iterator[tuple[str, str]]:
    """The messages of one file: template, and the function or class that says it."""
    yield from _Reading(file).of(ast.parse(source), (), "", False)


@dataclass(frozen=True, slots=True)
class _Reading:
    file: str

    def of(self, node: ast.AST, within: tuple[str, ...], call: str, is_inside: bool) -> Iterator[tuple[str, str]]:
        """`call`: what the texts are handed to; `is_inside`: they fill a field of another text."""
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or _is_style(node):
            return
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            within, call = (*within, node.name), ""
        if isinstance(node, ast.Call):
            call = _name_of(node.func)
            if call in SILENT or (self.file, call) in NO_MESSAGES:
                return
        template = template_of(node)
        if template is not None:
            speaks = call in SPEAKING or call.endswith("Error") or (self.file in TELLING and FIELD in template)
            if is_message(template, speaks and not is_inside):
                yield template, ".".join(within)
            is_inside = True
        for child in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
                yield from self.of(child, within, call, is_inside)


def template_of(node: ast.AST) -> str | None:
    """The text with {} for its fields; None where it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    if isinstance(node, ast.JoinedStr):
        parts = (str(part.value) if isinstance(part, ast.Constant) else FIELD for part in node.values)
        return " ".join("".join(parts).split())
    return None


def is_message(template: str, is_handed_to_speech: bool) -> bool:
    words = WORD.findall(template)
    if len(words) >= 3 and " " in template:
        return True
    if SHOUTED.search(template) and " " in template:
        return True
    return is_handed_to_speech and bool(words) and (" " in template or template.endswith("…"))


def room_of(file: str) -> str:
    fits = [(len(start), room) for room, starts in ROOMS.items() for start in starts if _begins(file, start)]
    return max(fits)[1]


def unjudged(found: Mapping[str, tuple[Place, ...]], known: Judgements) -> list[str]:
    """A line for each message that nobody has judged: what is said, and where."""
    return [
        f"{places[0].file}, {places[0].function or 'the file'}: {template!r} has no judgement in docs/messages.toml"
        for template, places in found.items()
        if template not in known.judged and template not in known.parts
    ]


def unsaid(found: Mapping[str, tuple[Place, ...]], known: Judgements) -> list[str]:
    """A line for each judgement of what nobody says any more."""
    return [
        f"docs/messages.toml: {template!r} is said nowhere; take it out"
        for template in (*known.judged, *sorted(known.parts))
        if template not in found
    ]


def other_words(found: Mapping[str, tuple[Place, ...]], known: Judgements) -> list[str]:
    """A line for each message that names a thing by another word than the desk's."""
    return [
        f"{places[0].file}, {places[0].function}: {template!r} says {word!r}; the desk's word is {right!r}"
        for template, places in found.items()
        for word, right in known.words.items()
        if re.search(rf"\b{re.escape(word)}\b", template) and not places[0].file.startswith("core/brokers/")
    ]


def page() -> str:
    found, known = messages(), judgements()
    by_room: dict[str, list[tuple[str, tuple[Place, ...]]]] = {room: [] for room in ROOMS}
    for template, places in found.items():
        if template in known.judged:
            by_room[room_of(places[0].file)].append((template, places))
    tables = [_table(room, said, known.judged) for room, said in by_room.items()]
    return "\n".join([HEAD.format(messages=len(found) - len(known.parts), parts=len(known.parts)), *tables])


HEAD = """# What the program says

Every message of the code, by the room in which it is read: what it tells of what happened, and what there is to do.
`–` is information: there is nothing to do. A field is written `{{}}`. {messages} messages; {parts} texts beside them
are parts of these lines, and names of things.

Made by `.venv/bin/python docs/messages.py` from the code and from the judgements in `docs/messages.toml`. A test fails
where a message has none. What the simulated exchange refuses it says in a broker's manner.
"""


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(room: str, said: list[tuple[str, tuple[Place, ...]]], judged: Mapping[str, Judgement]) -> str:
    lines = [f"## {room}", "", "| message | said in | what happened | what to do |", "| --- | --- | --- | --- |"]
    for template, places in said:
        judgement = judged[template]
        cells = (f"`{template.replace('`', chr(39))}`", _where(places), judgement.happened, judgement.to_do)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _where(places: tuple[Place, ...]) -> str:
    first = f"{places[0].file} {places[0].function}".strip()
    return first + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def _begins(file: str, start: str) -> bool:
    return file == start or file.startswith(f"{start}/")


def _name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _is_style(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any("CSS" in _name_of(target) for target in node.targets)


def main() -> int:
    found, known = messages(), judgements()
    wrong = [*unjudged(found, known), *unsaid(found, known), *other_words(found, known)]
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    after = page()
    if "--check" in sys.argv:
        return int(bool(wrong) or not PAGE.exists() or PAGE.read_text() != after)
    PAGE.write_text(after)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
