"""What the protections did on recorded days: tables, and no assertion.

Three looks. The minutes of four days of October 2013 go through the whole house by the program's own `replay`, every
proposal confirmed, and the journal that it leaves says what tripped, what that refused, and how it ended. The dailies
of 2008 and 2020 know no engine: a plain strategy buys dips in SPY, QQQ and IWM, and each protection that its trades and
its account would have met is asked before every entry. The changes of the regime are those that `keyturn regime` tells.

.venv/bin/python -m tests.bench.risk_days [FOLDER]    FOLDER holds the recorded figures; without it tests/data/market
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.facts import ProposalSkipped, ProtectionExpired, ProtectionTripped, RiskThrottled, TradeClosed
from state.journal import read
from tests.bench.daily_dips import SEASONS, Season, seasons_of
from tests.data import MARKET

ROOT = Path(__file__).resolve().parents[2]
BESIDE = MARKET
PROGRAM = Path(sys.executable).with_name("keyturn")
SYMBOLS = ("SPY", "IBM", "BAC", "AIG")
SPAN = "1min_2013-10-07_to_2013-10-10"
MINUTE = "%m-%d %H:%M"


def replay_command(data: Path, profile: str, journal: Path) -> list[str]:
    """The program's own words, as an operator would type them."""
    files = [str(data / f"{symbol}_{SPAN}.csv") for symbol in SYMBOLS]
    chosen = [word for symbol in SYMBOLS for word in ("--symbol", symbol)]
    quotes = ["--quotes", str(data / f"SPY_quotes_{SPAN}.csv")]
    headless = ["--headless", "--operator", "confirm-all", "--json", "--profile", profile]
    return [str(PROGRAM), "replay", *files, *quotes, *chosen, *headless, "--journal-dir", str(journal)]


def minutes_of(data: Path, profile: str) -> Iterator[str]:
    """The trades of the four days under a profile, and each trip with what it refused and when it ended."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal"
        home = {"KEYTURN_HOME": folder, "PATH": "/usr/bin:/bin"}
        subprocess.run(replay_command(data, profile, journal), env=home, check=True, stdout=subprocess.DEVNULL)
        yield from told(journal)


def told(journal: Path) -> Iterator[str]:
    """A line a trade, a trip and an end; what was refused in between is counted by the check that refused it."""
    refused: Counter[tuple[str, str]] = Counter()

    def counted() -> Iterator[str]:
        for (check, symbol), many in sorted(refused.items()):
            yield f"             {many:>4} × {symbol} not staged: {check}"
        refused.clear()

    for record in read(journal):
        fact, at = record.fact, f"{record.at:{MINUTE}} UTC"
        match fact:
            case ProposalSkipped():
                refused.update((check, fact.symbol) for check in (*fact.checks, *fact.reasons[len(fact.checks) :]))
            case TradeClosed():
                trade = fact.trade
                yield from counted()
                yield f"{at}  trade    {trade.symbol} {trade.exit_reason.value} {trade.profit:+.2f} USD"
            case ProtectionTripped():
                yield from counted()
                until = f"until {fact.until:{MINUTE}} UTC" if fact.until else "until it recovers"
                yield f"{at}  TRIPPED  {fact.name} {fact.scope}: {fact.reason}; {until}"
            case ProtectionExpired():
                yield from counted()
                yield f"{at}  ended    {fact.name} {fact.scope}"
            case RiskThrottled():
                yield from counted()
                yield f"{at}  throttle risk × {fact.factor}: {fact.reason}"
    yield from counted()


def season_in_lines(season: Season) -> Iterator[str]:
    """What the dips made, taken as they came and as the profile let them, and who refused what."""
    yield (
        f"{season.profile:<9} {season.year}: {season.dips} dips made {season.made_by_all:+.1%} together, "
        "as parts of what each cost; "
        f"{season.taken} taken made {season.made:+.1%}, {season.dips - season.taken} refused"
    )
    if season.stopped_first is not None:
        day, name = season.stopped_first
        yield f"  stopped first by {name} on {day}"
    for row in season.rows:
        span = f"{row.first} to {row.last}" if row.first != row.last else f"{row.first}"
        yield f"  {row.name:<16} refused {row.refused:>3} entries, {span}: {row.reason}"


def regime_commands(data: Path) -> Iterator[list[str]]:
    """The VIX and SPY's labels through 2008 and March 2020, and the labels of QQQ and IWM then."""
    for since, until in (("2008-01-01", "2008-12-31"), ("2020-02-15", "2020-04-15")):
        span = ["--since", since, "--until", until]
        vix = ["--vix", str(data / "VIX_daily_2008_on.csv")]
        for symbol in ("SPY", "QQQ", "IWM") if since > "2010" else ("SPY", "IWM"):  # of QQQ the file begins later
            bars = ["--bars", str(data / f"{symbol}_daily_2008_on.csv")]
            yield [str(PROGRAM), "regime", *(vix if symbol == "SPY" else []), *bars, *span]


def regime_of(command: list[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        home = {"KEYTURN_HOME": folder, "PATH": "/usr/bin:/bin", "KEYTURN_REGIME__VIX_URL": ""}
        yield from subprocess.run(command, env=home, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def lines(data: Path) -> Iterator[str]:
    for profile in ("micro", "swing"):
        yield f"== minutes, 7 to 10 October 2013, {', '.join(SYMBOLS)}: profile {profile}"
        yield from minutes_of(data, profile)
        yield ""
    for year in SEASONS:
        yield f"== dailies of {year}: dips in SPY, QQQ (from March 2011 on) and IWM, bought at the next open"
        for season in seasons_of(data, year):
            yield from season_in_lines(season)
        yield ""
    for command in regime_commands(data):
        yield "== keyturn " + " ".join(Path(word).name for word in command[1:])
        yield from regime_of(command)
        yield ""


def show(told: Iterable[str]) -> None:
    for line in told:
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    if not folder.is_dir():
        sys.exit(f"{folder} is no folder; name the one with the recorded figures")
    show(lines(folder))
