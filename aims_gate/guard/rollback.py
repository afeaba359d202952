"""A return to what was deployed before: the age of its evidence does not count, all else does.

What was live is known by the signed promotion that the gate left on the version.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aims_gate.attest import resource
from aims_gate.attest.statement_files import read_statement
from aims_gate.attest.trust import Trust
from aims_gate.errors import SourceError, TrustError
from aims_gate.evidence.predicates import PROMOTION
from aims_gate.evidence.verify import Expected
from aims_gate.sinks.alias import Alias
from aims_gate.sources.mlflow.evidence import Published, fetch_statement


def was_promoted(
    found: Published,
    alias: str,
    expected: Expected,
    *,
    trust: Trust,
    now: datetime,
    environ: Mapping[str, str],
) -> bool:
    """Whether a signed promotion says that the alias was to point at these very bytes.

    Args:
        found: What is published about the version.
        alias: Which alias.
        expected: What its evidence had to be about: the bytes, and the version's place.
        trust: Whose signatures count.
        now: The present moment.
        environ: By which the server's own registry is opened.
    """
    tag = Alias(registry=found.registry, name="", alias=alias).promotion
    pointer, place = found.tags.get(tag), expected.resource_uri
    if pointer is None or place is None or expected.model is None:
        return False
    trust = expected.revocations.applied(trust)
    with tempfile.TemporaryDirectory(prefix="aims-gate-") as private:
        try:
            _digest, name = fetch_statement(found.registry, pointer, Path(private), environ)
            signed = read_statement(Path(private), name, PROMOTION, trust=trust, now=now)
            about = resource.parse(signed.said.resource_uri, servers=trust.servers, where=name)
        except (SourceError, TrustError):
            return False
    wanted = resource.parse(place, servers=trust.servers, where=place)
    said = (signed.said.alias, signed.statement.subject, about)
    return said == (alias, expected.model.digest, wanted)
