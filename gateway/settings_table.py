"""Settings for people: their headings, their defaults, and the table in the README."""

from __future__ import annotations

from typing import Final

from pydantic.fields import FieldInfo

from gateway.settings import PREFIX, Settings

BEGIN: Final = "<!-- settings: begin, written by `cleanplate serve --print-settings-table` -->"
END: Final = "<!-- settings: end -->"


def group_of(field: FieldInfo) -> str:
    """The heading under which a setting stands."""
    assert isinstance(field.json_schema_extra, dict)
    return str(field.json_schema_extra["group"])


def shown(field: FieldInfo) -> str:
    """A default for people."""
    if field.default is None or field.default in ("", ()):
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return f"{field.default:g}" if isinstance(field.default, float) else str(field.default)


def settings_table() -> str:
    """The README's table, with its markers."""
    rows = ["| setting | environment | default | meaning |", "|---|---|---|---|"]
    heading = ""
    for name, field in Settings.model_fields.items():
        if group_of(field) != heading:
            heading = group_of(field)
            rows.append(f"| **{heading}** | | | |")
        default = f"`{shown(field)}`" if shown(field) else ""
        rows.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join([BEGIN, *rows, END])
