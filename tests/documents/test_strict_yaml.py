"""The hardened YAML reader: what it reads, what it refuses, and that it never crashes."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aims_gate.documents import strict_yaml as text_module
from aims_gate.documents.strict_yaml import Document, parse
from aims_gate.errors import PolicyError, Problem
from tests.support.laws import law


def read(text: str) -> Document:
    return parse(text.encode(), "p.yaml")


def refusal(text: str | bytes) -> list[str]:
    """Give the messages with which a text is refused; fails if it is read."""
    with pytest.raises(PolicyError) as caught:
        parse(text.encode() if isinstance(text, str) else text, "p.yaml")
    assert caught.value.problems, "a refusal without a problem helps nobody"
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "p.yaml:3: duplicate key 'a'; it is first on line 1"),
        ("r:\n  {x: 1, 'x': 2}\n", "p.yaml:2: duplicate key 'x'; it is first on line 2"),
        ("a: &q 1\n", "p.yaml:1: anchor &q; write the value out where it is needed"),
        ("a: !!str 1\n", "p.yaml:1: tag tag:yaml.org,2002:str; remove it: types follow from"),
        ("a: !!python/name:os.system x\n", "p.yaml:1: tag tag:yaml.org,2002:python/name:os.system"),
        ("a: ! x\n", "p.yaml:1: tag !;"),
        ("a: {}\nb:\n  <<: {c: 1}\n", "p.yaml:3: a merge key; write the keys out"),
        ("%YAML 1.1\n---\na: no\n", "p.yaml:1: a directive"),
        ("a: 1\n---\nb: 2\n", "p.yaml:2: a second document in one file"),
        ("", "p.yaml: the text is empty"),
        ("# only a comment\n", "p.yaml: the text is empty"),
        ("---\n", "p.yaml: the text is empty"),
        ("? [1, 2]\n: x\n", "p.yaml:1: a key that is a list or a mapping"),
        ("? \n: x\n", "p.yaml:1: a value without a key"),
        ("a: [1,\n", "p.yaml:2: not YAML: while parsing a flow node"),
        ("ok: 1\n\tb: 1\n", "p.yaml:2: not YAML: "),
        ("ok: 1\na: \x01\n", "p.yaml:2: character U+0001 is not allowed"),
        ('ok: 1\na: "\\0"\n', "p.yaml:2: control character U+0000 in a value"),
        ('"\\e[2K": 1\n', "p.yaml:1: control character U+001B in a value"),
        ('a: "\\ud800"\n', "p.yaml:1: not YAML: while parsing a quoted scalar"),
        ("a: 9223372036854775808\n", "p.yaml:1: a whole number beyond 64 bits"),
        (f"a: {'9' * 5000}\n", "p.yaml:1: a whole number beyond 64 bits"),
        (f"a: 0x{'f' * 5000}\n", "p.yaml:1: a whole number beyond 64 bits"),
    ],
)
def test_refused_with_its_place(text: str, message: str) -> None:
    assert refusal(text)[0].startswith(message)


def test_every_problem_is_told_at_once() -> None:
    text = "a: &x 1\na: 2\nb: *x\nc: !t 3\n"
    assert [m.split(";")[0] for m in refusal(text)] == [
        "p.yaml:1: anchor &x",
        "p.yaml:2: duplicate key 'a'",
        "p.yaml:3: alias *x",
        "p.yaml:4: tag !t",
    ]


def test_a_key_given_three_times_is_two_problems() -> None:
    assert len(refusal("a: 1\na: 2\na: 3\n")) == 2


@pytest.mark.parametrize("character", ["\r", "\x85", "\u2028", "\u2029", "\u202e", "\u2066"])
def test_a_comment_cannot_hide_a_key(character: str) -> None:
    """`# note<LS>severity: info` is a comment to the eye and a key to YAML 1.1 readers."""
    message = refusal(f"a: 1\n# harmless{character}b: 2\n")[0]
    assert message.startswith(f"p.yaml:2: hidden character U+{ord(character):04X}")


@pytest.mark.parametrize(
    ("bad", "place"),
    [(b"a: \xff\n", "p.yaml:1: byte 3"), (b"a: 1\nb: \xc3(\n", "p.yaml:2: byte 8")],
)
def test_only_utf8_is_read(bad: bytes, place: str) -> None:
    assert refusal(bad)[0].startswith(f"{place} is not UTF-8")


def test_utf16_is_refused() -> None:
    assert "not UTF-8" in refusal("a: 1\n".encode("utf-16"))[0]


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    document = parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "p.yaml")
    assert document.tree == {"a": 1, "b": 2}
    assert document.line(("b",)) == 2


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 0.001), ("1E3", 1000.0), ("1.", 1.0), (".5", 0.5), ("-0.25", -0.25),
        ("010", 10), ("0o10", 8), ("0x1F", 31), ("+7", 7), ("0b1", "0b1"), ("1_000", "1_000"),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("~", None), ("null", None), ("NULL", None), ("", None), ("nULL", "nULL"),
        ("12:30:45", "12:30:45"), ("2027-06-30", "2027-06-30"), ("3.2.0", "3.2.0"),
        ("2027-06-30T00:00:00Z", "2027-06-30T00:00:00Z"), ("=", "="), ("'1'", "1"), ('"no"', "no"),
        ("-9223372036854775808", -(2**63)), ("1e999", math.inf), (".inf", math.inf),
        ("-.INF", -math.inf), ("|\n  x", "x\n"), ("-.nan", "-.nan"), (".iNf", ".iNf"),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(written: str, value: object) -> None:
    read_value = read(f"a: {written}\n").tree["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_nan_is_read_as_nan() -> None:
    assert math.isnan(read("a: .NaN\n").tree["a"])


def test_keys_are_text_as_written() -> None:
    """`on: current` is a key called on, and `1`, `1.0` and `true` are three keys, not one."""
    tree = read("on: a\n1: b\n1.0: c\ntrue: d\n~: e\n010: f\n'<<': g\n").tree
    assert tree == {"on": "a", "1": "b", "1.0": "c", "true": "d", "~": "e", "010": "f", "<<": "g"}


def test_lines_are_those_of_keys_and_items() -> None:
    document = read("a: 1\n\nb:\n  c:\n    - x\n    - d: 1\n      e:\n        - 2\n")
    wanted: dict[text_module.Path, int] = {
        ("a",): 1, ("b",): 3, ("b", "c"): 4, ("b", "c", 0): 5, ("b", "c", 1): 6,
        ("b", "c", 1, "d"): 6, ("b", "c", 1, "e"): 7, ("b", "c", 1, "e", 0): 8,
    }  # fmt: skip
    assert {path: document.line(path) for path in wanted} == wanted
    assert document.line(("b", "c", 1, "nowhere", 4)) == 6
    assert document.line(("nowhere",)) == 1
    assert document.line() == 1


@pytest.mark.parametrize("root", ["- 1\n- 2\n", "text\n", "7\n"])
def test_any_root_is_read(root: str) -> None:
    assert read(root).tree in ([1, 2], "text", 7)


def test_depth_is_limited_and_the_limit_is_allowed() -> None:
    deep = text_module.MAX_DEPTH
    assert read("[" * deep + "]" * deep).tree is not None
    assert refusal("[" * (deep + 1) + "]" * (deep + 1)) == [
        "p.yaml:1: nested more than 32 levels deep"
    ]


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? "])
def test_five_thousand_levels_are_a_refusal_not_a_crash(unit: str) -> None:
    assert (
        "nested more than 32" in refusal(unit * 5000)[-1]
        or "list or a mapping" in refusal(unit * 5000)[-1]
    )


def test_nodes_are_limited_and_the_limit_is_allowed() -> None:
    most = text_module.MAX_NODES - 1
    assert len(read("\n".join(["- 1"] * most)).tree) == most
    assert "more than 10,000" in refusal("\n".join(["- 1"] * (most + 1)))[0]


def test_bytes_are_limited_and_the_limit_is_allowed() -> None:
    most = text_module.MAX_BYTES
    assert read("a".ljust(most, "a")).tree == "a" * most
    assert refusal("a" * (most + 1)) == [
        "p.yaml: the text has 1,000,001 bytes, at most 1,000,000 are read"
    ]


def test_an_alias_bomb_costs_nothing() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
    )
    assert any("alias *a0" in message for message in refusal(bomb))


def test_directives_whose_time_would_grow_with_their_square_are_refused_at_once() -> None:
    started = time.thread_time()
    assert refusal("".join(f"%TAG !{n:x}! x\n" for n in range(60_000)) + "--- a\n") == [
        "p.yaml: more than 64 %TAG directives; remove them"
    ]
    assert time.thread_time() - started < 2


def test_a_megabyte_is_read_in_well_under_two_seconds() -> None:
    line = f"k%05d: {'v' * 190}\n"
    text = "".join(line % i for i in range(4990)).encode()
    started = time.thread_time()  # of the processor: other processes may be in the way
    assert len(parse(text, "p.yaml").tree) == 4990
    assert time.thread_time() - started < 2


def problems_of(data: bytes) -> tuple[Problem, ...] | None:
    """Give the problems of *data*, None if it was read; anything else escapes."""
    try:
        parse(data, "p.yaml")
    except PolicyError as error:
        return error.problems
    return None


@law(300)
@given(st.binary(max_size=300))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    assert problems_of(data) != (), "a refusal without a problem helps nobody"


PIECES = [
    *("a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x", "*x", "!t ", "!!int ", "<<", "?"),
    *("|", ">", "'", '"', "\\u00", "\\UFFFFFFFF", "\\ud800", "%TAG", "---", "...", "#", "\t"),
    *("1e9", "~", "\r", "\ufeff", "é", "\x00"),
]


@pytest.mark.parametrize("loader", [yaml.CSafeLoader, yaml.SafeLoader])
def test_scraps_of_yaml_are_read_or_refused_by_both_parsers(
    loader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyYAML without libyaml falls back to pure Python, whose scanner fails in other ways."""
    monkeypatch.setattr(text_module, "_LOADER", loader)

    @law(300, database=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=25))
    def scraps(pieces: list[str]) -> None:
        assert problems_of("".join(pieces).encode()) != ()

    scraps()


def test_a_surrogate_is_refused_by_the_python_parser_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "_LOADER", yaml.SafeLoader)
    assert "control character U+D800" in refusal('a: "\\ud800"\n')[0]
    assert "escape" in refusal('a: "\\UFFFFFFFF"\n')[0]


class Plain(yaml.SafeDumper):
    """PyYAML's writer, kept from writing equal empty values as aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("abc:#'-[ ", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:", min_size=1), inner),
    max_leaves=12,
)


@law(200)
@given(plain_json.filter(lambda tree: tree is not None))
def test_what_pyyaml_writes_is_read_back(tree: Any) -> None:
    """A foreign writer as oracle: every value it writes comes back as the same value."""
    written = yaml.dump(tree, Dumper=Plain, default_style='"' if isinstance(tree, str) else None)
    assert parse(written.replace("!!str ", "").encode(), "p.yaml").tree == tree
