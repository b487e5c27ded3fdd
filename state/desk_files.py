"""A desk's files beside its journal: the operator's written files, and the mark that the guide was read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from core.model.values import Price, Quantity, Symbol, plain
from core.ports import OperatorError, Recorded
from core.views.results import HistoryDay
from state.files import DAILY, AccountFolder, Home, make_folder, naming, open_private, replace_file, write_all
from state.kill_switch import (
    FileKillSwitch,
    HaltRequest,  # both loaded with the desk: as it ends, another release may be installed
)

MOST_OF_A_NAME = 1000
"""Numbered variants of a file name to try."""


SCORED_DAYS = 20
"""Days of the journal that the score in a draft's dialog covers; `keyturn agents score` covers all."""
MOST_FILES = 50
"""The maximum of preset or layout files read."""
LARGEST = 4000
"""The maximum size of one in bytes."""
RISK_TIMEOUT = 120.0
"""Seconds for the figures of the risk."""


@dataclass(frozen=True, slots=True)
class DeskFiles:
    """Implements `console.client.access.HostFiles`."""

    home: Home
    folder: Callable[[], AccountFolder]
    """Returns the account's folder; called on first use, not before the desk's first paint."""
    is_real: bool = False
    """Whether the account is at a real broker."""
    program: Callable[..., list[str]] | None = None
    """Returns the command of `keyturn` with these words; None where the desk starts no process."""
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run

    def why(self, order_id: str) -> Iterator[Recorded]:
        from core.views.order_chain import chain_of
        from state.journal import read

        return chain_of(order_id, read(self.folder().journal))

    def explain(self, what: str) -> Iterator[str]:
        from core.post_mortem.page import lines_of
        from state.past_days import explained

        found, is_trade = explained(self.folder().journal, what)
        return lines_of(found, is_whole=is_trade)

    def agent_score(self, agent: str) -> str:
        from core.reports.agent_scores import score_in_brief
        from state.past_drafts import scored

        found = next((one for one in scored(self.folder().journal, SCORED_DAYS) if one.agent == agent), None)
        return f"last {SCORED_DAYS} days: {'no draft' if found is None else score_in_brief(found)}"

    def risk(self, held: Sequence[tuple[Symbol, Quantity, Price | None]], on: date, shocks: str) -> list[str]:
        """Return the page of `keyturn risk`, of its own process: pandas is too large for a desk."""
        from core.market.bar_folder import Period
        from core.runtime.demo import seed_of
        from state.bar_files import require_folders

        account = self.folder().name
        has_own_bars = not self.home.of_the_operator(DAILY).is_dir() and seed_of(account) is not None
        if self.program is None:
            raise OperatorError("this desk starts no process that computes the risk; `keyturn risk` does")
        if not has_own_bars:
            require_folders(self.home, (symbol for symbol, _, _ in held), Period.DAY)
        rows = [f"{symbol},{plain(quantity)},{plain(price) if price else ''}" for symbol, quantity, price in held]
        with TemporaryDirectory() as place:
            file = Path(place) / "desk.csv"
            file.write_text("\n".join(["symbol,quantity,price", *rows, ""]))
            words = ["--demo", account] if has_own_bars else []
            words += ["--positions", str(file), "--on", on.isoformat()]
            words += ["--shock", shocks] if shocks else []
            try:
                done = self.run(
                    self.program("risk", *words), capture_output=True, text=True, timeout=RISK_TIMEOUT, check=False
                )
            except subprocess.TimeoutExpired:
                raise OperatorError(f"the figures took longer than {RISK_TIMEOUT:g} s") from None
        if not done.stdout:
            told = done.stderr.strip().splitlines()
            raise OperatorError(told[-1].removeprefix("keyturn: ") if told else "keyturn risk ended without a word")
        return done.stdout.splitlines()[1:]  # the first names the file

    def history(self, day: date | None) -> HistoryDay:
        from core.views.builders.history import history_of
        from state.journal import days_of, read_day

        journal = self.folder().journal
        days = days_of(journal)
        chosen = day or (days[-1] if days else date.min)
        return HistoryDay(chosen, days, *(history_of(read_day(journal, chosen)) if chosen in days else ()))

    def write(self, name: str, text: str) -> str:
        """Write a new file; if `name` is taken it gets a number: no file is overwritten."""
        path, folder = Path(name), self.folder().path
        for number in range(1, MOST_OF_A_NAME):
            target = folder / (name if number == 1 else f"{path.stem}-{number}{path.suffix}")
            try:
                descriptor = open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
            except FileExistsError:
                continue
            try:
                with naming(target):
                    write_all(descriptor, text.encode())
            finally:
                os.close(descriptor)
            return str(target)
        raise FileExistsError(f"{folder} holds {MOST_OF_A_NAME} files of this name; move some of them away")

    def kept(self, folder: str) -> Mapping[str, str | None]:
        """Return the texts of the TOML files, up to `MOST_FILES`; an unreadable one is None."""
        try:
            paths = sorted(path for path in self.home.of_the_operator(folder).iterdir() if path.suffix == ".toml")
        except FileNotFoundError:
            return {}
        return {path.name: _text_of(path) for path in paths[:MOST_FILES]}

    def keep(self, folder: str, name: str, text: str) -> str:
        target = self.home.of_the_operator(folder) / Path(name).name
        make_folder(target.parent)
        replace_file(target, text.encode())
        return str(target)

    def drop(self, folder: str, name: str) -> None:
        (self.home.of_the_operator(folder) / Path(name).name).unlink(missing_ok=True)

    def leave_press(self, *, kills: bool) -> None:
        """Leave a kill or a halt for the engine, which checks for both at every beat, also after its next start."""
        folder = self.folder()
        folder.prepare()
        if kills:
            FileKillSwitch(folder, {}).latch("key")
        else:
            HaltRequest(folder).leave("key, at a desk that was left before an engine heard it")

    def is_first_start(self) -> bool:
        return not self.home.guide.exists()

    def guide_was_closed(self) -> None:
        self._mark(self.home.guide)

    def must_try_chord(self) -> bool:
        return self.is_real and not self.home.chord.exists()

    def chord_was_received(self) -> None:
        self._mark(self.home.chord)

    def _mark(self, path: Path) -> None:
        make_folder(path.parent)
        os.close(open_private(path, os.O_WRONLY | os.O_CREAT))


def _text_of(path: Path) -> str | None:
    try:
        return bytes_of(path, LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
