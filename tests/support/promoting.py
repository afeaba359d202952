"""A registered model with several gated versions on a real server, and what promotes them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from aims_gate.attest import keys
from aims_gate.attest.signers import Signer
from aims_gate.attest.signers.file import LocalSigner
from aims_gate.operations.promote import promote
from aims_gate.operations.promotion import Promoted, Promoting
from aims_gate.sinks.mlflow import publish
from aims_gate.sources import SOURCES
from aims_gate.sources.subject import Workspace
from tests.support.proofs import Lab, verdict_of
from tests.support.registry_content import FILES, Content

ALIAS = "champion"


@dataclass(kw_only=True)
class House:
    """Where a model is trained, gated and promoted; evidence is of an hour before `now`."""

    content: Content
    lab: Lab
    name: str
    environ: dict[str, str]
    now: datetime
    gated_at: datetime

    @classmethod
    def build(cls, uri: str, folder: Path) -> House:
        now = datetime.now(UTC).replace(microsecond=0)
        folder.mkdir(parents=True, exist_ok=True)
        house = cls(
            content=Content(uri=uri),
            lab=Lab.make(folder / "lab"),
            name=f"house-{uuid.uuid4().hex[:8]}",
            environ={"MLFLOW_TRACKING_URI": uri},
            now=now,
            gated_at=now - timedelta(hours=1),
        )
        house.trust()
        return house

    def use_key(self, path: Path) -> None:
        """Sign with the key in a file from now on."""
        private = keys.load_private(path.read_bytes(), password="", where=path.name)
        self.lab.signer = LocalSigner.of(private)
        self.trust()

    @property
    def signer(self) -> Signer:
        return self.lab.signer

    @property
    def trust_file(self) -> Path:
        return self.lab.folder / "trust.yaml"

    def trust(self, *others: dict[str, Any], **more: Any) -> None:
        entry = {"person": "gate", "public_key": self.signer.key.pem, "roles": ["gate"]}
        more = {"deploy": [{"max_age": "7d"}], **more}
        file = {"apiVersion": "aims-gate/v1", "kind": "Trust", "keys": [entry, *others], **more}
        self.trust_file.write_text(yaml.safe_dump(file), encoding="utf-8")

    def version(self, *, gated: bool = True, **changes: Any) -> str:
        """Train, register and gate a version; its bytes are its own."""
        files = {**FILES, "weights/w.txt": uuid.uuid4().hex.encode()}
        run = self.content.run(metrics=False)
        source = f"models:/{self.content.model(run, files)}"
        version = self.content.version(self.name, source, run)
        if gated:
            self.gate(version, **changes)
        return version

    def gate(self, version: str, **changes: Any) -> str:
        """Run the gate on a version; gives the place of the evidence."""
        private = self.lab.folder / uuid.uuid4().hex
        private.mkdir()
        workspace = Workspace(folder=private, environ=self.environ)
        fetched = SOURCES["models"].fetch(self.uri(version), workspace=workspace)
        self.lab.model = fetched.folder
        at = {"started": self.gated_at, "finished": self.gated_at}
        changes = {"model": fetched.model, **at, **changes}
        verdict = verdict_of(self.lab.manifest, self.signer, **changes)
        assert verdict.evidence is not None
        changes["evidence"] = replace(verdict.evidence, id=uuid.uuid4().hex)
        folder = self.lab.write(private / "evidence", **changes)
        verdict = verdict_of(self.lab.manifest, self.signer, **changes)
        return publish(verdict, folder, self.environ)

    def uri(self, version: str) -> str:
        return f"models:/{self.name}/{version}"

    def asks(self, version: str = "", **changes: Any) -> Promoting:
        usual = Promoting(
            model=self.uri(version) if version else f"models:/{self.name}",
            alias=ALIAS,
            signer=self.signer,
            why="release, CHG-12",
            trust=self.trust_file,
            rollback=not version,
            out=self.lab.folder / "statements",
            environ=self.environ,
        )
        return replace(usual, **changes)

    def promote(self, version: str = "", **changes: Any) -> Promoted:
        """Promote a version, or take one back."""
        return promote(self.asks(version, **changes), now=lambda: self.now)

    def champion(self) -> str | None:
        """The version that the alias points at, as MLflow's own client tells it."""
        found = self.content.client.get_registered_model(self.name).aliases.get(ALIAS)
        return None if found is None else str(found)

    def by_hand(self, version: str) -> None:
        """Move the alias as anybody may who can write to MLflow."""
        self.content.client.set_registered_model_alias(self.name, ALIAS, version)

    def tags(self, version: str) -> dict[str, str]:
        """The tags of a version about aliases."""
        found = self.content.client.get_model_version(self.name, version).tags
        return {key: value for key, value in found.items() if key.startswith("aims_gate.alias.")}

    def flags(self) -> list[str]:
        """Versions with a move that is not finished."""
        found = self.content.client.search_model_versions(f"name='{self.name}'")
        return [str(one.version) for one in found if f"aims_gate.alias.{ALIAS}.intent" in one.tags]

    def said(self, done: Promoted) -> dict[str, Any]:
        """What the signed statement of a promotion says."""
        assert done.statement is not None
        text = Path(str(done.statement).replace(".dsse.", ".statement.")).read_text("utf-8")
        predicate: dict[str, Any] = json.loads(text)["predicate"]
        return predicate

    def overwrite(self, version: str) -> None:
        """Exchange a version's bytes, as whoever can write artifacts may."""
        source = self.content.client.get_model_version(self.name, version).source
        model = self.content.client.get_logged_model(source.removeprefix("models:/"))
        folder = self.lab.folder / uuid.uuid4().hex / "weights"
        folder.mkdir(parents=True)
        (folder / "w.txt").write_bytes(b"evil")
        self.content.client.log_model_artifacts(model.model_id, str(folder.parent))
