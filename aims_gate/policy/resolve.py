"""Resolve a policy file or pack into a `Policy`: inheritance is applied, and it has one digest.

`load` returns a valid policy or raises with every problem at once. `check` returns the problems
and what could be built beside them, so that `plan` can find more in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aims_gate import canonical
from aims_gate.documents.strict_yaml import MAX_BYTES
from aims_gate.errors import PolicyError, Problem, UsageError
from aims_gate.facts import Ancestor
from aims_gate.policy import build, consistency
from aims_gate.policy.base import PolicyBase
from aims_gate.policy.inheritance import alpha_families, inherited_head, merge
from aims_gate.policy.key_tightness import ALIAS, HEAD, RULE
from aims_gate.policy.model import Place, Policy, Rule
from aims_gate.policy.packs import read_pack
from aims_gate.policy.parents import (
    MAX_DEPTH,
    MAX_PARENTS,
    PACK,
    FoundParent,
    Home,
    Library,
    pinned,
)
from aims_gate.policy.read import Layer, Parent, Stated, read
from aims_gate.policy.resolved_yaml import write
from aims_gate.regular import itself, read_regular


def load(
    source: str | Path,
    *,
    packs: Path | None = None,
    environ: Mapping[str, str] | None = None,
    base: PolicyBase | None = None,
) -> Policy:
    """Load a policy from a file's path or from `pack:NAME@VERSION`.

    Args:
        source: The path, or the pack.
        packs: Folder of the packs; default: those that come with the package.
        environ: Where git finds its proxies, certificate authorities and configuration, for
            parents in git repositories; default: nowhere.
        base: The commit that the policy and its parents are taken from; default: their files.

    Raises:
        UsageError: there is no such file or pack, or it cannot be opened.
        PolicyError: the policy is refused; with every problem.
    """
    policy, problems = check(source, packs=packs, environ=environ, base=base)
    if problems or policy is None:
        raise PolicyError(problems)
    return policy


def check(
    source: str | Path,
    *,
    packs: Path | None = None,
    environ: Mapping[str, str] | None = None,
    base: PolicyBase | None = None,
) -> tuple[Policy | None, tuple[Problem, ...]]:
    """Load like `load`, but return the problems instead of raising them.

    A policy that comes with problems is there to be planned, never to be applied: rules with
    problems are left out of it, and it has no document and no digest.

    Raises:
        UsageError: there is no such file or pack, or it cannot be opened.
    """
    name = str(source)
    if name.startswith(PACK):
        try:
            data = read_pack(name.removeprefix(PACK), packs)
        except PolicyError as error:
            return None, error.problems
        return resolve(data, uri=name, packs=packs, environ=environ)
    path = Path(source)
    if base is not None:
        return _at_base(path, base, packs=packs, environ=environ)
    data = _read_file(path)
    # an absolute path would carry the machine into the evidence
    uri = path.name if path.is_absolute() else path.as_posix()
    folder = str(path.parent.resolve())
    return resolve(data, uri=uri, folder=folder, packs=packs, environ=environ)


def resolve(
    data: bytes,
    *,
    uri: str,
    folder: str = "",
    packs: Path | None = None,
    environ: Mapping[str, str] | None = None,
    at: Callable[[Path], Path] = itself,
) -> tuple[Policy | None, tuple[Problem, ...]]:
    """Resolve the policy in *data*; *uri* is its name in messages and evidence.

    *at* says where the file of a parent is read. The result is as for `check`. A resolved document
    (`Policy.document`) resolves to itself.
    """
    layer, found = read(data, uri)
    if layer is None:
        return None, found
    family = _Ancestry(
        library=Library(packs=packs, environ=environ or {}, at=at),
        problems=list(found),
        home=Home(folder=Path(folder) if folder else None),
    )
    start = f"file:{uri.rpartition('/')[2]}" if folder else uri
    try:
        merged = family.merge(layer, family.home, (start,))
    finally:
        family.library.close()
    policy, more = _build(merged, uri=uri, folder=folder)
    ancestors = tuple(Ancestor(uri=one, digest=sha256) for one, sha256 in family.sources.items())
    policy = replace(policy, extends=ancestors, source_digest=canonical.sha256(data))
    # without a parent everything that it would have brought is missing: that is one problem
    problems = tuple(sorted({*family.problems, *(() if family.orphaned else more)}))
    if problems:
        return policy, problems
    document = write(policy, tuple(family.sources.items()))
    _, unreadable = read(document, f"{uri} (resolved)")
    if unreadable:
        return policy, unreadable
    return replace(policy, document=document, digest=canonical.sha256(document)), ()


def _at_base(
    path: Path, base: PolicyBase, *, packs: Path | None, environ: Mapping[str, str] | None
) -> tuple[Policy | None, tuple[Problem, ...]]:
    """Resolve a policy of the base; data that it names lie beside it in the work tree."""
    place, inside = base.policy(path)
    policy, problems = resolve(
        _read_file(place),
        uri=f"{inside}@{base.commit[:12]}",
        folder=str((base.repository.root / inside).parent),
        packs=packs,
        environ=environ,
        at=base.at,
    )
    if policy is not None:
        policy = replace(policy, uri=f"git:{base.commit}#{inside}")
    return policy, problems


@dataclass(slots=True, kw_only=True)
class _Ancestry:
    """Reads a policy's parents, and notes what is wrong with them."""

    library: Library
    home: Home
    problems: list[Problem]
    sources: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each parent that was read, by URI."""
    count: int = 0
    orphaned: bool = False
    """Whether a parent is missing, which is among the problems then."""

    def merge(self, layer: Layer, home: Home, chain: tuple[str, ...]) -> Layer:
        """Merge *layer* with its parents; *chain* holds the URIs from the first child to here."""
        parents = []
        for stated in layer.parents:
            found, parent = self._parent(stated, home, chain)
            self.orphaned |= parent is None
            if found is not None and parent is not None:
                parents.append(self.merge(parent, found.home, (*chain, found.uri)))
        if not parents:
            return layer
        heads = [inherited_head(parent) for parent in parents]
        head, problems = merge("", heads, layer.head, HEAD)
        head = replace(head, values={k: v for k, v in head.values.items() if k != ALIAS})
        self.problems += problems
        rules = dict(self._rules(layer, parents))
        names = layer.names.union(*(parent.names for parent in parents))
        adopted = [one for each in (layer, *parents) for one in each.head.values.get("adopted", ())]
        if adopted:  # what a parent adopted is adopted by all that extend it
            head = replace(head, values={**head.values, "adopted": adopted})
        if head.values.get("alpha_scope") == "policy":
            head = replace(head, values={**head.values, "alpha_families": alpha_families(parents)})
        return replace(layer, head=replace(head, place=layer.head.place), rules=rules, names=names)

    def _parent(
        self, stated: Parent, home: Home, chain: tuple[str, ...]
    ) -> tuple[FoundParent | None, Layer | None]:
        try:
            found = self.library.find(stated.uri, home)
            self._refuse_endless(found, chain)
            data = self.library.read(found)
            pinned(found, data, stated.sha256)
        except PolicyError as error:
            self.problems += error.problems
            return None, None
        except UsageError as error:
            self._note(stated.place, error.what, error.hint)
            return None, None
        self.sources[found.uri] = canonical.sha256(data)
        parent, problems = read(data, found.uri)
        self.problems += problems
        return found, parent

    def _refuse_endless(self, found: FoundParent, chain: tuple[str, ...]) -> None:
        self.count += 1
        if found.uri in chain:
            through = " and ".join(map(_name, chain[chain.index(found.uri) :]))
            raise UsageError(f"{found.name} extends itself through {through}")
        if len(chain) > MAX_DEPTH:
            raise UsageError(f"parents of parents are more than {MAX_DEPTH} deep")
        if self.count > MAX_PARENTS:
            raise UsageError(f"more than {MAX_PARENTS} parents are read for one policy")

    def _rules(self, layer: Layer, parents: Sequence[Layer]) -> Iterator[tuple[str, Stated]]:
        """Merged rules: the parents' in their order, with the child's changes, then new ones."""
        inherited = {name: None for parent in parents for name in parent.rules}
        for name in inherited:
            before = [parent.rules[name] for parent in parents if name in parent.rules]
            child = layer.rules.get(name)
            place = layer.head.at("extends")
            merged, problems = merge(
                name,
                before,
                child or Stated(values={}, place=place, origin=layer.file),
                RULE,
            )
            if child is None and len(before) > 1 and name not in layer.names:
                origins = " and ".join(stated.origin for stated in before)
                self._note(place, f"{name} comes from {origins}", f"restate {name} under rules:")
            else:
                self.problems += problems
            yield name, merged
        yield from ((n, stated) for n, stated in layer.rules.items() if n not in inherited)

    def _note(self, place: Place, what: str, hint: str) -> None:
        self.problems.append(Problem(file=place.file, line=place.line, what=what, hint=hint))


def _name(uri: str) -> str:
    return uri.removeprefix(PACK)


def _build(layer: Layer, *, uri: str, folder: str) -> tuple[Policy, tuple[Problem, ...]]:
    """Build the valid part of a merged layer, and report the rest."""
    stages = build.stages(layer.head)
    problems = list(consistency.head_problems(layer.head, stages))
    faulty = {
        name: found
        for name, stated in layer.rules.items()
        if (found := list(consistency.rule_problems(name, stated, stages)))
    }
    for found in faulty.values():
        problems += found
    names = layer.names | layer.rules.keys()
    problems += consistency.family_problems(layer.head, names)
    problems += consistency.waiver_problems(layer.head, names)
    for test in layer.tests:
        problems += consistency.test_problems(test, names, stages)
    if not names:
        place = layer.head.at("rules")
        what, hint = "the policy has no rules", "a gate without rules would pass everything"
        problems.append(Problem(file=place.file, line=place.line, what=what, hint=hint))
    policy = Policy(
        **build.head_fields(layer.head),
        rules=tuple(_sound(layer.rules, faulty)),
        tests=tuple(map(build.test, layer.tests)),
        uri=uri,
        folder=folder,
    )
    return policy, tuple(problems)


def _sound(rules: Mapping[str, Stated], faulty: Mapping[str, object]) -> Iterator[Rule]:
    return (build.rule(name, stated) for name, stated in rules.items() if name not in faulty)


def _read_file(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        hint = "name a policy file, or a pack as pack:NAME@VERSION"
        raise UsageError(f"the policy {path.name} cannot be read: {reason}", hint=hint) from None
    except ValueError:
        raise UsageError(f"{str(path)!r} is no name of a file") from None
