import argparse
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError
from gateway.settings_sources import add_arguments, load


def parse(*arguments: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return vars(parser.parse_args(arguments))


def test_the_command_line_beats_the_environment_beats_the_file(tmp_path: Path):
    config = tmp_path / "cleanplate.toml"
    config.write_text('port = 1001\nmax_sessions = 11\nhost = "::1"\n')
    environment = {"CLEANPLATE_PORT": "1002", "CLEANPLATE_MAX_SESSIONS": "12"}
    settings = load(config=config, environment=environment, command_line=parse("--port", "1003"))
    assert (settings.port, settings.max_sessions, settings.host) == (1003, 12, "::1")
    assert settings.max_streams == Settings().max_streams


def test_the_environment_may_name_the_file(tmp_path: Path):
    config = tmp_path / "cleanplate.toml"
    config.write_text("[limits]\nmax_sessions = 3\n\n[server]\nport = 1234\n")
    settings = load(environment={"CLEANPLATE_CONFIG": str(config)})
    assert (settings.max_sessions, settings.port) == (3, 1234)


def test_lists_are_separated_by_commas_outside_of_files(tmp_path: Path):
    config = tmp_path / "cleanplate.toml"
    config.write_text('origins = ["https://a.example", "https://b.example"]\n')
    assert load(config=config).origins == ("https://a.example", "https://b.example")
    given = load(environment={"CLEANPLATE_ORIGINS": "https://a.example, https://b.example"})
    assert given.origins == ("https://a.example", "https://b.example")


def test_a_flag_that_is_not_given_leaves_other_sources_alone():
    assert load(environment={"CLEANPLATE_INSECURE": "true"}, command_line=parse()).insecure
    assert load(command_line=parse("--insecure")).insecure
    assert not load(command_line=parse()).insecure


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("port = 'x'", "port"),
        ("prot = 1", "prot: there is no such setting"),
        ("port =", "not a TOML file"),
        ("tokens = ['short']", "16 characters"),
    ],
)
def test_a_wrong_file_is_explained_in_one_line(tmp_path: Path, text: str, complaint: str):
    config = tmp_path / "cleanplate.toml"
    config.write_text(text)
    with pytest.raises(SettingsError, match=complaint) as caught:
        load(config=config)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_explained(tmp_path: Path):
    with pytest.raises(SettingsError, match="cannot read"):
        load(config=tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("flag", "placeholder"),
    [
        ("--stream-linger", "SECONDS"),
        ("--rate", "N"),
        ("--client-calls", "N"),
        ("--all-calls", "N"),
        ("--max-streams", "N"),
        ("--plates-folder", "FOLDER"),
        ("--cert", "FILE"),
        ("--tokens", "LIST"),
        ("--device", "TEXT"),
    ],
)
def test_help_says_what_kind_of_value_a_setting_takes(
    flag: str, placeholder: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        parse("--help")
    assert f"  {flag} {placeholder} " in " ".join(capsys.readouterr().out.split("\n"))


def test_help_explains_every_setting(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse("--help")
    shown = capsys.readouterr().out
    for name in Settings.model_fields:
        assert "--" + name.replace("_", "-") in shown
    for heading in ("server:", "access:", "network:", "limits:", "video:", "matting:"):
        assert shown.count(f"\n{heading}\n") == 1
