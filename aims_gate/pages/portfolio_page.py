"""The models of a registry on one page: what each alias names, and numbers over versions.

Nothing is left out: a version without evidence, or with evidence that does not hold, is a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aims_gate.harmless import plain
from aims_gate.pages import svg
from aims_gate.pages.charts import trend
from aims_gate.pages.environment import html
from aims_gate.pages.figures import CHARTS, Figure, Listing
from aims_gate.verdict import Authenticity, Decision, Outcome, Verdict

_DECIDED = {
    Decision.PASSED: ("good", "✓", "policy met"),
    Decision.REFUSED: ("bad", "✗", "policy not met"),
    Decision.UNDECIDED: ("warn", "?", "undecided"),
}
_DOUBTED = {
    Authenticity.UNVERIFIED: ("warn", "?", "not verified; it says {}"),
    Authenticity.EXPIRED: ("warn", "!", "expired; it said {}"),
    Authenticity.REFUSED: ("bad", "!", "does not hold today; it said {}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioVersion:
    """A version of a registered model, with its verdict or why there is none."""

    version: str
    aliases: tuple[str, ...] = ()
    verdict: Verdict | None = None
    problem: str = ""
    """Why no verdict is shown: there is no evidence, or it does not hold."""
    unread: bool = False
    """Whether that is because MLflow did not give it."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Worst judged value of a rule's statistic, by `RULE.statistic`."""

    @property
    def standing(self) -> tuple[str, str, str]:
        """Tone, mark and words of what is known of it; good only where it is verified."""
        if self.verdict is None:
            return "bad" if self.aliases else "quiet", "!", self.problem
        tone, mark, words = _DECIDED[self.verdict.decision]
        read = self.verdict.standing
        if read is not None and read.authenticity in _DOUBTED:
            tone, mark, told = _DOUBTED[read.authenticity]
            words = told.format(words)
        return tone, mark, words


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioNumber:
    """A number that is followed over versions."""

    key: str
    title: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def limit(self) -> str:
        """What the newest verdict asked of it."""
        bounds = {"at least": self.at_least, "at most": self.at_most}
        return " and ".join(f"{word} {x:g}" for word, x in bounds.items() if x is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioModel:
    """A registered model: its newest versions, and those that an alias names."""

    name: str
    versions: tuple[PortfolioVersion, ...] = ()
    """The newest first."""
    numbers: tuple[PortfolioNumber, ...] = ()
    problem: str = ""
    """Why its versions are not shown."""
    older: bool = False
    """Whether it has older versions, which are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The models of a registry, when they were read, and by whose keys they are believed."""

    server: str
    read: datetime
    trust: str
    """The trust file; empty where nothing was verified."""
    models: tuple[PortfolioModel, ...]

    @property
    def unread(self) -> int:
        """Versions that MLflow did not give: more than the page knows may be wrong with them."""
        return sum(one.unread for model in self.models for one in model.versions)


def render_html(portfolio: Portfolio) -> str:
    """Portfolio as one HTML page."""
    left = CHARTS
    models = []
    for model in portfolio.models:
        figures = [*_figures(model, left)]
        left -= sum(one.image is not None for one in figures)
        models.append((model, _versions(model, portfolio.read), figures))
    heads = ("model", "alias", "version", "verdict", "stands in the way", "age", "waivers in force")
    rows = tuple((row[0], row[1:]) for row in _rows(portfolio, every=False))
    return html(
        "portfolio.html",
        portfolio=portfolio,
        models=models,
        heads=heads,
        rows=rows,
        trusted=_trusted(portfolio),
        drawn=svg.available(),
    )


def render_text(portfolio: Portfolio) -> str:
    """Portfolio as lines for a terminal, one for each alias and for each version without one."""
    heads = ("model", "alias", "version", "verdict", "in the way", "age", "waivers")
    rows = (row[1:] for row in _rows(portfolio, every=True))
    shown = [[plain(part) for part in row] for row in (heads, *rows)]
    widths = [max(len(row[place]) for row in shown) for place in range(len(shown[0]))]
    lines = [f"{plain(portfolio.server)}, {portfolio.read:%Y-%m-%d %H:%M} UTC", ""]
    for row in shown:
        line = "  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True))
        lines.append(line.rstrip())
    lines += ["", _trusted(portfolio)]
    return "".join(f"{line}\n" for line in lines)


def _trusted(portfolio: Portfolio) -> str:
    if portfolio.trust:
        told = "verdicts were verified; the models' bytes were not compared"
        return f"By {plain(portfolio.trust)}, {told}."
    return "No signature was verified, so anybody could have written these: name --trust."


def _rows(portfolio: Portfolio, *, every: bool) -> Iterator[tuple[str, ...]]:
    """Rows: tone, model, alias, version, verdict, refusing rules, age and waivers.

    A model of which no alias names a version is a row, too; *every* version is, if that is asked.
    """
    for model in portfolio.models:
        found = [(f"@{alias}", one) for one in model.versions for alias in one.aliases]
        found.sort(key=lambda pair: pair[0])
        if not found:
            why = model.problem or "no alias names a version"
            yield "quiet", model.name, "-", "-", why, "-", "-", "-"
        if every:
            found += [("-", one) for one in model.versions if not one.aliases]
        for alias, one in found:
            tone, mark, words = one.standing
            told = f"{mark} {words}"
            yield tone, model.name, alias, one.version, told, *_detail(one, portfolio.read)


def _detail(one: PortfolioVersion, now: datetime) -> tuple[str, str, str]:
    """Rules in the way, age in days, and waivers with their end."""
    if one.verdict is None:
        return "-", "-", "-"
    blocking = [r.rule for r in one.verdict.results if r.blocking]
    more = f" and {len(blocking) - 3:,} more" if len(blocking) > 3 else ""
    age = (now - one.verdict.finished).days
    waived = [
        f"{r.rule} by {r.waiver}" + (f" until {r.expires:%Y-%m-%d}" if r.expires else "")
        for r in one.verdict.results
        if r.outcome is Outcome.WAIVED
    ]
    return ", ".join(blocking[:3]) + more or "-", f"{age:,} d", "; ".join(waived) or "none"


def _versions(model: PortfolioModel, now: datetime) -> Listing:
    fixed = ("version", "aliases", "stage", "verdict", "judged on", "age")
    heads = (*fixed, *(one.title for one in model.numbers))
    rows = []
    for one in model.versions:
        _, mark, words = one.standing
        judged = one.verdict
        numbers = (one.numbers.get(number.key) for number in model.numbers)
        rows.append(
            (
                one.version,
                " ".join(f"@{alias}" for alias in one.aliases) or "-",
                "-" if judged is None else judged.stage,
                f"{mark} {words}",
                "-" if judged is None else f"{judged.finished:%Y-%m-%d %H:%M}",
                _detail(one, now)[1],
                *("-" if value is None else f"{value:.3g}" for value in numbers),
            )
        )
    return Listing(caption=f"versions of {model.name}", heads=heads, rows=tuple(rows))


def _figures(model: PortfolioModel, most: int) -> Iterator[Figure]:
    """A small chart for each number that two versions have; *most* are drawn."""
    for number in model.numbers:
        points = [(one.version, one.numbers.get(number.key)) for one in reversed(model.versions)]
        if sum(value is not None for _, value in points) < 2:
            continue
        told = "over versions" + (number.limit and f", {number.limit} was asked")
        label = f"{number.title} of {model.name} {told}"
        bound = number.at_most if number.at_least is None else number.at_least
        image = svg.drawn(trend(points, bound), label) if most > 0 else None
        most -= 1
        yield Figure(title=number.title, told=told, image=image)
