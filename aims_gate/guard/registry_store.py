"""Mixin over MLflow's registry stores: what is not proven is not set, and what is live stays.

Every route ends in these methods, however the request was spelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from mlflow.entities.model_registry.model_version_stages import get_canonical_stage

from aims_gate.guard.admission import GoingLive, Guard
from aims_gate.registry_file import refusals
from aims_gate.registry_file.grammar import fold

_TAGS = "aims_gate."
_EVIDENCE = ".evidence"


class GuardedStore:
    """Refuses unproven writes; mixed into a class of MLflow's that does the writing."""

    guard: Guard

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> Any:
        """Point an alias at a version, if it is guarded only at one that is proven."""
        move = partial(super().set_registered_model_alias, name, alias, version)  # type: ignore[misc]
        guarded, number = self.guard.of(name), _number(version)
        if guarded is None or number is None or not guarded.guards_alias(alias):
            return move()
        before = self.guard.rows.aliases(name, self._workspace()).get(alias)

        def back() -> None:
            if before is None:
                super(GuardedStore, self).delete_registered_model_alias(name, alias)  # type: ignore[misc]
            else:
                super(GuardedStore, self).set_registered_model_alias(name, alias, before)  # type: ignore[misc]

        asked = self._move(refusals.to_alias(alias, name, number), name, number)
        return self.guard.publish(guarded, asked.pointed(alias=alias), move, back)

    def delete_registered_model_alias(self, name: str, alias: str) -> Any:
        """Delete an alias, a guarded one only as the gate: it takes down what is live."""
        guarded = self.guard.of(name)
        if guarded is not None and guarded.guards_alias(alias):
            there = self.guard.rows.aliases(name, self._workspace())
            if fold(alias) in set(map(fold, there)):  # some databases take them for one
                self.guard.only_the_gate(guarded, f"to delete alias {alias!a} of {name!a}")
        return super().delete_registered_model_alias(name, alias)  # type: ignore[misc]

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: Any
    ) -> Any:
        """GoingLive a version to a stage of MLflow's, to a guarded one only if it is proven."""
        move = partial(
            super().transition_model_version_stage,  # type: ignore[misc]
            *(name, version, stage, archive_existing_versions),
        )
        guarded, number = self.guard.of(name), _number(version)
        if guarded is None or number is None:
            return move()
        stages = dict(self.guard.rows.versions(name, self._workspace()))
        now = stages.get(number, "")
        if guarded.guards_stage(now) and fold(now) != fold(stage):
            self.guard.only_the_gate(guarded, f"to take version {number} of {name!a} from {now}")
        if not guarded.guards_stage(stage):
            return move()
        wanted = get_canonical_stage(stage)
        put = super().transition_model_version_stage  # type: ignore[misc]

        def back() -> None:
            put(name, number, now, archive_existing_versions=False)
            for other, was in stages.items() if archive_existing_versions else ():
                if was == wanted and other != number:
                    put(name, other, was, archive_existing_versions=False)

        asked = self._move(refusals.to_stage(wanted, name, number), name, number)
        return self.guard.publish(guarded, asked.pointed(stage=wanted), move, back)

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Rename a model, which carries its aliases along: none to or from a guarded name."""
        for one in (name, new_name):
            guarded = self.guard.of(one)
            if guarded is not None:
                why = f"{one!a} is a guarded name, and a rename carries aliases along"
                hint = "register the versions under the other name"
                self.guard.refuse(guarded, f"to rename {name!a} to {new_name!a}", why, hint)
        return super().rename_registered_model(name, new_name)  # type: ignore[misc]

    def delete_registered_model(self, name: str) -> Any:
        """Delete a model of which nothing is live."""
        guarded = self.guard.of(name)
        if guarded is not None:
            live = [
                f"alias {alias!a}"
                for alias in self.guard.rows.aliases(name, self._workspace())
                if guarded.guards_alias(alias)
            ]
            live += [
                f"version {version} in {stage}"
                for version, stage in self.guard.rows.versions(name, self._workspace())
                if guarded.guards_stage(stage)
            ]
            if live:
                self._refuse_live(f"to delete {name!a}", guarded, live)
        return super().delete_registered_model(name)  # type: ignore[misc]

    def delete_model_version(self, name: str, version: Any) -> Any:
        """Delete a version that is not live: MLflow deletes its aliases, too."""
        guarded, number = self.guard.of(name), _number(version)
        row = None
        if guarded is not None and number is not None:
            row = self.guard.rows.version(name, number, self._workspace())
        if guarded is not None and row is not None:
            live = [f"alias {one!a}" for one in row.aliases if guarded.guards_alias(one)]
            live += [f"stage {row.stage}"] if guarded.guards_stage(row.stage) else []
            if live:
                self._refuse_live(f"to delete version {number} of {name!a}", guarded, live)
        return super().delete_model_version(name, version)  # type: ignore[misc]

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        *more: Any,
        **named: Any,
    ) -> Any:
        """Register a version, without the tags by which it would vouch for itself."""
        guarded = self.guard.of(name)
        if guarded is not None:
            kept = [one for one in tags or () if not fold(one.key).startswith(_TAGS)]
            if len(kept) != len(tags or ()):
                tags = self.guard.strip(guarded, f"tags of a new version of {name!a}", kept, tags)
        return super().create_model_version(name, source, run_id, tags, *more, **named)  # type: ignore[misc]

    def set_model_version_tag(self, name: str, version: Any, tag: Any) -> Any:
        """Tag a version, with the gate's tags only as the gate."""
        done = self._tagged(
            partial(super().set_model_version_tag, name, version, tag),  # type: ignore[misc]
            *(name, version, tag.key),
        )
        if fold(tag.key).startswith(_TAGS) and tag.key.endswith(_EVIDENCE):
            number = _number(version)
            if number is not None and self.guard.of(name) is not None:
                self.guard.warm(self._move("", name, number))
        return done

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> Any:
        """Delete a tag of a version, one of the gate's only as the gate."""
        delete = partial(super().delete_model_version_tag, name, version, key)  # type: ignore[misc]
        return self._tagged(delete, name, version, key)

    def _tagged(self, write: Callable[[], Any], name: str, version: Any, key: str) -> Any:
        guarded = self.guard.of(name)
        if guarded is not None and fold(key).startswith(_TAGS):
            self.guard.only_the_gate_tags(guarded, f"tag {key!a} on version {version} of {name!a}")
        return write()

    def _move(self, what: str, name: str, version: int) -> GoingLive:
        return GoingLive(what=what, name=name, version=version, workspace=self._workspace())

    def _refuse_live(self, what: str, guarded: Any, live: list[str]) -> None:
        hint = "let the gate take the alias away, or move it to another version, first"
        self.guard.refuse(guarded, what, f"it is live: {', '.join(live)}", hint)

    def _workspace(self) -> str | None:
        active = getattr(self, "_get_active_workspace", None)
        return None if active is None else str(active())


def _number(version: Any) -> int | None:
    """Number of a version as MLflow reads it; None for what MLflow refuses by itself."""
    try:
        return int(version)
    except (TypeError, ValueError):
        return None


@cache
def mixed(store: type) -> type:
    """Class of registry stores with the guard in it."""
    return type(f"Guarded{store.__name__}", (GuardedStore, store), {})
