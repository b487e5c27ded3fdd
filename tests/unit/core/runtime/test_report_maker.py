"""The maker of reports: whatever its programs do, its answer is a report or the reason why there is none."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from datetime import date

import orjson
import pytest

from core.messages.effects import MakeReport
from core.model.delivery import Delivery, DeliveryCode
from core.model.report_sheet import LONGEST_WORDS, ReportSheet, section_of
from core.runtime.notifier import reports
from core.runtime.notifier.message import Request
from core.runtime.notifier.reports import ReportMaker
from core.settings.service import ReportAgentSettings
from tests.kit.rows import table

DAY = date(2026, 11, 19)
SHEET = ReportSheet("Thursday", "equity +1.00 USD", (section_of("result", (("fees", "-0.10 USD"),)),))
PRINTED = Delivery(DeliveryCode.DELIVERED, said=orjson.dumps(asdict(SHEET)).decode())
NO_AGENT = ReportAgentSettings()
AGENT = ReportAgentSettings(name="claude", command=("/bin/agent", "--brief"), seconds=7)


@dataclass
class Worker:
    """Answers each request with the next of `answers`."""

    answers: list[Delivery]
    requests: list[Request] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    is_shut: bool = False

    def ask(self, request: Request) -> Future[Delivery]:
        self.requests.append(request)
        answer: Future[Delivery] = Future()
        answer.set_result(self.answers.pop(0))
        return answer

    def shut(self) -> None:
        self.is_shut = True


def made(
    monkeypatch: pytest.MonkeyPatch, worker: Worker, agent: ReportAgentSettings, *, is_week: bool = False
) -> reports.ReportAnswered:
    def begun(environ: dict[str, str]) -> Worker:
        worker.environ = environ
        return worker

    monkeypatch.setattr(reports, "Worker", begun)
    proxy = "http://me:secret@proxy"  # pragma: allowlist secret
    environ = {"PATH": "/bin", "APCA_API_SECRET_KEY": "x", "HTTPS_PROXY": proxy}
    maker = ReportMaker(lambda day, week: ("keyturn", f"{day}", f"{week}"), agent, environ)
    return maker(MakeReport(DAY, is_week))


def test_a_week_ends_with_two_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-03"""
    worker = Worker([PRINTED, PRINTED])
    found = made(monkeypatch, worker, NO_AGENT, is_week=True)

    assert (found.sheets, found.fault, found.agent) == ((SHEET, SHEET), "", "")
    assert [orjson.loads(each.address) for each in worker.requests] == [
        ["keyturn", "2026-11-19", "False"],
        ["keyturn", "2026-11-19", "True"],
    ]
    assert worker.is_shut


def test_the_programs_get_no_key_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-06, SY-06"""
    worker = Worker([PRINTED, Delivery(DeliveryCode.DELIVERED, said="calm")])
    made(monkeypatch, worker, AGENT)

    assert worker.environ == {"PATH": "/bin"}


def test_an_agent_reads_the_report_and_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-06"""
    worker = Worker([PRINTED, Delivery(DeliveryCode.DELIVERED, said="A calm day.\n\nNothing to do.\n")])
    found = made(monkeypatch, worker, AGENT)

    (sheet,) = found.sheets
    assert (sheet.agent, sheet.words, found.agent_fault) == ("claude", ("A calm day.", "Nothing to do."), "")
    asked = worker.requests[1]
    assert (asked.seconds, orjson.loads(asked.address)) == (7, ["/bin/agent", "--brief"])
    assert asked.message.text == "Thursday\nequity +1.00 USD\nresult:\n- fees: -0.10 USD\n"


@table(
    "answer",
    Delivery(DeliveryCode.TIMED_OUT),
    Delivery(DeliveryCode.REFUSED, 3, "it ended with 3"),
    Delivery(DeliveryCode.BAD_ADDRESS, said="it cannot be started"),
    Delivery(DeliveryCode.UNCLEAR),
    Delivery(DeliveryCode.DELIVERED, said=""),
    Delivery(DeliveryCode.DELIVERED, said=" \n\x1b\n"),
    Delivery(DeliveryCode.DELIVERED, said="a" * (LONGEST_WORDS + 1)),
)
def test_an_agent_that_fails_leaves_the_report(answer: Delivery) -> None:
    """AN-06: failing, absent, silent, too long or late"""
    with pytest.MonkeyPatch.context() as patch:
        found = made(patch, Worker([PRINTED, answer]), AGENT)

    assert (found.sheets, found.fault, found.agent) == ((SHEET,), "", "claude")
    assert found.agent_fault


@table(
    "answer",
    Delivery(DeliveryCode.TIMED_OUT),
    Delivery(DeliveryCode.REFUSED, 2, "it ended with 2"),
    Delivery(DeliveryCode.DELIVERED, said="not JSON"),
    Delivery(DeliveryCode.DELIVERED, said="[]"),
    Delivery(DeliveryCode.DELIVERED, said="{}"),
)
def test_a_report_that_fails_has_a_reason(answer: Delivery) -> None:
    """SY-03: and no agent is started"""
    with pytest.MonkeyPatch.context() as patch:
        found = made(patch, worker := Worker([answer]), AGENT)

    assert (found.sheets, found.agent) == ((), "")
    assert found.fault
    assert worker.is_shut

    with pytest.MonkeyPatch.context() as patch:
        of_a_week = made(patch, Worker([PRINTED, answer]), NO_AGENT, is_week=True)

    assert of_a_week.sheets == (SHEET,), "the day's goes out without the week's"
    assert of_a_week.fault


def test_a_process_that_cannot_start_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-03"""

    def none(_environ: dict[str, str]) -> Worker:
        raise OSError(11, "no more processes")

    monkeypatch.setattr(reports, "Worker", none)
    found = ReportMaker(lambda *_: (), NO_AGENT, {})(MakeReport(DAY, is_week=False))

    assert (found.sheets, bool(found.fault)) == ((), True)
