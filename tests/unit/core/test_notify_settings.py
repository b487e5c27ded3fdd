"""`[notify]`: what is refused, by its name and its place; no wrong value is repeated, for it may be an address."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.facts import SettingsApplied
from core.settings.history import VERSION, put_down, read, taken_up, written
from core.settings.settings import Settings
from state.codec import GENESIS, encode
from state.files import Home
from state.settings_file import SettingsError, load_settings
from tests.kit.rows import cases

PHONE = "[notify.channels.phone]\n"
RULE = '[notify.rules.night]\nchannels = ["phone"]\n'
THIRD = "[[notify.rules.night.escalate]]\nminutes = 5\nchannels = ['third']\n"


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    home = Home.of({"KEYTURN_HOME": str(tmp_path)})
    home.settings.parent.mkdir(parents=True, exist_ok=True)
    home.settings.write_text(text)
    return load_settings(home, environ or {})


def test_channels_and_rules_are_named_tables(tmp_path: Path):
    """SY-03"""
    text = (
        '[notify]\ncommand = ["/usr/bin/push", "--quiet"]\ndigest_at = ["12:00", "16:15"]\n'
        '[notify.quiet]\nbegins = "22:00"\nends = "07:00"\nbroken_by = ["exit_waiting"]\n'
        + PHONE
        + '[notify.rules.night]\nchannels = ["phone", "command"]\nkinds = ["kill"]\nat_least = "urgent"\n'
        '[[notify.rules.night.escalate]]\nminutes = 5\nchannels = ["command"]\n'
    )
    terms = loaded(tmp_path, text).notify

    assert terms.names == ("phone", "command")
    assert terms.rules["night"].escalate[0].minutes == 5
    assert len(terms.digest_at) == 2


def test_an_environment_address_is_no_setting(tmp_path: Path):
    """SY-03"""
    assert loaded(tmp_path, PHONE, {"KEYTURN_CHANNEL_PHONE": "ntfys://x/y"}).notify.names == ("phone",)


@cases(
    "text place why",
    (RULE, "notify.rules.night.channels", "'phone' is no channel; there are: none"),
    (PHONE + RULE.replace('"]', '", "fone"]'), "notify.rules.night.channels", "'fone' is no channel; there are: phone"),
    (PHONE + RULE + 'kinds = ["fills"]\n', "notify.rules.night.kinds", "'exit_waiting'"),
    (PHONE + RULE + "kind = 1\n", "notify.rules.night.kind", "Extra inputs"),
    (PHONE + RULE + 'at_least = "loud"\n', "notify.rules.night.at_least", "'urgent'"),
    (PHONE + "url = 'ntfys://secret'\n", "notify.channels.phone.url", "Extra inputs"),
    ("[notify.channels]\nphone = 'ntfys://secret'\n", "notify.channels.phone", "dictionary or instance"),
    ("[notify]\nchanels = {}\n", "notify.chanels", "did you mean notify.channels?"),
    ("[notify]\ncommand = ['push --token=secret']\n", "notify.command", "is no whole path"),
    ("[notify]\ncommand = '/bin/push --token=secret'\n", "notify.command", "must be a list"),
    ("[notify]\ncommand = ['/bin/push', '--token', 'secret', 1]\n", "notify.command", "must be a valid string"),
    ("[notify.channels.command]\n", "notify.channels.command", "call it otherwise"),
    ("[report.agent]\nname = 'claude'\n", "report.agent.command", "give both"),
    ("[report.agent]\ncommand = ['/bin/claude']\n", "report.agent.name", "give both"),
    ("[report.agent]\nname = 'claude'\ncommand = ['claude']\n", "report.agent.command", "is no whole path"),
    ("[report.agent]\nname = 'desk'\ncommand = ['/bin/x']\n", "report.agent.name", "a word of the desk"),
    ("[report.agent]\nseconds = 601\n", "report.agent.seconds", "600"),
    ('[notify.quiet]\nbegins = "22:00"\n', "notify.quiet", "give both, and not the same"),
    (PHONE + RULE + 'symbols = ["SPY", "brk.b"]\n', "notify.rules.night.symbols", 'must be in capitals: "BRK.B"'),
    (PHONE + RULE + 'symbols = ["ntfys://secret"]\n', "notify.rules.night.symbols", "must match pattern"),
    ("[notify]\nseconds = 0\n", "notify.seconds", "greater than or equal to 1"),
    (PHONE + RULE + THIRD, "notify.rules.night.escalate", "'third' is no channel"),
)
def test_a_fault_is_named_and_not_repeated(tmp_path: Path, text: str, place: str, why: str):
    """SY-03, SY-06"""
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, text)

    assert place in str(refused.value)
    assert why in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "wrote", ['"22:00:00+01:00"', '"22:00Z"', '"22:00:00.5"', "22:00:00.500000", "22", "79200.0", '"79200"', '"22"']
)
@pytest.mark.parametrize(
    ("table", "key"),
    [("[notify.quiet]\nends = '07:00'\n", "quiet.begins"), ("[notify]\n", "digest_at"), ("[risk]\n", "window_end")],
)
def test_a_time_of_day_is_plain(tmp_path: Path, table: str, key: str, wrote: str):
    """SY-03: an engine that took one would not start; the place says what to write."""
    name = key.rpartition(".")[2]
    value = f"[{wrote}]" if name == "digest_at" else wrote
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, f"{table}{name} = {value}\n")

    assert f"settings.toml: {'risk' if key == 'window_end' else 'notify'}.{key}" in str(refused.value)
    assert str(refused.value).endswith('as in "10:00"')
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrote", ['"22:00"', '"22:00:30"', "22:00:00"])
def test_a_time_of_day_is_text_or_time(tmp_path: Path, wrote: str):
    """SY-03"""
    text = f"[notify]\ndigest_at = [{wrote}]\n[notify.quiet]\nbegins = {wrote}\nends = '07:00'\n"
    terms = loaded(tmp_path, text)

    assert terms.notify.digest_at == (terms.notify.quiet.begins,)


def test_an_older_journals_times_are_read():
    """SY-03, SP-07: a time with a zone was taken then."""
    times = {"digest_at": ["16:15:00+01:00"], "quiet": {"begins": "22:00:00.500000", "ends": "07:00:00"}}

    settings = read({"notify": times}, VERSION)

    assert settings.odd.places == (("notify", "digest_at"), ("notify", "quiet", "begins"))
    assert written(settings, "json")["notify"]["digest_at"] == ["16:15:00+01:00"]


def test_a_record_holds_no_command_arguments():
    """SY-03, SY-06: also where an older record has them."""
    command = ["/bin/push", "--token", "hush"]
    agent = {"name": "claude", "command": command}
    terms = Settings.model_validate({"notify": {"command": command}, "report": {"agent": agent}})
    line, _ = encode(1, datetime(2026, 11, 20, tzinfo=UTC), SettingsApplied(terms), GENESIS)
    assert b'"command":["/bin/push"]' in line
    assert b"hush" not in line

    old = {"notify": {"command": ["/bin/push", "--token", "hush"], "quiet": {"begins": "22:00Z", "ends": "07:00"}}}
    settings = read(old, VERSION)

    assert settings.notify.command == ("/bin/push",)
    assert settings.odd.places == (("notify", "quiet", "begins"),)
    assert "hush" not in str(written(settings, "json")) + str(put_down(settings)) + repr(settings)
    assert taken_up({"notify": {"command": ["/bin/push", "hush"]}}).notify.command == ("/bin/push",)
    assert read({"notify": {"command": ["/bin/push --token hush"]}}, 1).notify.command == ("/bin/push",)
    assert "hush" not in str(written(read({"notify": {"command": "hush"}}, VERSION)))
