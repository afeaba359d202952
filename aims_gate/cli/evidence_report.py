"""`aims-gate evidence report`: past verdicts in every format, over a registry, and in public."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.absent import stand_in
from aims_gate.errors import UsageError

if TYPE_CHECKING:
    from aims_gate.operations.report_evidence import EvidenceQuestion


@click.command()
@click.argument("evidence", metavar="[DIR|URI]", required=False)
@click.option(
    "--format",
    "name",
    default="text",
    show_default=True,
    help="text, html, markdown, json, junit, sarif or codequality.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="Whose signatures count; without one the report says that nothing was verified.",
)
@click.option("--stage", help="Whose evidence of a model version.")
@click.option("--out", type=click.Path(path_type=Path), help="Where it goes; stdout if left out.")
@click.option(
    "--portfolio",
    is_flag=True,
    help="Instead of one verdict, what each alias of a registry's models names, as text or html.",
)
@click.option("--models", metavar="PATTERN", help="Only these models of the portfolio: 'credit-*'.")
@click.option(
    "--tracking-uri", metavar="URI", help="The MLflow server; MLFLOW_TRACKING_URI if left out."
)
@click.option(
    "--public",
    metavar="NAME",
    help="A signed page for customers instead, about what is called so in public.",
)
@click.option("--key", help="With --public: a private key with the role records.")
@click.option(
    "--evidence-url", default="", metavar="URL", help="With --public: where the evidence lies."
)
def report(
    *,
    evidence: str | None,
    name: str,
    trust: Path | None,
    stage: str | None,
    out: Path | None,
    portfolio: bool,
    models: str | None,
    tracking_uri: str | None,
    public: str | None,
    key: str | None,
    evidence_url: str,
) -> int:
    """Write a report of past evidence, of this version or an earlier one.

    DIR|URI is an evidence directory, runs:/RUN_ID/aims_gate/ID, models:/NAME/VERSION or
    models:/NAME@ALIAS. With --portfolio it is one page over the models of a registry: the verdict
    on what each alias names, its age, waivers in force, and numbers over versions.

    With --public it is a folder, --out: one page without internal names, a badge, and the statement
    that signs the page. All rules of the verdict are on it, and it must hold today (4 otherwise).

    Exits 0 if the report was written, whatever it says: whether to deploy is for verify to say.
    Exits 2 if there is no evidence or no trust file, 3 if MLflow, or one version of a portfolio,
    could not be read, and 4 if the files contradict each other, or no key of the trust file signed
    them: then nothing is shown.
    """
    stand_in()
    environ = {**os.environ, **({"MLFLOW_TRACKING_URI": tracking_uri} if tracking_uri else {})}
    path = "-" if out is None else str(out)
    if portfolio:
        if evidence is not None:
            raise UsageError("one verdict and a portfolio were both asked for")
        return _portfolio(name, path, models or "*", trust, stage, environ)
    if evidence is None or models is not None:
        hint = "name a directory or a URI, or a registry's models with --portfolio"
        raise UsageError("there is no evidence to report", hint=hint)
    if public is not None:
        from aims_gate.operations.report_evidence import EvidenceQuestion

        asked = EvidenceQuestion(evidence=evidence, trust=trust, stage=stage, environ=environ)
        return _public(asked, public, key, evidence_url, out)
    return _verdict(name, path, evidence, trust, stage, environ)


def _public(asked: EvidenceQuestion, name: str, key: str | None, url: str, out: Path | None) -> int:
    from aims_gate.attest.signers import load_signer
    from aims_gate.operations.publish_page import Publishing, publish

    if out is None:
        raise UsageError("a public page is a folder", hint="--out public")
    how = Publishing(name=name, url=url, signer=load_signer(key, asked.environ), folder=out)
    verdict = publish(asked, how, now=datetime.now(UTC))
    click.echo(f"{verdict.decision.value}, signed with {how.signer.key.fingerprint}: {out}")
    return 0


def _verdict(  # noqa: PLR0917  # each is an option of the command
    name: str,
    path: str,
    evidence: str,
    trust: Path | None,
    stage: str | None,
    environ: Mapping[str, str],
) -> int:
    from aims_gate.cli.reporting import Reporting, write
    from aims_gate.operations.report_evidence import EvidenceQuestion, read_past
    from aims_gate.reports import REPORTS

    inside = None if evidence.startswith(("runs:/", "models:/")) else Path(evidence)
    Reporting.of({name: path}, inside)
    asked = EvidenceQuestion(evidence=evidence, trust=trust, stage=stage, environ=environ)
    verdict = read_past(asked, now=datetime.now(UTC))
    if (name, path) == ("text", "-"):
        Reporting.of({}, None).show(verdict)
    else:
        write(path, REPORTS[name](verdict))
    return 0


def _portfolio(  # noqa: PLR0917  # each is an option of the command
    name: str,
    path: str,
    models: str,
    trust: Path | None,
    stage: str | None,
    environ: Mapping[str, str],
) -> int:
    from aims_gate.cli.reporting import Reporting, write
    from aims_gate.operations.portfolio import PortfolioQuestion, read_portfolio
    from aims_gate.pages import portfolio_page

    formats = {"text": portfolio_page.render_text, "html": portfolio_page.render_html}
    if name not in formats:
        raise UsageError(f"a portfolio is text or html, not {name!r}", hint="--format html")
    Reporting.of({name: path}, None)
    asked = PortfolioQuestion(models=models, trust=trust, stage=stage, environ=environ)
    found = read_portfolio(asked, now=datetime.now(UTC))
    write(path, formats[name](found))
    if found.unread:
        click.echo(f"aims-gate: {found.unread:,} versions could not be read", err=True)
    return 3 if found.unread else 0
