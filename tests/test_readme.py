from pathlib import Path

from gateway.settings_table import settings_table

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_shows_every_setting_as_the_code_has_it():
    assert settings_table() in README.read_text(encoding="utf-8"), (
        "put what `cleanplate serve --print-settings-table` says between README.md's markers"
    )
