"""Run the gate from Python, and the real clock, randomness and environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from aims_gate import pipeline
from aims_gate.attest.signers import load_signer, without_keys
from aims_gate.errors import UsageError
from aims_gate.operations.named_arguments import named_arguments
from aims_gate.policy.base import open_base
from aims_gate.policy.data_roles import roles_of
from aims_gate.request import Recording, Request, World
from aims_gate.verdict import Verdict

VERIFIER_ID = "https://aims-gate.dev/verifier/local"
"""Who ran the gate, where nobody says so."""


@named_arguments
def run(
    policy: str | os.PathLike[str],
    model: object,
    *,
    data: Mapping[str, object] | None = None,
    stage: str | None = None,
    experiment: str = "",
    key: str | None = None,
    unsigned: bool = False,
    out: str | os.PathLike[str] | None = None,
    publish: bool = False,
    trust: str | os.PathLike[str] | None = None,
    policy_base: str | None = None,
    policy_digest: str | None = None,
    require_signed_policy: bool = False,
) -> Verdict:
    """Evaluate *model* against *policy*; returns the typed verdict.

    Args:
        policy: Path of a policy file, or `pack:NAME@VERSION`.
        model: `models:/NAME/VERSION`, `models:/NAME@ALIAS`, `models:/m-…`, `runs:/RUN_ID[/PATH]`,
            `commit:SHA` (the one finished run of a git commit) or `file:DIR`; or a fitted
            scikit-learn estimator, which then answers *data* in this process. It has no files, so
            evidence of it is unsigned and never verifies.
        data: Role (`evaluation`, `reference`, `current`) to a path or URI, or to a pandas, Polars
            or Arrow frame; it wins over what the policy names.
        stage: One of the policy's stages; the last and strictest if left out.
        experiment: Where `commit:` looks for its run; all experiments if left out.
        key: Private key to sign the evidence with: a PEM or OpenSSH file.
        unsigned: Keep evidence without a signature, which never verifies.
        out: The exact directory to write evidence to; without it, and with a key or *unsigned*,
            `aims-gate-evidence/<model digest>/<evaluation id>`. With none of the three no
            evidence is kept.
        publish: Copy signed evidence to MLflow, where the model came from there.
        trust: Whose waivers and approvals count; `trust.yaml` beside the policy if left out.
        policy_base: Branch, tag or commit of the working directory's repository that policy,
            parents, waivers, approvals and trust file are taken from, instead of from the files of
            the change that is judged.
        policy_digest: SHA-256 that the resolved policy must have.
        require_signed_policy: Refuse a policy that no key with the role policy has signed.

    Returns:
        The verdict; a refusal is a verdict too. `verdict.passed` tells, `verdict.results` why.

    Raises:
        UsageError: (2) an argument is wrong; PolicyError if the policy is refused.
        SourceError: (3) the model or its data could not be read.
        RecordError: (3) the evidence could not be kept.
    """
    recording = None
    if key is not None or unsigned or out is not None:  # an empty key is one that was not set
        recording = recording_of(
            key=key,
            unsigned=unsigned,
            out=None if out is None else Path(out),
            publish=publish,
            environ=os.environ,
        )
    request = Request(
        policy=os.fspath(policy),
        model=model,
        stage=stage,
        data=roles_of({} if data is None else data),
        experiment=experiment,
        recording=recording,
        trust=None if trust is None else Path(trust),
        require_signed_policy=require_signed_policy,
        policy_digest=policy_digest and policy_digest.removeprefix("sha256:"),
    )
    with open_base(policy_base, os.environ) as base:
        return pipeline.run(replace(request, base=base), real_world(key=key))


def real_world(
    progress: Callable[[str], None] = lambda _text: None,
    unnamed: Callable[[str, str], None] = lambda _name, _value: None,
    key: str | None = None,
) -> World:
    """Clock, randomness and environment of this process, without keys.

    *key* is the reference of the signing key, which was opened before.
    """
    return World(
        now=lambda: datetime.now(UTC),
        new_id=lambda at: f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        environ=without_keys(os.environ, key),
        progress=progress,
        unnamed=unnamed,
    )


def recording_of(
    *,
    key: str | None,
    unsigned: bool,
    out: Path | None,
    publish: bool,
    environ: Mapping[str, str],
    verifier_id: str = VERIFIER_ID,
) -> Recording:
    """How evidence is kept; UsageError unless it is signed or *unsigned* is set."""
    if unsigned and key:
        raise UsageError("a key and unsigned were both asked for", hint="choose one")
    signer = None if unsigned else load_signer(key, environ)
    return Recording(signer=signer, verifier_id=verifier_id, out=out, publish=publish)
