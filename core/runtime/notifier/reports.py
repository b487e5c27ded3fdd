"""Make the report of a day and have an agent summarise it, each by a program in its own process (SY-03, AN-06).

The programs run under a notifier's process of their own, which kills them at their time limit with their process group:
a report never delays a message. A child that leaves the group, as by setsid, is not ended. They get no address, no key,
no proxy and nothing else of the engine's environment. Whatever they do, the answer is a report, or the reason why there
is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from datetime import date

import orjson

from core.messages.effects import MakeReport
from core.messages.inputs import ReportAnswered
from core.model.delivery import Delivery, DeliveryCode
from core.model.report_sheet import ReportSheet, lines_of, sheet_in, words_of
from core.runtime.notifier.channels import PROGRAM
from core.runtime.notifier.message import Message, Request
from core.runtime.notifier.process import BEGINNING, GRACE, Worker
from core.settings.service import ReportAgentSettings

HANDED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ")
"""Variables that a program may need to start. A proxy's address may hold a password."""
SECONDS = 80
"""Seconds in which one report is made: a week's has the measures of a quarter. Two fit into what the engine waits."""

Program = Callable[[date, bool], Sequence[str]]
"""Returns the command that prints the sheet of a day, or of its week, as JSON."""


class ReportMaker:
    """Make reports in the calling thread.

    Parameters
    ----------
    environ
        The environment from which the programs get the variables they need to start.
    """

    def __init__(self, program: Program, agent: ReportAgentSettings, environ: Mapping[str, str]) -> None:
        self._program = program
        self._agent = agent
        self._environ = {name: environ[name] for name in HANDED_ON if name in environ}

    def __call__(self, effect: MakeReport) -> ReportAnswered:
        """Return the report. Never raises."""
        try:
            worker = Worker(self._environ)
        except OSError as error:
            return ReportAnswered(effect.day, (), f"its process cannot be started: {error.strerror or error}")
        try:
            made = self._made(worker, effect)
            return self._summarised(worker, made) if self._agent.name and made.sheets else made
        finally:
            worker.shut()

    def _made(self, worker: Worker, effect: MakeReport) -> ReportAnswered:
        """Return the day's sheet and, at a week's end, the week's. A week's that fails leaves the day's."""
        sheets: tuple[ReportSheet, ...] = ()
        for is_week in (False, True) if effect.is_week else (False,):
            printed = _output(worker, self._program(effect.day, is_week), "", SECONDS)
            which = "the week's: " if sheets else ""
            if printed.code is not DeliveryCode.DELIVERED:
                return ReportAnswered(effect.day, sheets, f"{which}its program failed: {_why(printed, SECONDS)}")
            try:
                sheets += (sheet_in(orjson.loads(printed.said)),)
            except (KeyError, TypeError, ValueError) as error:
                fault = f"{which}what its program printed is no report ({type(error).__name__})"
                return ReportAnswered(effect.day, sheets, fault)
        return ReportAnswered(effect.day, sheets)

    def _summarised(self, worker: Worker, made: ReportAnswered) -> ReportAnswered:
        """Add the agent's words to the first sheet, or the reason why there are none."""
        name, seconds = self._agent.name, self._agent.seconds
        given = "\n\n".join("\n".join((sheet.title, sheet.head, *lines_of(sheet))) for sheet in made.sheets)
        printed = _output(worker, self._agent.command, f"{given}\n", seconds)
        if printed.code is not DeliveryCode.DELIVERED:
            return replace(made, agent=name, agent_fault=_why(printed, seconds))
        try:
            words = words_of(printed.said)
        except ValueError as error:
            return replace(made, agent=name, agent_fault=str(error))
        if not words:
            return replace(made, agent=name, agent_fault="it wrote nothing")
        first, *rest = made.sheets
        return replace(made, sheets=(replace(first, agent=name, words=words), *rest), agent=name)


def _output(worker: Worker, command: Sequence[str], given: str, seconds: int) -> Delivery:
    request = Request(1, PROGRAM, orjson.dumps([*command]).decode(), Message("", given), seconds)
    try:
        return worker.ask(request).result(seconds + GRACE + BEGINNING)
    except FutureTimeoutError:
        worker.end()
        return Delivery(DeliveryCode.TIMED_OUT)


def _why(printed: Delivery, seconds: int) -> str:
    if printed.code is DeliveryCode.TIMED_OUT:
        return f"it was not done in {seconds} s and was ended"
    return printed.said or "it ended without a word"
