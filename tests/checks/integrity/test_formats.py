"""Formats: what is known to be data by its structure, and what is refused by name."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
from pyarrow import feather, parquet

from aims_gate.checks.integrity.formats import flagged, look
from aims_gate.errors import SourceError
from tests.support.registry_content import write

DENY = frozenset({"pickle", "cloudpickle", "joblib", "torch"})
PICKLE = pickle.dumps({"a": 1})
OLD = b"cos\nsystem\n(S'true'\ntR."


class Bomb:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.system, ("true",)


def kinds(folder: Path, name: str, content: bytes) -> set[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return set(look(folder, name)[0].kinds)


def archive(members: dict[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packed) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def dumped(write_to: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write_to(stream)
    return stream.getvalue()


def joblib_of(compress: Any) -> bytes:
    return dumped(lambda stream: joblib.dump(Bomb(), stream, compress=compress))


NUMBERS = [
    *(b"I0x1", b"I 0X_1f ", b"I-0b1", b"I0o17", b"I017", b"I01", b"I+1_0", b"I\t\v1\r"),
    *(b"L0x10L", b"L-0x1", b"L0x1", b"L1_0L", b"L-0b1L", b"L" + b" " * 9000 + b"0xa"),
    *(b"Finf", b"F-Infinity", b"FNaN", b"F.5", b"F5.", b"F1_0.5e+1_0", b"F" + b"0" * 9000),
    *(b"I1\np 0_1 \ng+1", b"I1\np+00\ng-0", b"I1\np" + b" " * 9000 + b"1\ng" + b"0" * 4000 + b"1"),
    *(b"V\\u0041'", b"S''", b"I1\0x", b"I\0x", b"F1\0x", b"L1\0xL"),
]
"""Lines of text that one of CPython's two unpicklers reads, each with a value left to drop."""

LAST = max(pickle.HIGHEST_PROTOCOL, 4)
PICKLES = {
    **{f"protocol {n}": pickle.dumps(Bomb(), protocol=n) for n in range(LAST + 1)},
    "protocol 0 of an instance": b"(S'true'\nios\nsystem\n.",
    "NONE before it": b"N0" + OLD,
    "plain values before it": b"(I1\nI2\nlp0\n0" + OLD,
    "a mark before it": b"(1" + OLD,
    "another pickle before it": b"I1\n." + OLD,
    "FRAME before it": pickle.dumps(Bomb(), protocol=4)[2:],
    "PROTO 0 before it": b"\x80\x00" + OLD,
    "no end": OLD[:-1],
    "rubbish behind it": OLD + b"\xff\x00 rubbish",
    "rubbish in place of its end": OLD[:-1] + b"\xff\x00",
    "only an import": b"cantigravity\nfly\n.",
    "only values, protocol 0": pickle.dumps({"a": [1, 2.5, "x", None]}, protocol=0),
    "only values, protocol 1": pickle.dumps([1, 2], protocol=1),
    "a long line before it": b"S'" + b"a" * 3_000_000 + b"'\n0" + OLD,
    "more instructions than anybody needs": b"N0" * 150_000 + OLD,
    "BUILD": b"cos\n_Environ\n)\x81}b.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "cloudpickle": cloudpickle.dumps(lambda: 1),
    **{f"joblib {c}": joblib_of(c) for c in (0, "gzip", "bz2", "xz", "lzma", "zlib")},
    "gzip cut short": gzip.compress(PICKLE + b"x" * 99, mtime=0)[:-9],
    "gzip of gzip": gzip.compress(gzip.compress(OLD, mtime=0), mtime=0),
    "bz2": bz2.compress(OLD),
    "xz": lzma.compress(OLD),
    "lzma alone": lzma.compress(OLD, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress(OLD),
    "array of objects": npy(np.array([{"a": 1}], dtype=object)),
    "array of structures with objects": npy(np.zeros(1, dtype=[("a", "i4"), ("b", "O")])),
    "in an archive": archive({"weights": PICKLE}),
    "protocol 0 in a packed archive": archive({"a.txt": OLD}, zipfile.ZIP_DEFLATED),
    "in an archive in an archive": archive({"x": archive({"y": OLD})}),
    "npz of objects": dumped(lambda s: np.savez(s, a=np.array([{}], dtype=object))),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_found_however_it_begins_and_whatever_its_name(
    tmp_path: Path, name: str
) -> None:
    for path in ("model.bin", "notes.txt", "model.skops"):
        assert "pickle" in kinds(tmp_path, path, PICKLES[name])


@pytest.mark.parametrize("number", range(len(NUMBERS)))
def test_a_line_of_text_is_read_as_an_unpickler_does(tmp_path: Path, number: int) -> None:
    """CPython is asked too, so that no line here is one that nobody would read."""
    before = NUMBERS[number] + b"\n0" + b"0" * NUMBERS[number].count(b"\ng")
    assert reads(before + b"N.")
    for content in (before + OLD, before + OLD[:-1]):
        for path in ("model", "notes.txt", "a.csv", "README.md", "a.json"):
            assert kinds(tmp_path, path, content) == {"pickle"}
        assert kinds(tmp_path, "a.csv.gz", gzip.compress(content, mtime=0)) == {"pickle"}
        assert kinds(tmp_path, "a.zip", archive({"a.txt": content})) == {"pickle"}


def reads(content: bytes) -> bool:
    for load in (pickle.loads, pickle._loads):  # type: ignore[attr-defined]  # noqa: S301
        with contextlib.suppress(ValueError, pickle.UnpicklingError):
            return load(content) is None
    return False


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.pkl", {"pickle"}),
        ("A.PKL", {"pickle"}),
        ("a.pkl.gz", {"pickle"}),
        ("a.joblib", {"joblib", "pickle"}),
        ("a.pt", {"torch", "pickle"}),
        ("custom_objects.cloudpickle", {"cloudpickle", "pickle"}),
        ("code/a.py", {"code"}),
        ("a.so", {"code"}),
    ],
)
def test_a_name_is_a_claim_that_counts(tmp_path: Path, path: str, found: set[str]) -> None:
    for content in (b"", b"text", archive({"a.txt": b"x"})):
        assert kinds(tmp_path, path, content) == found


def safetensors(header: object, size: int, head: bytes | None = None) -> bytes:
    text = json.dumps(header).encode() if head is None else head
    return struct.pack("<Q", len(text)) + text + b"\x00" * size


TENSOR = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
PADDED = json.dumps(TENSOR).encode().ljust(640)
DATA = {
    "empty": b"",
    "prose": "N.B. Für cos und R.".encode(),
    "requirements": b"catboost\nnumpy\npandas\n",
    "pickle instructions of no sense": b"col\nabc\nRabbit\n",
    "x is 0x78": b"x is 0x78 and not zlib",
    "table": b"c1,c2\n1,2\n0.5,3\n",
    "pmml": b"<?xml version='1.0'?><PMML version='4.4'></PMML>",
    "npy": npy(np.arange(3.0)),
    "npy of text": npy(np.array(["a", "bb"])),
    "npz": dumped(lambda s: np.savez_compressed(s, a=np.arange(3), b=np.zeros((2, 2)))),
    "sparse": dumped(lambda s: scipy.sparse.save_npz(s, scipy.sparse.eye(3).tocsr())),
    "parquet": dumped(lambda s: parquet.write_table(pa.table({"a": [1]}), s)),
    "feather": dumped(lambda s: feather.write_feather(pa.table({"a": [1]}), s)),
    "safetensors": safetensors({"__metadata__": {"format": "pt"}, **TENSOR}, 8),
    "safetensors that begin like a pickle": safetensors(None, 8, PADDED),
    "gzip of text": gzip.compress(b"a,b\n1,2\n", mtime=0),
    "archive of text": archive({"a.json": b"{}", "b/": b"", "b/c.csv": b"a\n1\n"}),
    "crc": b"crc\x00\x00\x00\x02\x00abcd",
}


@pytest.mark.parametrize("name", DATA)
def test_what_is_known_to_be_data_by_its_structure_passes(tmp_path: Path, name: str) -> None:
    assert kinds(tmp_path, "model.data", DATA[name]) == set()


ZIP = archive({"a.txt": b"x"})
UNKNOWN = {
    "bytes": b"\x00\x01\x02",
    "latin-1": b"caf\xe9",
    "gzip of bytes": gzip.compress(b"\x00\x01", mtime=0),
    "no gzip": b"\x1f\x8bnot gzip",
    "archive behind other bytes": b"#!" + ZIP,
    "archive behind a first member": b"PK\x03\x04" + ZIP,
    "archive behind safetensors": safetensors(
        {"w": {"dtype": "U8", "shape": [len(ZIP)], "data_offsets": [0, len(ZIP)]}}, 0
    )
    + ZIP,
    "broken archive": ZIP[:-9],
    "empty archive": archive({}),
    "archive with bytes in it": archive({"a.txt": b"x", "b": b"\x00\xff"}),
    "archives in archives": archive({"a": archive({"b": archive({"c": ZIP})})}),
    "npy cut short": npy(np.arange(3.0))[:-1],
    "npy with more": npy(np.arange(3.0)) + b"x",
    "npy without header": b"\x93NUMPY\x01\x00\x09\x00{'shape':",
    "npy of version 9": b"\x93NUMPY\x09\x00\x09\x00{}",
    "parquet without end": b"PAR1 and nothing",
    "arrow without end": b"ARROW1 and nothing",
    "keras in hdf5": b"\x89HDF\r\n\x1a\n model_config {}",
    "pandas in hdf5, which may hold pickles": b"\x89HDF\r\n\x1a\n PYTABLES_FORMAT_VERSION",
    "catboost without end": b"CBM1\xff\x00\x00\x00x",
    "safetensors that overlap": safetensors({**TENSOR, "v": TENSOR["w"]}, 8),
    "safetensors with more": safetensors(TENSOR, 9),
    "safetensors of no tensors": safetensors({"w": 1}, 8),
    "safetensors without JSON": safetensors(None, 8, b"{'w': 1}"),
    "ubjson with more": b"{i\x01ai\x01}x",
    "ubjson cut short": b"{i\x01a[i\x01",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_is_refused(tmp_path: Path, name: str) -> None:
    assert kinds(tmp_path, "model.data", UNKNOWN[name]) == {"unknown"}


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("model.weights.h5", b"layers", set()),
        ("model.weights.h5", b"keras_version", {"unknown"}),
        ("model.h5", b"layers", {"unknown"}),
    ],
)
def test_hdf5_is_data_as_the_weights_of_keras_only(
    tmp_path: Path, name: str, content: bytes, found: set[str]
) -> None:
    assert kinds(tmp_path, name, b"\x89HDF\r\n\x1a\n" + content) == found


def test_the_torch_archive_is_named_by_its_member(tmp_path: Path) -> None:
    content = archive({"archive/data.pkl": PICKLE, "archive/data/0": b"\x00\x00\x80\x3f"})
    assert kinds(tmp_path, "model.bin", content) == {"torch", "pickle"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"name: env\ndependencies: [python=3.11, {pip: [x]}]\n", set()),
        (b"a: !!str 1\n", set()),
        (b"a: !!python/object/apply:os.system [x]\n", {"code"}),
        (b"%TAG !e! tag:yaml.org,2002:py\n---\n!e!thon/name:os.system\n", {"code"}),
        (b"a: !<tag:yaml.org,2002:%70ython/name:os.system> x\n", {"code"}),
        (b"a: [\n", set()),
        (b"a: \x00\n", {"unknown"}),
        (b"# \n" * 500_000, {"unknown"}),
        (b"#!/bin/sh\n", {"code"}),
    ],
)
def test_yaml_builds_plain_values_or_is_code(tmp_path: Path, text: bytes, found: set[str]) -> None:
    assert kinds(tmp_path, "x.yaml", text) == (found if text[:2] != b"#!" else set())
    assert kinds(tmp_path, "x", text) == ({"code"} if text[:2] == b"#!" else found - {"code"}) or (
        found == {"unknown"}
    )


SKLEARN = (
    "flavors:\n  python_function: {{loader_module: mlflow.sklearn, {}}}\n"
    "  sklearn: {{pickled_model: model.skops, serialization_format: skops, {}}}\n"
)
LGBM = (
    "flavors: {{python_function: {{loader_module: mlflow.lightgbm, data: model.lgb}},"
    " lightgbm: {{data: model.lgb, model_class: {}}}}}"
)
MLMODEL = "flavors:\n  python_function:\n    loader_module: mlflow.{0}\n  {0}:\n    {1}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MLMODEL.format("sklearn", "serialization_format: skops"), set()),
        (MLMODEL.format("catboost", "code: null"), set()),
        (MLMODEL.format("sklearn", "pickled_model: model.bin"), {"pickle"}),
        (
            MLMODEL.format("sklearn", "serialization_format: cloudpickle"),
            {"pickle", "cloudpickle"},
        ),
        ('{"flavors": {"x": {"serialization_format": "Pickle"}}}', {"pickle"}),
        (MLMODEL.format("sklearn", "serialization_format: dill"), {"unknown"}),
        (MLMODEL.format("catboost", "code: code"), {"code"}),
        (MLMODEL.format("langchain", "model_code_path: a.py"), {"code"}),
        ("model_code_path: a.py\n", {"code"}),
        ("flavors: {python_function: {loader_module: mine}}", {"code"}),
        ("flavors: {python_function: {loader_module: mlflow.pyfunc.model}}", {"code"}),
        ("flavors: {python_function: {loader_module: mlflow.pyfunc.loaders.x}}", {"code"}),
        ("flavors: {python_function: {loader_module: [mlflow.sklearn]}}", {"code"}),
        (MLMODEL.format("statsmodels", "data: x"), {"pickle"}),
        (MLMODEL.format("pytorch", "model_data: data"), {"torch", "pickle"}),
        (MLMODEL.format("xgboost", "model_class: xgboost.sklearn.XGBClassifier"), set()),
        (MLMODEL.format("xgboost", "model_class: os.system"), {"code"}),
        (MLMODEL.format("xgboost", "model_class: xgboostevil.X"), {"code"}),
        ("flavors: {pytorch: {model_data: data}}", {"torch", "pickle"}),
        ("flavors: {python_function: {loader_module: mlflow.h2o, data: d}}", {"unknown"}),
        ("flavors: {python_function: {loader_module: mlflow.sklearn}}", {"pickle"}),
        (SKLEARN.format("model_path: model.skops", ""), set()),
        (SKLEARN.format("data: .", ""), set()),
        (SKLEARN.format("data: sub", ""), {"pickle"}),
        (SKLEARN.format("data: sub/notes.txt", ""), {"pickle"}),
        (SKLEARN.format(r"data: sub\\notes.txt", ""), {"pickle"}),
        (SKLEARN.format("data: null", "skops_trusted_types: null"), set()),
        *(
            (SKLEARN.format("x: m", f"skops_trusted_types: [{name}]"), set())
            for name in (
                "sklearn.tree._tree.Tree, numpy.dtype, numpy.float64",
                "scipy.special.expit",
            )
        ),
        *(
            (SKLEARN.format("x: m", f"skops_trusted_types: {name}"), {"unknown"})
            for name in (
                *("[numpy.dtype, os.system]", "os.system", "[builtins.eval]", "[numpy.load]"),
                *(
                    "[subprocess.Popen]",
                    "[sys.exit]",
                    "[pickle.loads]",
                    "[importlib.import_module]",
                ),
                *("[[numpy.dtype]]", "{a: b}", "[sklearn.datasets.fetch_file]", "true"),
            )
        ),
        (LGBM.format("lightgbm.sklearn.LGBMClassifier"), {"pickle", "cloudpickle"}),
        (LGBM.format("null"), {"pickle", "cloudpickle"}),
        (LGBM.format("lightgbm.basic.Booster"), set()),
        (LGBM.format("lightgbm.sklearn.LGBMRegressor, serialization_format: skops"), set()),
        ("a: '" + "x" * (1 << 20) + "'\n", {"unknown"}),
    ],
)
def test_mlmodel_says_what_is_loaded_as_code(tmp_path: Path, text: str, found: set[str]) -> None:
    assert kinds(tmp_path, "metadata/MLmodel", text.encode()) == found


def test_an_mlmodel_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        kinds(tmp_path, "MLmodel", b"flavors: {a: 1}\nflavors: {}\n")


@pytest.mark.parametrize(("module", "found"), [(b"keras\n", set()), (b"antigravity", {"code"})])
def test_the_module_that_is_imported_for_keras_is_keras(
    tmp_path: Path, module: bytes, found: set[str]
) -> None:
    assert kinds(tmp_path, "data/keras_module.txt", module) == found


def test_raw_tensors_belong_to_the_model_that_names_them(tmp_path: Path) -> None:
    """A file of raw numbers is data only where a model in ONNX says so, and never a pickle."""
    real = Path(__file__).parents[2] / "real" / "models" / "onnx-external"
    files = {path.name: path.read_bytes() for path in real.iterdir()}
    folder = write(tmp_path / "m", files)
    assert list(flagged(folder, tuple(files), DENY, frozenset())) == []
    write(folder, {"model.onnx.data": OLD})
    assert [path for path, _ in flagged(folder, tuple(files), DENY, frozenset())] == [
        "model.onnx.data"
    ]
    (folder / "model.onnx").unlink()
    write(folder, {"model.onnx.data": files["model.onnx.data"]})
    rest = tuple(name for name in files if name != "model.onnx")
    assert [path for path, _ in flagged(folder, rest, DENY, frozenset())] == ["model.onnx.data"]


def test_looking_at_a_pickle_does_not_run_it(tmp_path: Path) -> None:
    class Writes:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path, str]]:
            return Path.write_text, (Path(tmp_path / "ran"), "x")

    assert kinds(tmp_path, "model.bin", pickle.dumps(Writes())) == {"pickle"}
    assert not (tmp_path / "ran").exists()
