"""The report: one page that opens without a server, and the same figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

from tqdm import tqdm

from models.errors import MattingError
from models.evaluation.charts import hue, line_chart
from models.evaluation.examination import Curve
from models.evaluation.gallery_section import gallery_section
from models.evaluation.results import Results, counted, figure
from models.evaluation.scores import METRICS
from models.evaluation.section import anchor, chip, section

_HERE: Final = Path(__file__).parent


def write_page(results: Results, folder: Path, worst: int) -> None:
    """Write `index.html`, `report.json` and the contact sheets into `folder`, which exists.

    Args:
        results: of an examination.
        folder: for the files; what stands there under these names is replaced.
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
        for looked in results.looked:
            (folder / looked.file).write_bytes(looked.sheet)
    except OSError as error:
        raise MattingError(
            f"the report cannot be written to {folder} ({error.strerror}): name another folder"
        ) from error


def make_page(results: Results, worst: int) -> str:
    """The whole page, with pictures, curves and style inside."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    names = [entry.name for entry in results.entries]
    links = [(anchor(result), result.key) for result in results.sets]
    links += [("drift", "Drifting plates")] if results.curves else []
    links += [("looks", "Hard cases")] if results.looked else []
    links += [("how", "How it was measured")]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Evaluation: {escape(', '.join(names))}</title><style>{style}</style></head>",
            "<body><header><div>",
            f"<h1>How good are the mattes?</h1><p class='soft'>{_lead(results)}</p>",
            f"{_legend(names)}</div></header><nav><div>",
            *(f'<a href="#{target}">{escape(text)}</a>' for target, text in links),
            "</div></nav><main>",
            _overview(results),
            *(section(results, result, worst) for result in tqdm(results.sets, desc="report")),
            _curves(results.curves, names),
            gallery_section(results.looked),
            _how(results),
            "</main><dialog><img alt=''><p></p></dialog>",
            f"<script>{script}</script></body></html>\n",
        )
    )


def _lead(results: Results) -> str:
    first = results.sets[0]
    height, width = first.stills.size
    return (
        f"{counted(first.scenes, 'scene')} of {width}x{height} per table, made from people and "
        f"rooms that were kept out of training. {escape(results.date)}, {escape(results.machine)}."
    )


def _legend(names: Iterable[str]) -> str:
    chips = (chip(name, number) for number, name in enumerate(names))
    return f'<div class="legend">{"".join(chips)}</div>'


def _overview(results: Results) -> str:
    cards = []
    for result in results.sets:
        means = {name: tally.means["alpha_mad"] for name, tally in result.tallies.items()}
        most = max(means.values()) or 1.0
        rows = "".join(
            f'{chip(name, number)}<span class="figures">{figure(mean)}</span>'
            f'<div class="track"><i style="--hue:{hue(number)};width:{mean / most:.1%}"></i></div>'
            for number, (name, mean) in enumerate(means.items())
        )
        cards.append(
            f'<div class="card"><h3><a href="#{anchor(result)}">{escape(result.key)}</a></h3>'
            f'<p class="soft small">Mean absolute error of alpha, {escape(result.recipe.title)}</p>'
            f'<div class="bars">{rows}</div></div>'
        )
    return f'<section><div class="cards">{"".join(cards)}</div></section>'


def _curves(curves: Iterable[Curve], names: Iterable[str]) -> str:
    charts, count = [], 0
    for curve in curves:
        count, drift = curve.scenes, curve.drift
        title = f"MAD over {drift.title}"
        chart = line_chart(drift.points, curve.alpha_mad, drift.unit, title)
        charts.append(
            f'<div class="card"><h3>{escape(drift.title)}</h3>{chart}{_numbers(curve)}</div>'
        )
    if not charts:
        return ""
    return (
        '<section id="drift"><h2>Drifting plates</h2><p class="soft">Mean absolute error of alpha '
        f"over {counted(count, 'scene')}, on a logarithmic scale. Apart from what is drawn, plates "
        f"are as in the recipe of the paper.</p>{_legend(names)}"
        f'<div class="charts">{"".join(charts)}</div></section>'
    )


def _numbers(curve: Curve) -> str:
    heads = "".join(f'<th scope="col">{point:g}</th>' for point in curve.drift.points)
    rows = "".join(
        f'<tr><th scope="row">{chip(name, number)}</th>'
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
        f"<dt>{chip(e['name'], number)}</dt><dd>"
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
        f"{of['split']} split, {counted(of['scenes'], 'scene')} and "
        f"{counted(of['clips'], 'clip')} of {of['size']}; "
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
