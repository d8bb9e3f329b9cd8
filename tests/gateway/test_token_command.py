from pathlib import Path

import pytest

from gateway.__main__ import main
from gateway.signed_tokens import SignedTokens

SECRET = "correct-horse-battery-staple-and-more"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLEANPLATE_TOKEN_SECRET", "CLEANPLATE_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("options", "scopes", "stream"),
    [
        (["--for", "publish", "--stream", "desk"], {"publish"}, "desk"),
        (["--for", "watch", "--minutes", "0.5"], {"watch"}, None),
        (["--for", "both"], {"publish", "watch"}, None),
    ],
)
def test_a_token_alone_is_printed_that_the_server_takes(
    options: list[str],
    scopes: set[str],
    stream: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("CLEANPLATE_TOKEN_SECRET", SECRET)
    assert main(["token", *options]) == 0
    grant = SignedTokens(SECRET).read(capsys.readouterr().out.removesuffix("\n"))
    assert grant is not None
    assert (grant.scopes, grant.stream) == (scopes, stream)


def test_the_secret_may_stand_in_the_file_of_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "settings.toml"
    file.write_text(f'token_secret = "{SECRET}"\n')
    assert main(["token", "--config", str(file), "--for", "watch"]) == 0
    assert SignedTokens(SECRET).read(capsys.readouterr().out.strip()) is not None


@pytest.mark.parametrize(
    ("options", "secret", "complaint"),
    [
        ([], "", "there is no token_secret"),
        ([], "short", "token_secret: a secret that signs tokens needs"),
        (["--stream", "a b"], SECRET, "--stream:"),
        (["--minutes", "0"], SECRET, "--minutes takes"),
        (["--minutes", "nan"], SECRET, "--minutes takes"),
        (["--minutes", "inf"], SECRET, "--minutes takes"),
    ],
)
def test_what_the_operator_can_mend_is_one_line(
    options: list[str],
    secret: str,
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("CLEANPLATE_TOKEN_SECRET", secret)
    assert main(["token", "--for", "publish", *options]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"cleanplate: {complaint}")
    assert told.err.count("\n") == 1
