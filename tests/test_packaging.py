"""What the registry, the bundle, the container and the one-click links say about the server is true."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from jsonschema import Draft202012Validator

from hybrid_mcp import __version__
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.install.clients import CLIENTS
from hybrid_mcp.install.links import ANYWHERE, cursor_link, vscode_link
from tests.support_e2e import session

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "docs" / "clients.md"]


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def module(name: str) -> ModuleType:
    """A script that is no part of the package."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_the_registry_takes_the_servers_description():
    validator: Any = Draft202012Validator(read("tests/data/server_schema.json"))
    described = read("server.json")
    assert [error.message for error in validator.iter_errors(described)] == []
    assert list(validator.iter_errors({**described, "description": "x" * 101}))
    assert {described["version"], *(one["version"] for one in described["packages"])} == {__version__}


def test_the_registry_finds_its_name_in_the_package_that_it_names():
    described = read("server.json")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [one["identifier"] for one in described["packages"]] == [project["name"]]
    readme = (ROOT / project["readme"]).read_text(encoding="utf-8")
    assert re.findall(r"<!-- mcp-name: (\S+) -->", readme) == [described["name"]]
    assert f'io.modelcontextprotocol.server.name="{described["name"]}"' in dockerfile()


def test_every_key_that_a_vendor_takes_is_announced_as_a_secret():
    [package] = read("server.json")["packages"]
    secret = [one["name"] for one in package["environmentVariables"] if one.get("isSecret")]
    assert sorted(secret) == sorted(row.api_key_env[0] for row in VENDORS.values() if row.api_key_env)


def test_the_bundle_asks_for_keys_as_secrets_and_passes_nothing_that_it_did_not_ask_for():
    manifest = read("packaging/mcpb/manifest.json")
    asked, server = manifest["user_config"], manifest["server"]
    assert (manifest["manifest_version"], manifest["version"], server["type"]) == ("0.4", __version__, "uv")
    passed = server["mcp_config"]["env"]
    assert {f"${{user_config.{name}}}" for name in asked} == set(passed.values())
    for name, one in asked.items():
        # Without a default the words `${user_config...}` themselves could be taken for a key.
        assert one["required"] is False
        assert "default" in one
        assert one.get("sensitive", False) is name.endswith("_api_key")
        assert not name.endswith("_api_key") or passed[name.upper()] == f"${{user_config.{name}}}"


@pytest.mark.anyio
async def test_the_bundle_names_the_tools_that_there_are(tmp_path: Path):
    async with session(tmp_path) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
    assert sorted(one["name"] for one in read("packaging/mcpb/manifest.json")["tools"]) == sorted(tools)


def test_the_bundle_holds_what_builds_the_package_with_every_version_pinned(tmp_path: Path):
    folder = tmp_path / "bundle"
    (folder / "old").mkdir(parents=True)
    module("packaging/mcpb/stage.py").stage(folder)
    assert sorted(one.name for one in folder.iterdir()) == sorted([
        "LICENSE", "README.md", "manifest.json", "profiles", "pyproject.toml", "server", "src", "whitelist.json",
    ])  # fmt: skip
    ours = sorted(one.relative_to(ROOT) for one in (ROOT / "src" / "hybrid_mcp").rglob("*.py"))
    assert sorted(one.relative_to(folder) for one in (folder / "src").rglob("*.py")) == ours
    uv = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]
    locked = re.findall(r"^([a-z0-9.-]+==\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert [pin.split(" ")[0] for pin in uv["constraint-dependencies"]] == locked
    assert len(locked) > 30


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_runs_the_server_as_nobody_special_with_the_folder_that_stays():
    text = dockerfile().replace("\\\n", " ")
    instructions = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith(("#", " "))]
    last = dict(instructions)
    assert last["ENTRYPOINT"] == '["hybrid-mcp"]'
    assert (last["USER"], last["VOLUME"]) == ("hybrid", "/data")
    assert "HYBRID_MCP_HOME=/data" in last["ENV"]
    assert f'org.opencontainers.image.version="{__version__}"' in last["LABEL"]
    assert text.count("--require-hashes") == 1
    copied = [rest.split()[:-1] for word, rest in instructions if word == "COPY" and "--from" not in rest]
    sources = [one.removeprefix("./") for row in copied for one in row]
    assert all((ROOT / one).exists() for one in sources)
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{one}" for one in sources} == {line for line in allowed if line.startswith("!")}


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def test_the_images_health_is_asked_over_http_alone():
    check = module("packaging/healthcheck.py")
    assert check.healthy(b"python\0hybrid-mcp\0serve\0")
    assert [check.port(words) for words in (["--http"], ["--http", "--port", "9"], ["--port=7", "--http"])] == [
        "8000", "9", "7",
    ]  # fmt: skip
    server = HTTPServer(("127.0.0.1", 0), Health)
    command = f"hybrid-mcp\0serve\0--http\0--port\0{server.server_port}\0".encode()
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        assert check.healthy(command)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not check.healthy(command)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_click_installs_what_the_command_writes(path: Path):
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"https://(?:vscode\.dev|cursor\.com)/\S*\?name=[^\s)]+|(?:vscode|cursor):[^\s`]+", text)
    assert {"vscode", "cursor"} <= {client_of(link) for link in links}
    for link in links:
        assert installed_by(link) == ("hybrid", ANYWHERE.fields(CLIENTS[client_of(link)]))


def test_the_links_in_the_docs_are_the_ones_that_the_program_makes():
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    assert f"`{vscode_link('hybrid')}`" in text
    assert f"`{cursor_link('hybrid')}`" in text


def client_of(link: str) -> Any:
    return "cursor" if "cursor" in link else "vscode"


def installed_by(link: str) -> tuple[str, Any]:
    """The server's name and its entry."""
    query = urlsplit(link).query
    if link.startswith("vscode:"):
        entry = json.loads(unquote(query))
        return entry.pop("name"), entry
    fields = parse_qs(query, strict_parsing=True)
    [name], [config] = fields["name"], fields["config"]
    return name, json.loads(base64.b64decode(config) if "cursor" in link else config)
