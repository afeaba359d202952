"""The page of a verdict as text: what stands in it, in which order, and what never can be."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from aims_gate.errors import RecordError
from aims_gate.harmless import plain
from aims_gate.pages import svg
from aims_gate.pages.charts import comparable, forest, sizes, trend
from aims_gate.pages.curve_charts import chart
from aims_gate.pages.environment import environment
from aims_gate.pages.figures import CHARTS
from aims_gate.pages.svg import WIDTH, drawn
from aims_gate.pages.verdict_page import render
from aims_gate.verdict import Authenticity, Decision, VerificationStatus
from tests.pages.pictured import (
    HISTOGRAM,
    RECALLED,
    RELIABILITY,
    ROC_CURVE,
    SIZED,
    groups,
)
from tests.reports.cases import BIAS, CASES, HOSTILE, ROC, STARTED, hostile_verdict, verdict_of
from tests.reports.conftest import golden  # noqa: F401  # the fixture
from tests.support.html_page import ATTRIBUTES, TAGS, Parsed


@pytest.mark.parametrize("case", CASES)
def test_nothing_but_its_own_style_is_allowed_and_asked_for(case: str) -> None:
    text = render(CASES[case])
    parsed = Parsed(text)
    assert set(parsed.tags) <= TAGS
    assert {name for name, _ in parsed.attributes} <= ATTRIBUTES
    assert all(value.startswith("#") for name, value in parsed.attributes if name == "href")
    assert "url(" not in text
    assert "@import" not in text
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert ("content", allowed) in parsed.attributes


def test_the_policy_s_end_stands_beside_its_name() -> None:
    """It is asked of each verdict until when it counts."""
    verdict = CASES["passed"]
    ending = replace(verdict, policy=replace(verdict.policy, expires=STARTED))
    assert f"ends on {STARTED:%Y-%m-%d %H:%M} UTC" in render(ending)
    unending = replace(verdict, policy=replace(verdict.policy, expires=None))
    assert "ends on" not in render(unending)


@pytest.mark.parametrize("attack", HOSTILE)
def test_names_of_strangers_are_text_and_nothing_else(attack: str) -> None:
    """In tables, attributes and pictures; the tags are those of the same page without them."""
    hostile, meek = Parsed(render(hostile_verdict(attack))), Parsed(render(hostile_verdict("a")))
    assert hostile.tags == meek.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in meek.attributes]
    assert plain(attack) in hostile.words


@pytest.mark.parametrize("case", CASES)
def test_the_decision_comes_first_and_every_rule_has_a_section(case: str) -> None:
    verdict = CASES[case]
    parsed = Parsed(render(verdict))
    decided = {
        Decision.PASSED: "Policy met",
        Decision.REFUSED: "Policy not met",
        Decision.UNDECIDED: "Not decided",
    }
    (first,) = re.findall(r"<h1>.*?</h1>", render(verdict))
    assert decided[verdict.decision] in first
    assert ("may go to" in first) == verdict.passed
    anchors = [value for name, value in parsed.attributes if name == "id"]
    assert [a for a in anchors if re.fullmatch(r"rule-\d+", a)] == [
        f"rule-{place}" for place, _ in enumerate(verdict.results, 1)
    ]
    assert len(anchors) == len(set(anchors))
    targets = {value[1:] for name, value in parsed.attributes if name == "href"}
    assert targets <= set(anchors)
    for result in verdict.results:
        assert plain(result.rule) in parsed.words
        assert " ".join(plain(result.reason).split()) in parsed.words


def test_reasons_stand_before_all_else_and_are_short() -> None:
    text = Parsed(render(CASES["refused"])).words
    told = "sex=F vs sex=M: impact ratio 0.712, where at least 0.8 is asked"
    order = ["Policy not met", "Why", told, "What to do next", "What was judged", "All 8 rules"]
    order += ["What these data can decide", "Controls", "Waivers and approvals"]
    order += ["What was not measured", "Evidence, and how to verify it", "aims-gate verify"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)


def test_a_claim_that_nobody_verified_is_headed_as_one() -> None:
    """Everywhere where the page says that the policy is met."""
    told = "it is unsigned, so anybody could have written it"
    doubted = VerificationStatus(authenticity=Authenticity.UNVERIFIED, told=told, read=STARTED)
    text = render(replace(CASES["passed"], standing=doubted))
    parsed = Parsed(text)
    assert text.count("<title>Unverified claim: Policy met") == 1
    assert "Unverified claim: Policy met: credit-risk 7 may go to production" in parsed.words
    assert parsed.words.count("anybody could have written it") == 2
    assert '<header class="warn">' in text
    lapsed = render(
        replace(CASES["passed"], standing=replace(doubted, authenticity=Authenticity.REFUSED))
    )
    assert "Does not hold today: Policy met" in lapsed


def test_what_is_known_of_old_evidence_stands_on_the_page() -> None:
    known = VerificationStatus(
        authenticity=Authenticity.VERIFIED,
        told="signed by a",
        read=STARTED,
        until=("2027-01-01, the policy holds",),
        unrecorded=("what data of this size can decide",),
    )
    text = render(replace(CASES["passed"], standing=known))
    assert '<h1><span class="mark" aria-hidden="true">✓</span> Policy met' in text
    for line in ("signed by a", "until 2027-01-01", "not recorded: what data"):
        assert text.count(line) >= 1


@pytest.mark.parametrize("results", [(ROC, BIAS), ()])
def test_a_page_that_contradicts_itself_is_not_written(results: tuple[object, ...]) -> None:
    with pytest.raises(RecordError):
        render(verdict_of(*results, decision=Decision.PASSED))  # type: ignore[arg-type]


def test_without_the_library_that_draws_strips_stand_in_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    parsed = Parsed(render(CASES["refused"]))
    assert "svg" not in parsed.tags
    assert "the extra report (vl-convert) is not installed" in parsed.words
    assert "├─" in parsed.words


@pytest.mark.parametrize("case", ["refused", "passed", "hostile"])
def test_charts_are_small_bounded_and_said_in_a_sentence(case: str) -> None:
    text = render(CASES[case])
    heads = re.findall(r'<svg role="img" aria-label="([^"]+)" width="([\d.]+)"', text)
    assert 0 < len(heads) == text.count("<svg") <= CHARTS
    assert all(float(width) <= WIDTH for _, width in heads)
    assert {float(size) for size in re.findall(r'font-size="([\d.]+)px"', text)} == {11.0}
    assert set(re.findall(r' (?:fill|stroke)="([^"]+)"', text)) <= {
        "none",
        *(f"var(--{name})" for name in ("ink", "soft", "line", "grid", "bad", "warn", "good")),
    }


def test_the_same_verdict_is_the_same_bytes() -> None:
    assert render(CASES["refused"]) == render(CASES["refused"])


def test_a_value_without_limit_or_number_is_not_drawn() -> None:
    assert comparable(BIAS)
    assert not comparable(replace(BIAS, threshold=None))
    none = replace(BIAS.statistics[0], value=None)
    assert not comparable(replace(BIAS, statistics=(none,)))
    zero = replace(BIAS.statistics[0], value=0.0, interval=None)
    assert not comparable(replace(BIAS, statistics=(zero,)))


def test_old_evidence_is_said_to_hold_less(monkeypatch: pytest.MonkeyPatch) -> None:
    old = Parsed(render(verdict_of(replace(ROC, title=""), decision=Decision.PASSED)))
    assert "The record holds no figures of what the data can decide" in old.words
    assert "performance.score" in old.words


def test_an_interval_without_an_end_is_drawn_with_an_arrow() -> None:
    interval = BIAS.statistics[0].interval
    assert interval is not None
    for low, high in ((-math.inf, 0.9), (0.5, math.inf)):
        within = replace(interval, low=low, high=high)
        cell = replace(BIAS.statistics[0], interval=within)
        layers = forest(replace(BIAS, statistics=(cell,)))["layer"]
        assert any(str(one["mark"].get("shape", "")).startswith("triangle") for one in layers)
    assert "triangle" not in str(forest(BIAS))


PALETTES = ("light", "dark", "print")
ON_GROUND = ("ink", "soft", "good", "bad", "warn", "quiet", "link")


def palette(name: str) -> dict[str, str]:
    """Colours of the style sheet: the first set is light, then dark, then of print."""
    style = environment().globals["style"]
    sets = re.findall(r":root \{(.*?)\}", str(style), re.DOTALL)
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", sets[PALETTES.index(name)]))


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_of_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", PALETTES)
def test_text_and_marks_stand_out_from_both_grounds(name: str) -> None:
    colours = palette(name)
    for ground in ("paper", "card"):
        for text in ON_GROUND:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for shape in ("accent", "line"):
            assert contrast(colours[shape], colours[ground]) >= 3, (shape, ground)


CHARTS_DRAWN = {
    "forest": lambda: forest(groups(4)),
    "histogram": lambda: chart([HISTOGRAM]),
    "roc": lambda: chart([replace(ROC_CURVE, of=of) for of in ("candidate", "champion")]),
    "precision_recall": lambda: chart([RECALLED]),
    "calibration": lambda: chart([RELIABILITY]),
    "sizes": lambda: sizes(SIZED.cells),
    "trend": lambda: trend([("1", 0.7), ("2", None), ("3", 0.8)], 0.75),
}


@pytest.mark.parametrize("name", CHARTS_DRAWN)
def test_charts_are_as_they_were(
    name: str,
    golden: Callable[[str, str], None],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same bytes on every machine: nothing in them was measured with its fonts."""
    image = drawn(CHARTS_DRAWN[name](), f"A sentence about <{name}>")
    assert image is not None
    monkeypatch.setitem(svg._CONFIG, "font", "DejaVu Sans Mono")
    monkeypatch.setitem(svg._CONFIG, "text", {"font": "DejaVu Sans Mono", "fontSize": svg.SIZE})
    fonts = {"labelFont": "DejaVu Sans Mono", "titleFont": "DejaVu Sans Mono"}
    monkeypatch.setitem(svg._CONFIG, "axis", {**svg._AXIS, **fonts})
    assert drawn(CHARTS_DRAWN[name](), f"A sentence about <{name}>") == image
    assert "A sentence about &lt;" in image
    golden(f"chart.{name}.svg", image.replace("><", ">\n<") + "\n")
