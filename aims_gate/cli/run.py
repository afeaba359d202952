"""`aims-gate run`: the gate itself."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aims_gate.absent import install_line
from aims_gate.cli.defaults import choose, no_defaults, tell
from aims_gate.cli.lean import import_lean
from aims_gate.cli.options import (
    pairs,
    policy_base_option,
    policy_digest_option,
    signed_policy_option,
)
from aims_gate.errors import UsageError
from aims_gate.operations.defaults import NAME, Chosen, refuse_displaced
from aims_gate.operations.defaults_keys import TABLE
from aims_gate.regular import itself

if TYPE_CHECKING:
    from aims_gate.cli.reporting import Reporting
    from aims_gate.policy.base import PolicyBase
    from aims_gate.request import Recording, Request


@click.command()
@click.argument("policy", required=False)
@policy_base_option
@policy_digest_option
@signed_policy_option
@click.option(
    "--model",
    help="models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-…, runs:/ID[/PATH], commit:SHA or "
    "file:DIR.",
)
@click.option(
    "--experiment", help="Where commit:SHA looks for its run; all experiments if left out."
)
@click.option("--stage", help="The stage to decide for; the policy's last if left out.")
@click.option(
    "--data",
    multiple=True,
    callback=pairs("ROLE=URI"),
    metavar="ROLE=URI",
    help="Data of a role; wins over the policy. Repeatable.",
)
@click.option(
    "--key",
    help="Private key to sign with: a PEM or OpenSSH file, or the name of one in a service or a "
    "device (awskms:, gcpkms:, azurekms:, hv:, hsm:). Or set AIMS_GATE_SIGNING_KEY.",
)
@click.option(
    "--unsigned",
    is_flag=True,
    help="Write evidence without a signature; it never verifies and is not published.",
)
@click.option(
    "--verifier-id", help="Who runs the gate, such as the workflow's URL; goes into the evidence."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The exact evidence directory to write."
)
@click.option(
    "--publish/--no-publish",
    default=None,
    help="Copy signed evidence to MLflow, where the model came from there; the default.",
)
@click.option(
    "--reviews",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What reviewers approved of the records, as `github reviews` wrote it.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="Whose waivers and approvals count; trust.yaml beside the policy if left out.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    callback=pairs("FORMAT=PATH"),
    metavar="FORMAT=PATH",
    help="Also write a report: text, html, json, markdown, junit, sarif or codequality; PATH - is "
    "stdout. Repeatable.",
)
@click.option(
    "--output-format",
    type=click.Choice(["text", "github", "gitlab", "azure"]),
    default="text",
    help="Also show refusals as commands of a build log, at the policy's lines.",
)
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@click.option(
    "--show-levels",
    is_flag=True,
    help="Show on this terminal, and nowhere else, the values that evidence calls by a number.",
)
@no_defaults
def run(
    *,
    policy: str | None,
    policy_base: str | None,
    policy_digest: str | None,
    require_signed_policy: bool,
    model: str | None,
    experiment: str | None,
    stage: str | None,
    data: dict[str, str],
    key: str | None,
    unsigned: bool,
    verifier_id: str | None,
    out: Path | None,
    publish: bool | None,
    reviews: Path | None,
    trust: Path | None,
    reports: dict[str, str],
    output_format: str,
    quiet: bool,
    show_levels: bool,
    no_defaults: bool,
) -> int:
    """Evaluate a model against POLICY, record signed evidence, and pass or fail the stage.

    POLICY is a file (policy.yaml if left out) or pack:NAME@VERSION. What is left out is taken from
    [tool.aims-gate] of the repository's pyproject.toml, if it is there. Exits 0 if the policy is
    met, 1 if it is not, 2 if the policy or a parameter is refused, 3 if nothing could be decided
    or recorded.
    """
    from aims_gate.cli.reporting import Reporting
    from aims_gate.policy.base import open_base
    from aims_gate.reports.ended import ended

    base = click.get_current_context().with_resource(open_base(policy_base, os.environ))
    chosen = choose(no_defaults=no_defaults, at=itself if base is None else base.at)
    policy = chosen.value("policy", policy) or "policy.yaml"
    model = chosen.value("model", model)
    stage = chosen.value("stage", stage)
    folder = chosen.value("out", None if out is None else str(out))
    out = None if folder is None else Path(folder)
    log = "" if output_format == "text" else output_format
    reporting = Reporting.of(chosen.pairs("report", reports), out, log)
    started = datetime.now(UTC)
    try:
        with install_line("aims-gate run"):
            import_lean()
        data = chosen.pairs("data", data)
        recording = _recording(chosen, key, unsigned, verifier_id, out, publish)
        tell(chosen)
        _guard(chosen, policy, base)
        request = _request(policy, model, stage, data, experiment, recording)
        trusted = chosen.value("trust", None if trust is None else str(trust))
        request = replace(
            request,
            trust=None if trusted is None else Path(trusted),
            base=base,
            policy_digest=policy_digest,
            require_signed_policy=require_signed_policy,
            reviews=reviews,
        )
        return _gate(request, reporting, quiet=quiet, show_levels=show_levels)
    except Exception as error:
        wrong = ended(
            error,
            policy=policy,
            model=model or "",
            stage=stage or "",
            started=started,
            now=datetime.now(UTC),
        )
        reporting.show_error(wrong)
        raise


def _request(  # noqa: PLR0917  # each is an option of the command
    policy: str,
    model: str | None,
    stage: str | None,
    data: dict[str, str],
    experiment: str | None,
    recording: Recording,
) -> Request:
    from aims_gate.policy.data_roles import roles_of
    from aims_gate.request import Request

    if not model:
        hint = f"give --model, or model under [{TABLE}] of {NAME}"
        raise UsageError("there is no model to gate", hint=hint)
    return Request(
        policy=policy,
        model=model,
        stage=stage,
        data=roles_of(data),
        experiment=experiment or "",
        recording=recording,
    )


def _gate(request: Request, reporting: Reporting, *, quiet: bool, show_levels: bool) -> int:
    """Run the gate with progress, show the verdict, and return the exit code."""
    from aims_gate import pipeline
    from aims_gate.cli.terminal import Progress
    from aims_gate.harmless import plain
    from aims_gate.operations import run as gate

    if show_levels and (sys.stderr is None or not sys.stderr.isatty()):
        hint = "leave --show-levels out: a log is no place for values of people"
        raise UsageError("standard error is no terminal to show values on", hint=hint)
    unnamed: dict[str, str] = {}
    with Progress(quiet=quiet) as progress:
        verdict = pipeline.run(request, gate.real_world(progress, unnamed.__setitem__))
    reporting.show(verdict)
    if show_levels:
        for name, value in unnamed.items():
            click.echo(f"aims-gate: {plain(f'{name} is {value}')}", err=True)
    return verdict.exit_code


def _recording(  # noqa: PLR0917  # each is an option of the command
    chosen: Chosen,
    key: str | None,
    unsigned: bool,  # noqa: FBT001  # as click hands it over
    verifier_id: str | None,
    out: Path | None,
    publish: bool | None,  # noqa: FBT001  # as click hands it over
) -> Recording:
    """How evidence is kept; a key in the environment takes precedence over one from a file."""
    from aims_gate.attest.signers import KEY_VARIABLE, without_keys
    from aims_gate.operations import run as gate

    if not unsigned and not os.environ.get(KEY_VARIABLE, "").strip():
        key = chosen.value("key", key)
    kept_here = chosen.value("no_publish", None if publish is None else not publish)
    recording = gate.recording_of(
        key=key,
        unsigned=unsigned,
        out=out,
        publish=not kept_here,
        environ=os.environ,
        verifier_id=chosen.value("verifier_id", verifier_id) or gate.VERIFIER_ID,
    )
    # a process that a library starts inherits this process's own environment
    for name in os.environ.keys() - without_keys(os.environ, key).keys():
        del os.environ[name]
    return recording


def _guard(chosen: Chosen, policy: str, base: PolicyBase | None) -> None:
    """Refuse defaults of a file that would replace data which the policy itself names."""
    if not any(name == "stage" or name.startswith("data.") for name in chosen.used):
        return
    from aims_gate.policy.resolve import load

    resolved = load(policy, base=base)
    named = {role: spec.source for role, spec in resolved.data.items() if spec.source}
    refuse_displaced(chosen.defaults, chosen.used, named)
    asked, last = chosen.used.get("stage"), resolved.stages[-1]
    if asked not in {None, last}:
        click.echo(
            f"aims-gate: warning: {chosen.defaults.file} asks for stage {asked}, "
            f"which is not the strictest, {last}",
            err=True,
        )
