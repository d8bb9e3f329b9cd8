import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.device import choose_device
from models.evaluation.cases import worst_cases
from models.evaluation.charts import line_chart, win_chart
from models.evaluation.contender import Answer, Contender
from models.evaluation.drifts import DRIFTS
from models.evaluation.examination import (
    SetResult,
    Tally,
    amount,
    examine_curve,
    examine_set,
)
from models.evaluation.page import make_page, write_page
from models.evaluation.recipes import RECIPES
from models.evaluation.results import Results, best, figure, table, wins
from models.evaluation.scores import METRICS, PLACES, ClipScorer, score
from models.evaluation.sets import Sample
from models.machine import machine_name, versions
from tests.models.evaluation_scenes import Constant, Counted, Tiring, stills

PAPER = RECIPES["paper"]


def examined(
    material: Path, contenders: Sequence[Contender], scenes: int = 2, clips: int = 0
) -> list[SetResult]:
    recipes = [PAPER, RECIPES["drifted"]]
    return examine_set(contenders, stills(material), recipes, scenes, clips, Counted())


def results_of(material: Path, contenders: Sequence[Contender]) -> Results:
    sets = examined(material, contenders, scenes=3, clips=1)
    curve = examine_curve(contenders, stills(material), DRIFTS["shift"], 1, Counted())
    return Results(
        "cleanplate evaluate --data DATA",
        machine_name(choose_device("cpu")),
        "2026-01-01",
        versions(),
        contenders,
        sets,
        [curve],
    )


def test_a_perfect_answer_has_no_error_anywhere(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    scores = score(Answer(sample.alpha, sample.foreground), sample)
    assert set(scores.values) == set(METRICS) - {"dtssd"}
    assert all(value == 0 for value in scores.values.values())
    assert scores.outside_mse == scores.band_mse == 0
    assert all(place.share == 0 for place in scores.where.values())


def test_places_divide_the_whole_frame_and_all_its_error(material: Path) -> None:
    sample = stills(material).sample(1, PAPER)
    scores = score(Constant("half", 0.5).matte(sample.source, sample.plate), sample)
    assert set(scores.where) == set(PLACES)
    assert sum(place.area for place in scores.where.values()) == pytest.approx(1)
    assert sum(place.share for place in scores.where.values()) == pytest.approx(1)
    assert scores.where["room"].mse == pytest.approx((128 / 255) ** 2, rel=1e-5)
    band = scores.where["band"]
    assert scores.band_mse is not None
    whole = scores.band_mse * band.area + scores.outside_mse * (1 - band.area)
    assert whole == pytest.approx(scores.values["alpha_mse"])


def test_a_ghost_is_found_in_the_room_and_a_hole_in_the_person(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    ghost, hole = sample.alpha.copy(), sample.alpha.copy()
    ghost[sample.alpha == 0] = 1
    hole[sample.alpha == 1] = 0
    for alpha, place in ((ghost, "room"), (hole, "person")):
        shares = {name: p.share for name, p in score(Answer(alpha), sample).where.items()}
        assert max((k for k in shares if k != "rim"), key=lambda k: shares[k]) == place
        assert shares["band"] < 0.05


def test_who_finds_no_colours_is_not_scored_on_them(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    assert score(Answer(sample.alpha), sample).values["foreground_mse"] is None


def test_alphas_are_scored_in_eight_bits(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    nearly = np.clip(sample.alpha - np.float32(0.001), 0, 1)
    assert score(Answer(nearly), sample).values["alpha_mad"] != pytest.approx(0.001, rel=0.1)


def test_the_first_frame_of_a_clip_counts_nothing_and_is_counted(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    scorer = ClipScorer()
    for alpha in (0.0, 1.0):
        scorer.add(Constant("", alpha).matte(sample.source, sample.plate), sample)
    scores = scorer.scores("clip")
    assert scores.frames == 2
    assert scores.dtssd == pytest.approx(0.5)


def plain(tally: Tally) -> tuple[object, ...]:
    return tally.samples, tally.clips, tally.means


def test_scores_do_not_depend_on_the_order_or_number_of_contenders(material: Path) -> None:
    together = examined(material, [Constant("a", 0.2), Tiring(), Constant("b", 0.7)], 2, 1)
    turned = examined(material, [Constant("b", 0.7), Tiring(), Constant("a", 0.2)], 2, 1)
    alone = examined(material, [Tiring()], 2, 1)
    for first, second, third in zip(together, turned, alone, strict=True):
        for name in ("a", "b", "tiring"):
            assert plain(first.tallies[name]) == plain(second.tallies[name])
        assert plain(first.tallies["tiring"]) == plain(third.tallies["tiring"])
        assert first.fingerprint == second.fingerprint == third.fingerprint


def test_scores_do_not_depend_on_what_else_is_examined(material: Path) -> None:
    both = examined(material, [Tiring()], scenes=3)[1]
    alone = examine_set([Tiring()], stills(material), [RECIPES["drifted"]], 2, 0, Counted())[0]
    assert both.tallies["tiring"].samples[:2] == alone.tallies["tiring"].samples
    assert both.fingerprint != alone.fingerprint


def test_every_still_begins_anew_and_a_clip_goes_on(material: Path) -> None:
    tally = examined(material, [Tiring()], scenes=2, clips=1)[0].tallies["tiring"]
    fresh = examined(material, [Constant("one", 1.0)], scenes=2, clips=1)[0].tallies["one"]
    assert [s.values["alpha_mad"] for s in tally.samples] == [
        s.values["alpha_mad"] for s in fresh.samples
    ]
    assert tally.clips[0].dtssd > fresh.clips[0].dtssd


def test_progress_counts_to_what_was_announced(material: Path) -> None:
    contenders, counted = [Constant("a", 0), Constant("b", 1)], Counted()
    examine_set(contenders, stills(material), [PAPER], 2, 1, counted)
    for drift in DRIFTS.values():
        examine_curve(contenders, stills(material), drift, 1, counted)
    assert counted.total == amount(2, sets=1, recipes=1, scenes=2, clips=1, curve_scenes=1)


def test_a_curve_has_a_point_for_each_contender_and_drift(material: Path) -> None:
    drift = DRIFTS["exposure"]
    curve = examine_curve([Constant("a", 0)], stills(material), drift, 2, Counted())
    # Who sees nothing is not disturbed by any drift.
    assert len(set(curve.alpha_mad["a"])) == 1
    assert len(curve.alpha_mad["a"]) == len(curve.alpha_mse["a"]) == len(drift.points)


def test_the_least_error_is_the_best_and_wins(material: Path) -> None:
    result = examined(material, [Constant("right", 0.0), Constant("wrong", 1.0)], 3)[0]
    assert best(result, "alpha_mad") == {"right"}
    won = wins(result)
    assert won["right"]["wrong"]["samples"] == 3
    assert won["right"]["wrong"]["alpha_mad"] + won["wrong"]["right"]["alpha_mad"] == 3
    assert len(won["wrong"]["right"]["lost"]) == won["right"]["wrong"]["alpha_mad"]


def test_equals_win_nothing_and_nobody_alone_is_best(material: Path) -> None:
    twins = examined(material, [Constant("a", 0.0), Constant("b", 0.0)])[0]
    assert wins(twins)["a"]["b"]["alpha_mad"] == 0
    assert best(examined(material, [Constant("a", 0.0)])[0], "alpha_mad") == set()


def test_the_worst_case_is_the_one_with_most_error(material: Path) -> None:
    contenders = [Constant("a", 0.0)]
    result = examined(material, contenders, scenes=4)[0]
    errors = {s.name: s.values["alpha_mad"] for s in result.tallies["a"].samples}
    shown = [case.name for case in worst_cases(contenders, result, 2)]
    assert shown == sorted(errors, key=lambda name: -errors[name])[:2]


def test_report_json_has_what_was_agreed(material: Path) -> None:
    told = json.loads(json.dumps(results_of(material, [Constant("a", 0.0), Tiring()]).as_json()))
    assert {"command", "machine", "date", "versions", "entries", "sets", "curves"} <= set(told)
    assert told["entries"][0] == {"name": "a", "sha256": None, "settings": {}}
    entry = told["sets"]["people/paper"]["a"]
    assert {
        "alpha_mad", "alpha_mse", "grad_thousands", "sad_thousands", "conn_thousands",
        "trimap_mse", "foreground_mse", "dtssd", "samples",
    } <= set(entry)  # fmt: skip
    assert len(entry["samples"]) == 3
    assert {"band_mse", "outside_mse", "where", "alpha_mad", "name"} <= set(entry["samples"][0])
    assert "foreground_mse" not in told["sets"]["people/paper"]["tiring"]
    assert set(told["sets"]) == {"people/paper", "people/drifted"}
    assert told["curves"]["shift"]["points"] == [0, 1, 2, 3, 5, 8]
    assert re.fullmatch("[0-9a-f]{8}", told["scenes"]["people/paper"]["fingerprint"])


def test_the_page_needs_nothing_but_itself(material: Path) -> None:
    page = make_page(results_of(material, [Constant("a", 0.0), Tiring()]), 1)
    assert not re.search(r"https?://|@import|<link|src=\"(?!data:)|url\(", page)
    assert page.count("data:image/webp;base64,") == 2 * (4 + 4 + 3)
    assert page.count("<svg") == 2 + 1
    assert "prefers-color-scheme: dark" in page


def test_names_on_the_page_are_text(material: Path) -> None:
    page = make_page(results_of(material, [Constant("<script>alert(1)</script>", 0.0)]), 1)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_page_and_the_table_mark_the_least_error(material: Path) -> None:
    results = results_of(material, [Constant("a", 0.0), Constant("b", 1.0)])
    means = {n: t.means["alpha_mad"] for n, t in results.sets[0].tallies.items()}
    least = figure(min(means.values()))
    assert f"<b>{least}</b>" in make_page(results, 0)
    assert f"{least}*" in table(results)
    assert f"{figure(max(means.values()))}*" not in table(results)


def test_both_files_are_written(material: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    write_page(results_of(material, [Constant("a", 0.0)]), folder, 1)
    assert (folder / "index.html").read_text().endswith("</html>\n")
    assert json.loads((folder / "report.json").read_text())["date"] == "2026-01-01"


def coordinates(chart: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', chart)]


def test_a_greater_error_stands_higher_in_a_chart() -> None:
    places = coordinates(line_chart((0, 1, 3), {"a": (0.001, 0.01, 0.1)}, "px", "title"))
    assert places[0][1] > places[1][1] > places[2][1]
    # Equal ratios are equal distances.
    assert places[0][1] - places[1][1] == pytest.approx(places[1][1] - places[2][1], abs=0.2)
    assert places[2][0] - places[1][0] == pytest.approx(2 * (places[1][0] - places[0][0]), abs=0.2)


def test_a_chart_stands_errors_of_nothing_and_of_one_size() -> None:
    for line in ((0.0, 0.0), (0.02, 0.02)):
        assert len(coordinates(line_chart((0, 1), {"a": line}, "px", "title"))) == 2


def test_bars_rise_where_one_wins_and_fall_where_the_other_does() -> None:
    chart = win_chart(["p", "q"], [0.01, 0.04], [0.04, 0.01], (0, 1), "title")
    bars = re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', chart)
    (up, tall), (down, deep) = [(float(y), float(height)) for y, height in bars]
    assert up + tall == pytest.approx(down, abs=0.2)
    assert tall == pytest.approx(deep, abs=0.2)


def test_a_sample_knows_its_checksum(material: Path) -> None:
    sample = stills(material).sample(0, PAPER)
    other = Sample(sample.name, sample.source, sample.source, sample.alpha, sample.foreground)
    assert sample.checksum != other.checksum
