import subprocess
import sys

import pytest

from gateway import __version__
from gateway.__main__ import COMMANDS, main
from gateway.settings_table import settings_table


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"cleanplate {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert command in shown


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve", "--nonsense"]])
def test_a_wrong_call_is_status_2(arguments: list[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (["relay", "--to", "http://127.0.0.1/b"], "--from"),
        (["matte", "a.jpg"], "--plate"),
        (["bench"], "SUBJECT"),
        ([], "COMMAND"),
    ],
)
def test_what_is_missing_is_named_in_one_line(
    arguments: list[str], missing: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main(arguments)
    said = capsys.readouterr().err
    assert f"missing: {missing} " in said
    assert said.count("\n") == 1


def test_the_settings_table_can_be_printed(capsys: pytest.CaptureFixture[str]):
    assert main(["serve", "--print-settings-table"]) == 0
    assert capsys.readouterr().out == settings_table() + "\n"


def test_a_wrong_setting_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]):
    assert main(["serve", "--port", "many"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("cleanplate: port:")
    assert shown.count("\n") == 1


def test_help_of_serve_does_not_wait_for_torch():
    code = (
        "import sys; from gateway.__main__ import make_parser; make_parser('serve'); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
