"""The report: one page that opens without a server, and the same figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from models.errors import MattingError
from models.evaluation.cases import Case, Shown, worst_cases
from models.evaluation.charts import hue, line_chart, win_chart
from models.evaluation.examination import Curve, SetResult, Tally
from models.evaluation.results import Results, best, cell, figure, wins
from models.evaluation.scores import IN_BAND, METRICS, PLACES, WHOLE_FRAME, Metric

_HERE: Final = Path(__file__).parent

_ABOUT: Final = (
    "Less is better everywhere. Whole frames are scored as Robust Video Matting does, the band as "
    "the paper does: pixels whose true alpha lies between 0.06 and 0.96, with gaps of up to 20 "
    "pixels closed. Grad, Conn and SAD are in thousands."
)


def write_page(results: Results, folder: Path, worst: int) -> None:
    """Write `index.html` and `report.json` into `folder`, which exists.

    Args:
        results: of an examination.
        folder: for the two files; what stands there under these names is replaced.
        worst: cases shown as pictures per set and recipe. They are third parties' photos.

    Raises:
        MattingError: the folder cannot be written to.
    """
    page = make_page(results, worst)
    try:
        (folder / "index.html").write_text(page, encoding="utf-8")
        (folder / "report.json").write_text(
            json.dumps(results.as_json(), indent=1) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise MattingError(
            f"the report cannot be written to {folder} ({error.strerror}): name another folder"
        ) from error


def make_page(results: Results, worst: int) -> str:
    """The whole page, with pictures, curves and style inside."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    names = [entry.name for entry in results.entries]
    links = [(_anchor(result), result.key) for result in results.sets]
    links += [("drift", "Drifting plates")] if results.curves else []
    links += [("how", "How it was measured")]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Evaluation: {escape(', '.join(names))}</title><style>{style}</style></head>",
            "<body><header><div>",
            f"<h1>How good are the mattes?</h1><p class='soft'>{_lead(results)}</p>",
            f"{_legend(names)}</div></header><nav><div>",
            *(f'<a href="#{anchor}">{escape(text)}</a>' for anchor, text in links),
            "</div></nav><main>",
            _overview(results),
            *(_set(results, result, worst) for result in results.sets),
            _curves(results.curves),
            _how(results),
            "</main><dialog><img alt=''><p></p></dialog>",
            f"<script>{script}</script></body></html>\n",
        )
    )


def _lead(results: Results) -> str:
    first = results.sets[0]
    height, width = first.stills.size
    return (
        f"{first.scenes} scenes of {width}x{height} per table, made from people and rooms that "
        f"were kept out of training. {escape(results.date)}, {escape(results.machine)}."
    )


def _legend(names: Iterable[str]) -> str:
    chips = (_chip(name, number) for number, name in enumerate(names))
    return f'<div class="legend">{"".join(chips)}</div>'


def _chip(name: str, number: int) -> str:
    return f'<span class="chip" style="--hue:{hue(number)}">{escape(name)}</span>'


def _overview(results: Results) -> str:
    cards = []
    for result in results.sets:
        means = {name: tally.means["alpha_mad"] for name, tally in result.tallies.items()}
        most = max(means.values()) or 1.0
        rows = "".join(
            f'{_chip(name, number)}<span class="figures">{figure(mean)}</span>'
            f'<div class="track"><i style="--hue:{hue(number)};width:{mean / most:.1%}"></i></div>'
            for number, (name, mean) in enumerate(means.items())
        )
        cards.append(
            f'<div class="card"><h3><a href="#{_anchor(result)}">{escape(result.key)}</a></h3>'
            f'<p class="soft small">Mean absolute error of alpha, {escape(result.recipe.title)}</p>'
            f'<div class="bars">{rows}</div></div>'
        )
    return f'<section><div class="cards">{"".join(cards)}</div></section>'


def _set(results: Results, result: SetResult, worst: int) -> str:
    name = f"{result.stills.name}, {result.recipe.title}"
    return "".join(
        (
            f'<section id="{_anchor(result)}"><h2>{escape(name)}</h2>',
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
        rows.append(f'<tr><th scope="row">{_chip(name, number)}</th>{cells}</tr>')
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
        rows.append(f'{_chip(name, number)}<div class="stack">{parts}</div>')
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
            which = f"<p class='soft small'>Not: {escape('; '.join(lost[:8]))}" if lost else ""
            which += f" and {len(lost) - 8} more" if len(lost) > 8 else ""
            cards.append(
                f'<div class="card pair"><p>{_chip(name, number)} against {_chip(rival, other)}:'
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
    return f"<h3>Worst cases</h3>{''.join(_case(case) for case in cases)}"


def _case(case: Case) -> str:
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
    pictures.append(_figure(shown.composite, "composite on green", of))
    return (
        f'<div class="answer"><div class="small figures soft">{_chip(shown.name, number)}{told}'
        f'</div><div class="pictures">{"".join(pictures)}</div></div>'
    )


def _figure(address: str, caption: str, of: str) -> str:
    return (
        f'<figure><button type="button"><img loading="lazy" src="{address}" '
        f'alt="{escape(f"{caption}: {of}", quote=True)}"></button>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _curves(curves: Iterable[Curve]) -> str:
    charts, count = [], 0
    for curve in curves:
        count, drift = curve.scenes, curve.drift
        across = f"{drift.title.lower()}, {drift.unit}"
        chart = line_chart(drift.points, curve.alpha_mad, across, f"MAD over {drift.title}")
        charts.append(
            f'<div class="card"><h3>{escape(drift.title)}</h3>{chart}{_numbers(curve)}</div>'
        )
    if not charts:
        return ""
    return (
        '<section id="drift"><h2>Drifting plates</h2><p class="soft">Mean absolute error of alpha '
        f"over {count} scenes, on a logarithmic scale. Apart from what is drawn, plates are as in "
        f'the recipe of the paper.</p><div class="charts">{"".join(charts)}</div></section>'
    )


def _numbers(curve: Curve) -> str:
    heads = "".join(f'<th scope="col">{point:g}</th>' for point in curve.drift.points)
    rows = "".join(
        f'<tr><th scope="row">{_chip(name, number)}</th>'
        f"{''.join(f'<td>{figure(value)}</td>' for value in values)}</tr>"
        for number, (name, values) in enumerate(curve.alpha_mad.items())
    )
    return (
        '<details><summary>Figures</summary><div class="scroll" tabindex="0"><table><thead><tr>'
        f"<th></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def _how(results: Results) -> str:
    told = results.as_json()
    entries = "".join(
        f"<dt>{_chip(e['name'], number)}</dt><dd>"
        + escape(", ".join(f"{k.replace('_', ' ')} {v}" for k, v in e["settings"].items()))
        + (f"<br><code>sha256 {escape(e['sha256'])}</code>" if e["sha256"] else "")
        + "</dd>"
        for number, e in enumerate(told["entries"])
    )
    metrics = "".join(
        f"<dt>{heading}</dt><dd>{escape(meaning)}</dd>" for heading, meaning in METRICS.values()
    )
    scenes = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(of['people'])}, over {escape(of['rooms'])}; "
        f"{of['split']} split, {of['scenes']} scenes and {of['clips']} clips of {of['size']}; "
        f"fingerprint <code>{of['fingerprint']}</code></dd>"
        for key, of in told["scenes"].items()
    )
    programs = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return (
        '<section id="how"><h2>How it was measured</h2>'
        f"<pre><code>{escape(results.command)}</code></pre>"
        f'<p class="soft small">{escape(results.machine)}; {escape(programs)}; '
        f"{escape(results.date)}</p><h3>Who</h3><dl>{entries}</dl><h3>On what</h3><dl>{scenes}</dl>"
        '<p class="soft small">Equal fingerprints mean equal pixels. Scene number n is the same '
        "whatever else is examined.</p>"
        f"<h3>By what</h3><dl>{metrics}</dl></section><footer></footer>"
    )


def _anchor(result: SetResult) -> str:
    return "".join(c if c.isalnum() else "-" for c in result.key)
