"""The report's part about people who were chosen: group by group, picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from models.evaluation.examination import Tally
from models.evaluation.gallery import Looked
from models.evaluation.results import figure
from models.evaluation.scores import METRICS, Metric
from models.evaluation.section import case_article, chip

_TOLD: Final[tuple[Metric, ...]] = ("alpha_mad", "alpha_mse", "grad_thousands", "conn_thousands")


def gallery_section(groups: Sequence[Looked]) -> str:
    """HTML of all groups; empty without any."""
    if not groups:
        return ""
    links = ", ".join(
        f'<a href="#{anchor(group)}">{escape(group.look.title)}</a>' for group in groups
    )
    return (
        '<section id="looks"><h2>Hard cases</h2><p class="soft">Chosen by eye and not by their '
        f"scores, which hide what people see: {links}.</p></section>"
        f"{''.join(_group(group) for group in groups)}"
    )


def anchor(group: Looked) -> str:
    """Where links to a group lead."""
    return f"looks-{group.look.name}"


def _group(group: Looked) -> str:
    height, width = group.stills.size
    means = "".join(
        f'<div class="legend figures">{chip(name, number)}{_means(tally)}</div>'
        for number, (name, tally) in enumerate(group.tallies.items())
    )
    rooms = (
        "Everybody is in the room that is most like the colour of their clothes. "
        if group.look.rooms == "alike"
        else ""
    )
    return (
        f'<section id="{anchor(group)}" style="--shape:{width}/{height}">'
        f"<h2>{escape(group.look.title)}</h2>"
        f'<p class="soft">{rooms}{escape(group.recipe.text)} '
        f'<a href="{escape(group.file, quote=True)}">All of them on one sheet</a></p>{means}'
        f"{''.join(case_article(case) for case in group.cases)}</section>"
    )


def _means(tally: Tally) -> str:
    return "".join(
        f'<span class="soft">{METRICS[metric][0]} {figure(value)}</span>'
        for metric in _TOLD
        if (value := tally.means.get(metric)) is not None
    )
