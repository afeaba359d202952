"""Adoption and break-glass from the command line, on a real MLflow server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from aims_gate.__main__ import guarded
from aims_gate.attest import trust_file
from aims_gate.attest.keys import Scheme, generate
from aims_gate.errors import UsageError
from aims_gate.evidence.exceptions import Excepted, excepted
from aims_gate.evidence.live import Served
from aims_gate.operations import adopt as operation
from aims_gate.registry_file import RegistryFile, read
from tests.support.registry_content import Content, Logged

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore")]  # MLflow's deprecations
PEOPLE = {"gate-bot": "gate", "ana": "approver"}


@dataclass(kw_only=True)
class Team:
    """A registry with one guarded model that is live and not proven, and its people."""

    folder: Path
    url: str
    content: Content
    logged: Logged

    @property
    def trust(self) -> Path:
        return self.folder / "trust.yaml"

    def key(self, person: str) -> str:
        return str(self.folder / f"{person}.key")

    def registry(self, **more: object) -> Path:
        entry = {"pattern": f"{self.logged.name}*", **more}
        file = {"apiVersion": "aims-gate/v1", "kind": "Registry", "trust": "trust.yaml"}
        path = self.folder / "registry.yaml"
        path.write_text(yaml.safe_dump({**file, "models": [entry]}), encoding="utf-8")
        return path

    def excepted(self, *, alias: str = "champion", version: str = "1", **more: str) -> Excepted:
        sha256 = more.pop("sha256", "") or self.digest
        stages = tuple(more.values())
        aliases = () if stages else (alias,)
        served = Served(
            server=self.url,
            name=self.logged.name,
            version=version,
            sha256=sha256,
            aliases=aliases,
            stages=stages,
        )
        trust = trust_file.load(self.trust)
        return excepted(served, trust=trust, folder=self.folder, now=datetime.now(UTC))

    digest = ""


@pytest.fixture
def team(mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    content = Content(uri=mlflow_server)
    team = Team(
        folder=tmp_path, url=mlflow_server, content=content, logged=content.registered("live")
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.chdir(tmp_path)
    content.client.set_registered_model_alias(team.logged.name, "Champion", "1")
    keys = []
    for person, role in PEOPLE.items():
        generate(Path(team.key(person)), password=None, scheme=Scheme.ED25519)
        entry = {"person": person, "public_key": f"{person}.key.pub", "roles": [role]}
        keys.append(entry)
    file = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": keys}
    team.trust.write_text(yaml.safe_dump(file), encoding="utf-8")
    team.registry()
    return team


def test_what_is_live_is_signed_and_lets_those_bytes_stay(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dry without a key; then with an approver's; and never for another version or digest."""
    team.content.client.transition_model_version_stage(team.logged.name, "1", "Production")
    adopt = ["registry", "adopt", "--config", "registry.yaml"]
    assert guarded([*adopt, "--dry-run"]) == 0
    told = capsys.readouterr().out
    shown = re.search(r"models:/(\S+)/1 @Champion, Production sha256:([0-9a-f]{64})\n", told)
    assert shown is not None
    assert "dry run: nothing was signed" in told
    assert not (team.folder / "adopted").exists()
    team.digest = shown[2]
    assert not team.excepted(alias="Champion")
    assert guarded([*adopt, "--key", team.key("ana"), "--owner", "ml-platform"]) == 0
    told = capsys.readouterr().out
    until = datetime.now(UTC) + timedelta(days=90)
    assert f"1 version on {team.url}, until {until:%Y-%m-%d}, owner ml-platform" in told
    assert team.excepted(alias="Champion").grounds.startswith("live when ana adopted it")
    assert team.excepted(stage="Production")
    assert not team.excepted(alias="Champion", version="2")
    assert not team.excepted(alias="Champion", sha256="0" * 64)


def test_what_the_file_does_not_guard_or_nobody_asks_for_is_not_adopted(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    team.registry(aliases=["live"])
    assert guarded(["registry", "adopt", "--key", team.key("ana")]) == 0
    assert "nothing that is guarded is live" in capsys.readouterr().out
    team.registry()
    assert guarded(["registry", "adopt", "--key", team.key("ana"), "--model", "other-*"]) == 0
    assert "nothing that is guarded is live" in capsys.readouterr().out
    assert not (team.folder / "adopted").exists()


def test_only_an_approver_adopts_and_not_for_ever(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt = ["registry", "adopt", "--config", "registry.yaml"]
    assert guarded([*adopt, "--key", team.key("gate-bot")]) == 2
    assert "may not sign as approver" in capsys.readouterr().err
    late = f"{datetime.now(UTC) + timedelta(days=182):%Y-%m-%d}"
    for until in (late, "2020-01-01"):
        assert guarded([*adopt, "--key", team.key("ana"), "--until", until]) == 2
        assert "a list holds for 180 days at most" in capsys.readouterr().err
    assert guarded(["registry", "adopt", "--config", "nowhere.yaml", "--dry-run"]) == 2
    assert "cannot read the registry file" in capsys.readouterr().err
    assert not (team.folder / "adopted").exists()


def test_nothing_is_signed_of_a_part(
    team: Team, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version whose files are gone cannot be hashed: the list would lack it."""
    run = team.content.run()
    team.content.version(team.logged.name, f"runs:/{run}/no-model", run)
    team.content.client.set_registered_model_alias(team.logged.name, "champion", "2")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team.url)  # which the client took away
    assert guarded(["registry", "adopt", "--key", team.key("ana")]) == 3
    told = capsys.readouterr().err
    assert "1 live versions cannot be adopted" in told
    assert f"models:/{team.logged.name}/2" in told
    assert not (team.folder / "adopted").exists()


def test_the_name_of_the_server_is_the_one_that_the_guard_knows(team: Team) -> None:
    """As the registry file has it, else the only one of the trust file, else its address."""

    def server(file: RegistryFile) -> str:
        how = operation.Adopting(
            file=file,
            signer=None,
            now=datetime.now(UTC),
            models=("none",),
            environ={"MLFLOW_TRACKING_URI": team.url},
        )
        return operation.adopt(how).server

    file = read(team.registry())
    assert server(file) == team.url
    text = team.trust.read_text(encoding="utf-8")
    team.trust.write_text(f"{text}servers: {{prod: ['https://x'], lab: ['file:']}}\n")
    assert server(file) == "prod"
    team.trust.write_text(f"{text}servers: {{prod: ['https://x'], dev: ['{team.url}']}}\n")
    assert server(file) == "dev"
    named = team.registry()
    named.write_text(f"{named.read_text(encoding='utf-8')}server: prod\n", encoding="utf-8")
    assert server(read(named)) == "prod"


def test_two_people_break_the_glass(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    """One asks, an approver signs; it then holds for that alias of those bytes."""
    uri = f"models:/{team.logged.name}/1"
    draft = ["break-glass", "draft", uri, "--by", "jo"]
    why = "the present champion answers with errors since noon"
    assert guarded([*draft, "--alias", "champion", "--why", why]) == 0
    path = capsys.readouterr().out.splitlines()[0].removeprefix("draft: ")
    written = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    assert (written["server"], written["model"]["version"]) == (team.url, "1")
    team.digest = written["model"]["sha256"]
    approve = ["break-glass", "approve", path, "--key"]
    assert guarded([*approve, team.key("gate-bot")]) == 2
    assert "may not sign as approver" in capsys.readouterr().err
    assert not team.excepted()
    assert guarded([*approve, team.key("ana")]) == 0
    assert "approved by ana until" in capsys.readouterr().out
    assert "break-glass of ana until" in team.excepted().grounds
    assert not team.excepted(alias="live")
    assert not team.excepted(sha256="0" * 64)
    assert guarded(["registry", "adopt", "--key", team.key("ana")]) == 3
    assert f"it went live by {written['id']}, which is not prolonged so" in capsys.readouterr().err


def test_who_asks_does_not_approve_and_an_emergency_ends(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "the present champion answers with errors since noon"
    draft = ["break-glass", "draft", f"models:/{team.logged.name}/1", "--out", "d.yaml"]
    draft += ["--stage", "Production", "--why", why]
    approve = ["break-glass", "approve", "d.yaml", "--key", team.key("ana")]
    assert guarded([*draft, "--by", "Ana@acme.example"]) == 0
    assert guarded(approve) == 2
    assert "asks for this break-glass order and may not approve it" in capsys.readouterr().err
    Path("d.yaml").unlink()
    late = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    assert guarded([*draft, "--by", "jo", "--until", late]) == 0
    assert guarded(approve) == 2
    assert "holds for 7 days at most" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "options", "told"),
    [
        ("models:/x@champion", ["--alias", "champion"], "an order is of one version"),
        ("models:/x/1", [], "an order is for one alias or stage"),
        ("models:/x/1", ["--alias", "a", "--stage", "Staging"], "is for one alias or stage"),
    ],
)
def test_an_order_is_of_one_version_and_one_name(
    team: Team, capsys: pytest.CaptureFixture[str], model: str, options: list[str], told: str
) -> None:
    assert guarded(["break-glass", "draft", model, "--by", "jo", *options]) == UsageError.exit_code
    assert told in capsys.readouterr().err
