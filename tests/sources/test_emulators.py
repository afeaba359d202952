"""Google's and Azure's stores, against emulators where they are installed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from aims_gate.documents.store_uris import parse_place
from aims_gate.errors import GateError, SourceError
from aims_gate.sources.remote import fetch
from aims_gate.sources.subject import Workspace
from tests.sources.stores import ROWS, opened, workspace
from tests.support.servers import free_port, running


def stored(system: Any) -> None:
    """Put a few objects into the bucket or container `ml-data`."""
    system.create_dir("ml-data")
    for key, content in (
        ("ml-data/eval/rows.csv", ROWS),
        ("ml-data/eval/lake/year=2025/a.jsonl", b'{"y": 0}\n'),
        ("ml-data/secret/rows.csv", ROWS),
    ):
        with system.open_output_stream(key) as sink:
            sink.write(content)


def holds(root: str, space: Workspace) -> None:
    """A file and a folder are read, what is not there is not, and limits hold."""
    data, told = opened(space, source=f"{root}/eval/rows.csv", allow=(f"{root}/eval/",))
    assert told == ""
    assert data is not None
    assert data.identity.digest == hashlib.sha256(ROWS).hexdigest()
    assert data.read_twice is not None
    assert data.read_twice() == data.identity.digest
    below = fetch(parse_place(f"{root}/eval"), space)
    assert sorted(str(p.relative_to(below.path)) for p in below.path.rglob("*") if p.is_file()) == [
        "lake/year=2025/a.jsonl",
        "rows.csv",
    ]
    for missing in (f"{root}/eval/no.csv", f"{root}/none"):
        with pytest.raises(SourceError, match="no such object"):
            fetch(parse_place(missing), space)
    with pytest.raises(SourceError, match="more bytes than allowed"):
        fetch(parse_place(f"{root}/eval/rows.csv"), replace(space, max_bytes=len(ROWS) - 1))
    data, told = opened(space, source=f"{root}/secret/rows.csv", allow=(f"{root}/eval/",))
    assert data is None
    assert "does not permit" in told


@pytest.mark.tool("gcp-storage-emulator")
def test_a_bucket_of_google_is_read(tmp_path: Path) -> None:
    """With an emulator that speaks Google's API, at the address its own clients would take."""
    port = free_port()
    command = ("gcp-storage-emulator", "start", "--host=127.0.0.1", f"--port={port}", "--in-memory")
    with running(command, port, {}) as url:
        host = url.removeprefix("http://")
        stored(
            fs.GcsFileSystem(anonymous=True, scheme="http", endpoint_override=host, project_id="p")
        )
        for number, address in enumerate((url, host)):
            environ = {"STORAGE_EMULATOR_HOST": address}
            holds("gs://ml-data", workspace(tmp_path / str(number), environ))


@pytest.mark.tool("azurite-blob")
def test_a_container_of_azure_is_read(tmp_path: Path) -> None:
    """With the emulator that Microsoft ships, by a connection string as its own tools take it."""
    port, account, key = free_port(), "acc0unt", base64.b64encode(b"k" * 32).decode()
    place = ("--blobHost", "127.0.0.1", "--blobPort", str(port))
    command = ("azurite-blob", "--silent", "--skipApiVersionCheck", "--inMemoryPersistence", *place)
    with running(command, port, {"AZURITE_ACCOUNTS": f"{account}:{key}"}) as url:
        host = url.removeprefix("http://")
        options = {f"{service}_storage_scheme": "http" for service in ("blob", "dfs")}
        options |= {f"{service}_storage_authority": host for service in ("blob", "dfs")}
        stored(fs.AzureFileSystem(account_name=account, account_key=key, **options))
        told = f"AccountName={account};AccountKey={key};BlobEndpoint={url}/{account};"
        environ = {"AZURE_STORAGE_CONNECTION_STRING": told}
        root = f"abfss://ml-data@{account}.dfs.core.windows.net"
        holds(root, workspace(tmp_path / "a", environ))
        environ = {
            "AZURE_STORAGE_CONNECTION_STRING": told.replace(key, key[::-1].replace("=", "") + "=")
        }
        with pytest.raises(SourceError, match="cannot read it") as caught:
            fetch(parse_place(f"{root}/eval/rows.csv"), workspace(tmp_path / "b", environ))
        assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "environ"),
    [
        ("gs://ml-data/x.csv", {"STORAGE_EMULATOR_HOST": "ftp://h"}),
        (
            "abfss://eval@acc0unt.dfs.core.windows.net/x.csv",
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=acc0unt;BlobEndpoint=ftp://h/acc0unt"},
        ),
    ],
)
def test_an_emulator_that_is_no_server_is_refused(
    tmp_path: Path, uri: str, environ: dict[str, str]
) -> None:
    with pytest.raises(GateError, match="is not the URL of a server"):
        fetch(parse_place(uri), workspace(tmp_path, environ))
