"""What the deploying side expects of evidence is in the trust file, and no option goes below it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aims_gate.attest import trust_file
from aims_gate.attest.resource import Copy
from aims_gate.attest.trust import Deployment, Trust
from aims_gate.errors import PolicyError
from tests.evidence.refusals import refuses
from tests.support.proofs import PLACE, RELEASE, Lab, verdict_of

SERVERS = {"https://mlflow.example": "prod", "prod": "prod", "https://dev.example": "dev"}
OTHER = replace(RELEASE, digest="00" * 32)
FOLDER = "pkg:generic/model"
RUN = PLACE.replace("@7", "@" + "1" * 32)
LOGGED = PLACE.replace("@7", "@m-0123")


def _lab(folder: Path, place: str = PLACE, **changes: Any) -> Lab:
    lab = Lab.make(folder)
    model = replace(verdict_of(lab.manifest, lab.signer).model, resource_uri=place)
    for file in lab.evidence.iterdir():
        file.unlink()
    lab.evidence.rmdir()
    lab.write(lab.evidence, model=model, **changes)
    return lab


def _trust(lab: Lab, *deploy: Deployment, **changes: Any) -> Trust:
    return replace(lab.trust(), servers=SERVERS, deploy=deploy, **changes)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return _lab(tmp_path)


def _expects(**changes: Any) -> Deployment:
    usual: dict[str, Any] = {"server": "prod", "models": ("credit-*",), "where": "trust.yaml:9"}
    return Deployment(**{**usual, **changes})


def test_evidence_that_meets_every_entry_verifies(lab: Lab) -> None:
    """Two entries are both held."""
    trust = _trust(
        lab,
        _expects(stage="production", max_age=timedelta(days=1), floor=RELEASE),
        _expects(max_age=timedelta(hours=2)),
    )
    assert lab.verify(trust=trust).passed
    assert lab.verify(trust=trust, resource_uri=PLACE, stage="production").passed


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"stage": "staging"}, r"trust.yaml:9: the evidence is for stage 'production', not for"),
        ({"max_age": timedelta(hours=1, minutes=59)}, "trust.yaml:9: the evidence of .* is older"),
        ({"floor": OTHER}, "trust.yaml:9: the policy descends from 'release@1.0.0' with"),
        ({"floor": replace(RELEASE, uri="pack:x@1")}, "trust.yaml:9: .* does not descend from"),
        (
            {"approvals": ("risk",)},
            "trust.yaml:9: nobody approved these bytes as risk; aims-gate approval",
        ),
        ({"stage": "staging", "models": ()}, "is for stage"),
        ({"stage": "staging", "server": ""}, "is for stage"),
    ],
)
def test_whatever_an_entry_expects_is_held(lab: Lab, entry: dict[str, Any], said: str) -> None:
    """Also where an option would ask for less."""
    trust = _trust(lab, _expects(**entry))
    refuses(lab, said, trust=trust)
    refuses(lab, said, trust=trust, stage="production", max_age=timedelta(days=99), floor=RELEASE)
    refuses(lab, said, trust=trust, resource_uri=PLACE, model=None)


def test_an_option_may_ask_for_more(lab: Lab) -> None:
    """The entry does not take its place."""
    trust = _trust(lab, _expects(max_age=timedelta(days=9)))
    refuses(lab, "is older than 1:00:00", trust=trust, max_age=timedelta(hours=1))
    refuses(lab, "not for 'staging'; .*--stage", trust=trust, stage="staging")


def test_the_stage_of_an_entry_takes_the_place_of_the_policys_last(tmp_path: Path) -> None:
    """So nobody needs to name it; the author's order of stages is not asked."""
    lab = _lab(tmp_path, stage="staging")
    assert lab.verify(trust=_trust(lab, _expects(stage="staging"))).passed
    refuses(lab, "not for 'production'", trust=_trust(lab, _expects(max_age=timedelta(days=9))))


@pytest.mark.parametrize("entry", [{"models": ("fraud-*", "credit")}, {"server": "dev"}])
def test_entries_of_other_models_and_servers_are_not_held(lab: Lab, entry: dict[str, Any]) -> None:
    """A registry gave this model its name."""
    assert lab.verify(trust=_trust(lab, _expects(stage="staging", **entry))).passed


@pytest.mark.parametrize("place", [RUN, LOGGED])
def test_an_authors_name_escapes_no_entry(tmp_path: Path, place: str) -> None:
    """A run's or a logged model is called whatever its author likes."""
    lab = _lab(tmp_path, place)
    trust = _trust(lab, _expects(stage="staging", models=("fraud-*",)))
    refuses(lab, "is for stage", trust=trust)
    refuses(lab, "is for stage", trust=trust, resource_uri=place)


def test_an_authors_name_is_no_copy(tmp_path: Path) -> None:
    """A logged model that is called as the registered one does not count for its copy."""
    copies = (Copy(source=("dev", "credit-risk"), target=("prod", "cr")),)
    target = "pkg:mlflow/cr@1?repository_url=prod"
    for number, place in enumerate((RUN, LOGGED, PLACE)):
        dev = place.replace("mlflow.example", "dev.example")
        lab = _lab(tmp_path / str(number), dev)
        trust = _trust(lab, copies=copies)
        if place == PLACE:
            assert lab.verify(trust=trust, resource_uri=target).passed
        else:
            refuses(lab, "not for cr@1 on prod", trust=trust, resource_uri=target)


def test_where_nobody_says_the_place_it_is_every_place_that_it_counts_for(tmp_path: Path) -> None:
    """A folder could be on its way to production: what is expected there is held."""
    dev = PLACE.replace("mlflow.example", "dev.example")
    lab = _lab(tmp_path, dev)
    copies = (
        Copy(source=("dev", "credit-risk"), target=("prod", "cr")),
        Copy(source=("dev", "fraud"), target=("prod", "fraud")),
    )
    entry = _expects(stage="staging", models=("cr",))
    refuses(lab, "is for stage", trust=_trust(lab, entry, copies=copies))
    assert lab.verify(trust=_trust(lab, entry, copies=copies), resource_uri=dev).passed
    assert lab.verify(trust=_trust(lab, entry)).passed
    assert lab.verify(trust=_trust(lab, _expects(stage="x", models=("f",)), copies=copies)).passed


def test_servers_cover_folders(tmp_path: Path) -> None:
    """Evidence of a folder is of no server: it counts where the trust file says `file:`."""
    lab = _lab(tmp_path, FOLDER)
    refuses(lab, r'does not name: \'file:\'; .* folders count where .* "file:"', trust=_trust(lab))
    local = {**SERVERS, "file:": "local"}
    entry = _expects(server="local", stage="staging")
    assert lab.verify(trust=replace(lab.trust(), servers=local)).passed
    refuses(lab, "is for stage", trust=replace(lab.trust(), servers=local, deploy=(entry,)))
    assert lab.verify().passed
    everywhere = _expects(server="", models=("credit-*",), stage="staging")
    refuses(lab, "is for stage", trust=replace(lab.trust(), deploy=(everywhere,)))


# --- the file --------------------------------------------------------------------------------

HEAD = """apiVersion: aims-gate/v1
kind: Trust
keys: [{{person: a, public_key: "{key}", roles: [gate]}}]
servers: {{prod: ["https://mlflow.example"], local: ["file:"]}}
deploy:
"""


def _parse(lab: Lab, text: str) -> Trust:
    pem = lab.signer.key.pem.replace("\n", "\\n")
    data = HEAD.format(key=pem) + text
    return trust_file.parse(data.encode(), file="trust.yaml", folder=Path("nowhere"))


def test_entries_are_read(lab: Lab) -> None:
    """Every key, and defaults that expect it everywhere."""
    digest = "5e" * 32
    trust = _parse(
        lab,
        "  - {server: prod, models: ['credit-*'], stage: production, max_age: 31d,\n"
        f"     floor: 'release@1.0.0@sha256:{digest}', approvals: [risk]}}\n"
        "  - {max_age: 12h}\n",
    )
    assert trust.deploy == (
        Deployment(
            server="prod",
            models=("credit-*",),
            stage="production",
            max_age=timedelta(days=31),
            floor=RELEASE,
            approvals=("risk",),
            where="trust.yaml:6",
        ),
        Deployment(max_age=timedelta(hours=12), where="trust.yaml:8"),
    )
    assert trust.servers["file:"] == "local"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{server: prd, stage: x}", "unknown server 'prd'"),
        ("{server: prod}", "expects nothing"),
        ("{server: prod, approvals: []}", "expects nothing"),
        ("{stage: ''}", "deploy[0].stage must not be empty"),
        ("{stage: }", "deploy[0].stage has no value"),
        ("{max_age: 7}", "write 30m, 12h or 7d"),
        ("{max_age: }", "deploy[0].max_age has no value"),
        ("{max_age: 0d}", "write 30m, 12h or 7d"),
        ("{floor: release@1.0.0}", "is no floor: 'release@1.0.0'; PACK@SHA256"),
        ("{floor: }", "deploy[0].floor has no value"),
        ("{stage: x, models: []}", "deploy[0].models is an empty list"),
        ("{stage: x, models: ['']}", "deploy[0].models must not be empty"),
        ("{stage: x, approvals: risk}", "deploy[0].approvals must be a list"),
        ("{stage: x, model: [a]}", "did you mean 'models'"),
        ("stage", "deploy[0] must be a mapping of keys"),
    ],
)
def test_wrong_entries_are_refused(lab: Lab, entry: str, said: str) -> None:
    """With exit code 2 and the line; what was left empty is not taken for what was left out."""
    with pytest.raises(PolicyError) as caught:
        _parse(lab, f"  - {entry}\n")
    assert said in str(caught.value)
    assert str(caught.value).startswith("trust.yaml:6")


def test_an_empty_list_of_entries_is_refused(lab: Lab) -> None:
    """It expects nothing, which nobody writes on purpose."""
    with pytest.raises(PolicyError, match="deploy"):
        _parse(lab, "  []\n")
