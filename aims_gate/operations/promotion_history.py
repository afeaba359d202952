"""The history of an alias, newest first, as its signed promotions tell it: where a rollback goes.

The promotion of the present version names the one before, and that one's promotion the one before
that. A version that was rolled back from is in nobody's past, so it is not come back to. Tags only
point: a statement that does not verify, or is about something else, is told and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource
from aims_gate.attest.resource import Resource
from aims_gate.attest.statement_files import SignedStatement, read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import SourceError, TrustError
from aims_gate.evidence.predicates import PROMOTION, Promotion
from aims_gate.registry.uris import resource_uri
from aims_gate.sinks.alias import ROLLBACK, Alias, Standing
from aims_gate.sources.mlflow.evidence import fetch_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What lies behind the version that an alias points at."""

    standing: Standing
    alias: Alias
    trust: Trust
    environ: Mapping[str, str]
    now: datetime
    private: Path
    """A folder of ours."""
    told: list[str]
    """Gathers what does not count."""

    def versions(self) -> Iterator[str]:
        """Versions before the present one, the last first.

        Where somebody moved the alias without a promotion, all that were promoted, the last first.
        """
        current = self.standing.current or ""
        said = self._of(current)
        if said is None:
            for other in self.standing.newest():
                if other != current and self._of(other) is not None:
                    yield other
        seen = {current}
        while said is not None and said.action != ROLLBACK:
            version = said.previous
            if version is None or version in seen:
                return
            seen.add(version)
            yield version
            said = self._of(version)

    def _of(self, version: str) -> Promotion | None:
        standing = self.standing
        pointer = standing.promotions.get(version) or standing.intents.get(version)
        return None if pointer is None else self.said(version, pointer)

    def said(self, version: str, pointer: str) -> Promotion | None:
        """Read what the statement says that a tag of a version points at, if it counts."""
        found = self.signed(version, pointer)
        return None if found is None else found.said

    def signed(self, version: str, pointer: str) -> SignedStatement[Promotion] | None:
        """Read the statement that a tag of a version points at, with its signer, if it counts."""
        folder = self.private / f"said-{version}"
        folder.mkdir()
        registry = self.alias.registry
        try:
            _digest, name = fetch_statement(registry, pointer, folder, self.environ)
            found = read_statement(folder, name, PROMOTION, trust=self.trust, now=self.now)
            about = self._place(found.said.resource_uri)
        except (TrustError, SourceError) as error:
            self.told.append(f"the promotion of version {version} does not count: {error.what}")
            return None
        place = self._place(resource_uri(self.alias.name, version, registry.server))
        if (found.said.alias, about) != (self.alias.alias, place):
            self.told.append(f"the promotion of version {version} is about something else")
            return None
        return found

    def _place(self, uri: str) -> Resource:
        """Read a package URL; two URLs of one server are the same where the trust file says so."""
        return resource.parse(uri, servers=self.trust.servers, where="resourceUri")
