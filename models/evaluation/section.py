"""One set's part of the report: means, where errors sit, scene by scene, worst cases."""

from __future__ import annotations

from html import escape
from typing import Final

from models.evaluation.cases import Case, Shown, worst_cases
from models.evaluation.charts import hue, win_chart
from models.evaluation.examination import SetResult, Tally
from models.evaluation.results import Results, best, cell, figure, wins
from models.evaluation.scores import IN_BAND, METRICS, PLACES, WHOLE_FRAME, Metric

_ABOUT: Final = (
    "Less is better everywhere. Whole frames are scored as Robust Video Matting does, the band as "
    "the paper does: pixels whose true alpha lies between 0.06 and 0.96, with gaps of up to 20 "
    "pixels closed. Grad, Conn and SAD are in thousands."
)


def section(results: Results, result: SetResult, worst: int) -> str:
    """HTML of one set under one recipe, with `worst` cases as pictures."""
    name = f"{result.stills.name}, {result.recipe.title}"
    height, width = result.stills.size
    return "".join(
        (
            f'<section id="{anchor(result)}" style="--shape:{width}/{height}">',
            f"<h2>{escape(name)}</h2>",
            f'<p class="soft">{escape(result.recipe.text)}</p>',
            f'<h3>Means</h3>{_table(result)}<p class="soft small">{_ABOUT}</p>',
            f"<h3>Where errors sit</h3>{_where(result)}",
            _wins(result),
            _cases(worst_cases(results.entries, result, worst)),
            "</section>",
        )
    )


def _table(result: SetResult) -> str:
    columns: list[tuple[Metric, bool]] = [
        (metric, group[0] == metric) for group in (WHOLE_FRAME, IN_BAND) for metric in group
    ]
    heads = "".join(
        f'<th scope="col"{_first(first)}><abbr title="{escape(METRICS[metric][1])}">'
        f"{METRICS[metric][0]}</abbr></th>"
        for metric, first in columns
    )
    rows = []
    for number, (name, tally) in enumerate(result.tallies.items()):
        cells = "".join(
            f"<td{_first(first)}>{_marked(tally, metric, name in best(result, metric))}</td>"
            for metric, first in columns
        )
        rows.append(f'<tr><th scope="row">{chip(name, number)}</th>{cells}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Means"><table><thead>'
        f'<tr class="group"><th></th><th class="first" colspan="{len(WHOLE_FRAME)}">whole frame'
        f'</th><th class="first" colspan="{len(IN_BAND)}">band of the trimap</th></tr>'
        f"<tr><th></th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _marked(tally: Tally, metric: Metric, is_best: bool) -> str:
    text = cell(tally, metric, False)
    return f"<b>{text}</b>" if is_best else text


def _first(first: bool) -> str:
    return ' class="first"' if first else ""


def _where(result: SetResult) -> str:
    """Shares of all squared error of a contender, over all scenes."""
    rows = []
    for number, (name, tally) in enumerate(result.tallies.items()):
        sums = {
            place: sum((s.values["alpha_mse"] or 0) * s.where[place].share for s in tally.samples)
            for place in PLACES
        }
        total = sum(sums.values()) or 1.0
        parts = "".join(
            f'<i style="width:{part / total:.2%};background:var(--{place})" '
            f'title="{place}: {part / total:.0%}, {PLACES[place]}"></i>'
            for place, part in sums.items()
        )
        rows.append(f'{chip(name, number)}<div class="stack">{parts}</div>')
    legend = "".join(
        f'<span class="chip swatch" style="--hue:var(--{place})">{escape(meaning)}</span>'
        for place, meaning in PLACES.items()
    )
    return (
        f'<div class="card"><div class="where">{"".join(rows)}</div></div>'
        f'<div class="legend soft">Shares of the squared error: {legend}</div>'
    )


def _wins(result: SetResult) -> str:
    names = list(result.tallies)
    table, cards = wins(result), []
    for number, name in enumerate(names):
        for other in range(number + 1, len(names)):
            rival = names[other]
            counted = table[name][rival]
            own, theirs = (result.tallies[n].samples for n in (name, rival))
            title = (
                f"{name} has the lower MAD in {counted['alpha_mad']} of {counted['samples']} "
                f"scenes, the lower MSE in {counted['alpha_mse']}"
            )
            chart = win_chart(
                [s.name for s in own],
                [s.values["alpha_mad"] or 0.0 for s in own],
                [s.values["alpha_mad"] or 0.0 for s in theirs],
                (number, other),
                title,
            )
            lost = counted["lost"]
            which = f"<p class='soft small'>Not in {escape('; '.join(lost[:8]))}" if lost else ""
            which += f" and {len(lost) - 8} more" if len(lost) > 8 else ""
            cards.append(
                f'<div class="card pair"><p>{chip(name, number)} against {chip(rival, other)}:'
                f" lower MAD in <b>{counted['alpha_mad']} of {counted['samples']}</b> scenes, lower"
                f" MSE in <b>{counted['alpha_mse']}</b></p>{chart}{which}</div>"
            )
    if not cards:
        return ""
    return (
        '<h3>Scene by scene</h3><div class="charts">'
        f'{"".join(cards)}</div><p class="soft small">One bar a scene, in order: up, the first has '
        "so many times less error; down, the second.</p>"
    )


def _cases(cases: list[Case]) -> str:
    if not cases:
        return ""
    return f"<h3>Worst cases</h3>{''.join(case_article(case) for case in cases)}"


def case_article(case: Case) -> str:
    """HTML of one scene with all answers."""
    name = case.name
    pictures = (
        _figure(case.source, "source", name),
        _figure(case.plate, "plate", name),
        _figure(case.truth, "truth", name),
        _figure(case.ideal, "truth on green", name),
    )
    answers = "".join(_answer(shown, number, name) for number, shown in enumerate(case.answers))
    return (
        f'<article class="card case"><header><b>{escape(name)}</b></header>'
        f'<div class="pictures">{"".join(pictures)}</div>{answers}</article>'
    )


def _answer(shown: Shown, number: int, name: str) -> str:
    values, of = shown.scores.values, f"{shown.name}, {name}"
    told = " ".join(
        f"<span>{METRICS[metric][0]} {figure(value)}</span>"
        for metric in WHOLE_FRAME
        if (value := values.get(metric)) is not None
    )
    pictures = [
        _figure(shown.alpha, "alpha", of),
        _figure(shown.error, "error: orange too much, blue too little", of),
    ]
    if shown.expected is not None:
        pictures.append(_figure(shown.expected, "error that the network expected", of))
    pictures.append(_figure(shown.composite, "composite on green", of, last=True))
    return (
        f'<div class="answer"><div class="small figures soft">{chip(shown.name, number)}{told}'
        f'</div><div class="pictures">{"".join(pictures)}</div></div>'
    )


def _figure(address: str, caption: str, of: str, *, last: bool = False) -> str:
    place = ' class="last"' if last else ""
    return (
        f'<figure{place}><button type="button"><img decoding="async" src="{address}" '
        f'alt="{escape(f"{caption}: {of}", quote=True)}"></button>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def chip(name: str, number: int) -> str:
    """A contender's name with its colour."""
    # A phone breaks long names at their dots.
    shown = escape(name).replace(".", ".<wbr>")
    return f'<span class="chip" style="--hue:{hue(number)}"><span>{shown}</span></span>'


def anchor(result: SetResult) -> str:
    """Where links to this part lead."""
    return "".join(c if c.isalnum() else "-" for c in result.key)
