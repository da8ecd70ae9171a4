"""What `doctor` and `hybrid://health` say of each provider, and of models that are left alone."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hybrid_mcp.app import App, open_app
from hybrid_mcp.checkup import Finding, checkup
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.breaker import Failed
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.providers.diagnosis import Diagnosis
from hybrid_mcp.providers.probing import Probe, probe_all
from tests.providers.test_connect import tls_for
from tests.support_config import write
from tests.support_e2e import run
from tests.support_servers import (
    CLOSED,
    NEVER_LONGER_S,
    OPEN,
    FakeServer,
    Received,
    Reply,
    closed_port_url,
    cloud_spec,
    json_reply,
    local_spec,
    reply_always,
)

pytestmark = pytest.mark.anyio

KEY = "SEALED-KEY-0123456789"
PAID = "local: false, price: {input_per_mtok: 1, output_per_mtok: 2, context: 1000}"
HTML = Reply(content_type="text/html", body=(b"\n <!doctype html><title>SEALED</title>",))
OPEN_TO_LOOPBACK = ("127.0.0.1",)


def models(*names: str, **more: object) -> Reply:
    return json_reply({"object": "list", "data": [{"id": name, "object": "model"} for name in names], **more})


def refusal(status: int, code: str = "some_code") -> Reply:
    return json_reply({"error": {"message": f"SEALED {KEY}", "code": code, "type": "SEALED 1"}}, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One provider of the profile and what surrounds it."""

    row: str
    local_models: Sequence[str] = ()
    cloud_models: Sequence[str] = ()
    cloud_apis: Sequence[str] = OPEN_TO_LOOPBACK
    name: str = "cloudx"

    def write(self, home: Path) -> None:
        profile = f"""\
profile: probed
monthly_budget: 5
routing_rules:
  local_models: {json.dumps([*self.local_models, "embedded:smollm2"])}
  cloud_models: {json.dumps([*self.cloud_models])}
providers:
  {self.name}: {self.row}
"""
        write(home / "profiles" / "probed.yaml", profile)
        write(home / "whitelist.json", json.dumps({"cloud_apis": [*self.cloud_apis]}))

    def open(self, home: Path, *, airgap: bool = False, **env: str) -> App:
        self.write(home)
        return open_app(load_settings(environ=env, home=home, profile="probed", airgap=airgap), Silent())

    async def finding(self, home: Path, *, airgap: bool = False, **env: str) -> Finding:
        app = self.open(home, airgap=airgap, **{"CLOUDX_KEY": KEY, **env})
        found = await findings(app)
        return found[self.name]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no failing provider."""
    monkeypatch.setattr("hybrid_mcp.providers.probing.LIMIT_S", NEVER_LONGER_S)


async def findings(app: App) -> dict[str, Finding]:
    """What stands behind the fixed rows, by name; and the application is closed."""
    try:
        found = await checkup(app, whole_ledger=False)
    finally:
        await app.aclose()
    assert "SEALED" not in str(found)
    return {one.what: one for one in found}


def cloud(url: str, *wanted: str, kind: str = "openai", more: str = "api_key_env: CLOUDX_KEY, ") -> Setup:
    names = [f"cloudx:{name}" for name in wanted or ("big",)]
    return Setup(row=f'{{kind: {kind}, base_url: "{url}", {more}{PAID}}}', cloud_models=names)


def here(url: str, *wanted: str, kind: str = "openai") -> Setup:
    names = [f"here:{name}" for name in wanted]
    return Setup(row=f'{{kind: {kind}, base_url: "{url}", local: true}}', name="here", local_models=names)


class Matching(str):
    """Equal to any one-line text in which the expression is found."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.isprintable() and re.search(str(self), other) is not None

    __hash__ = str.__hash__


async def test_a_vendor_that_answers_is_told_with_what_was_seen(tmp_path: Path):
    with FakeServer(reply_always(models("big", "small"))) as server:
        one = await cloud(f"{server.url}/v1").finding(tmp_path)
        [asked] = server.requests
    assert one.state == "ok"
    assert "2 models listed in" in one.detail
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("GET", "/v1/models", f"Bearer {KEY}")


@pytest.mark.parametrize(
    ("reply", "state", "told"),
    [
        (refusal(401, "invalid_api_key"), "broken", r"refuses the key \(HTTP 401, invalid_api_key\).*: check CLOUDX_K"),
        (refusal(403), "broken", r"refuses the key \(HTTP 403, some_code\)"),
        (refusal(400), "broken", r"refuses the key \(HTTP 400"),
        (refusal(402), "broken", r"no credit left \(HTTP 402.* top it up"),
        (refusal(429, "insufficient_quota"), "broken", r"no credit left \(HTTP 429, insufficient_quota\)"),
        (refusal(429), "note", r"asked too often \(HTTP 429"),
        (refusal(404), "ok", r"it has no model list"),
        (replace(HTML, status=404), "broken", r"is no model API but a web page.*check base_url"),
        (HTML, "broken", r"is no model API but a web page.*check base_url"),
        (json_reply({"hello": "SEALED"}), "note", r"no model list: check base_url and kind"),
        (json_reply([{"hello": "SEALED"}]), "note", r"no model list: check base_url and kind"),
        (Reply(body=(b"SEALED",)), "note", r"no model list: check base_url and kind"),
        (Reply(body=(b"[" * 100_000,)), "note", r"no model list: check base_url and kind"),
        (refusal(503), "broken", r"answers, but fails \(HTTP 503"),
        (refusal(418), "broken", r"refuses to tell its models \(HTTP 418"),
        (Reply(body=("cut",)), "broken", r"broke off, or speaks no HTTP"),
        (Reply(body=(b"x" * 1_000_000,) * 5), "ok", r"its model list is too long"),
        (models("bigger", "small"), "broken", r"has no model big: did you mean bigger\?"),
        (models("quite-another"), "broken", r"has no model big: see the provider's own list"),
        (models("bigger", has_more=True), "ok", r"1 model listed in"),
        (models("bigger", next="SEALED"), "ok", r"1 model listed in"),
        (models("big\x1b[2J", "big\nbig", "small"), "broken", r"has no model big: see"),
        (json_reply([{"id": "big"}]), "ok", r"1 model listed in"),
        (models("models/big"), "ok", r"1 model listed in"),
        (models("big-20260101"), "ok", r"1 model listed in"),
        (models("big-latest"), "ok", r"1 model listed in"),
    ],
)  # fmt: skip
async def test_each_failure_of_a_vendor_says_what_to_do(tmp_path: Path, reply: Reply, state: str, told: str):
    with FakeServer(reply_always(reply)) as server:
        one = await cloud(server.url).finding(tmp_path)
    assert one == Finding(what="cloudx", state=state, detail=Matching(told))  # pyright: ignore[reportArgumentType]


async def test_variants_that_routers_take_and_do_not_list_are_known(tmp_path: Path):
    with FakeServer(reply_always(models("lab/big", "lab/small:free"))) as server:
        fine = await cloud(server.url, "lab/big:nitro", "lab/small:free", "models/lab/big").finding(tmp_path)
        wrong = await cloud(server.url, "lab/bug:nitro").finding(tmp_path)
    assert (fine.state, wrong.state) == ("ok", "broken")
    assert "did you mean lab/big" in wrong.detail


async def test_a_redirect_is_told_and_not_followed(tmp_path: Path):
    with FakeServer(reply_always(models("big"))) as other:
        moved = Reply(status=302, headers={"Location": f"{other.url}/models"})
        with FakeServer(reply_always(moved)) as server:
            one = await cloud(server.url).finding(tmp_path)
        assert other.requests == []
    assert one.state == "broken"
    assert "points to another address (HTTP 302)" in one.detail


@pytest.mark.parametrize("airgap", [True, False])
async def test_whom_the_owner_does_not_allow_is_not_contacted(tmp_path: Path, airgap: bool):
    with FakeServer(reply_always(models("big"))) as server:
        setup = cloud(server.url)
        if not airgap:
            setup = replace(setup, cloud_apis=())
        one = await setup.finding(tmp_path, airgap=airgap)
        assert server.requests == []
    assert (one.state, "was not contacted" in one.detail) == ("note" if airgap else "broken", True)
    assert ("airgap is on" if airgap else "add_to_whitelist (cloud_apis, 127.0.0.1)") in one.detail


async def test_without_its_key_a_vendor_is_not_asked(tmp_path: Path):
    with FakeServer(reply_always(models("big"))) as server:
        app = cloud(server.url).open(tmp_path)
        one = (await findings(app))["cloudx"]
        assert server.requests == []
    assert one == Finding(what="cloudx", state="note", detail="no key: set CLOUDX_KEY to use it")


async def test_a_server_that_wants_a_key_which_nobody_declared_says_so(tmp_path: Path):
    with FakeServer(reply_always(refusal(401))) as server:
        one = await cloud(server.url, more="").finding(tmp_path)
    assert one.state == "broken"
    assert "wants a key (HTTP 401, some_code): declare the variable that holds its key (`api_key_env`" in one.detail


async def test_a_vendor_that_is_down_says_where_it_was_sought(tmp_path: Path):
    url = closed_port_url()
    one = await cloud(url).finding(tmp_path)
    assert one.state == "broken"
    assert f"nothing answers at {url}: check the network" in one.detail


async def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path):
    tls, _ = tls_for("localhost", tmp_path)
    with FakeServer(reply_always(models("big")), tls=tls) as server:
        one = await cloud(server.url).finding(tmp_path)
        assert server.requests == []
    assert one.state == "broken"
    assert "shows a certificate that does not hold (self-signed certificate)" in one.detail


async def test_https_to_a_server_that_speaks_plain_http_is_told(tmp_path: Path):
    with FakeServer(reply_always(models("big"))) as server:
        one = await cloud(server.url.replace("http:", "https:")).finding(tmp_path)
    assert one.state == "broken"
    assert "no TLS connection to 127.0.0.1 comes about" in one.detail


async def test_anthropic_gets_its_own_headers_and_may_list_in_pages(tmp_path: Path):
    def script(received: Received) -> Reply:
        right = received.headers.get("x-api-key") == KEY and received.headers.get("anthropic-version") == "2023-06-01"
        return models("big-20260101", has_more=False) if right else refusal(401, "authentication_error")

    with FakeServer(script) as server:
        setup = cloud(server.url, kind="anthropic")
        fine, wrong = await setup.finding(tmp_path), await setup.finding(tmp_path, CLOUDX_KEY="SEALED-other")
        assert {request.path.partition("?")[0] for request in server.requests} == {"/v1/models"}
        assert not any("authorization" in request.headers for request in server.requests)
    assert fine.state == "ok"
    assert wrong.state == "broken"
    assert "refuses the key (HTTP 401, authentication_error)" in wrong.detail


def ollama(version: object, *names: str) -> Callable[[Received], Reply]:
    tags = json_reply({"models": [{"name": name} for name in names]})
    return lambda received: tags if received.path == "/api/tags" else json_reply({"version": version})


@pytest.mark.parametrize(
    ("version", "names", "wanted", "state", "told"),
    [
        ("0.9.3", ["qwen2.5:7b", "llama3:latest"], ["llama3", "qwen2.5:7b"], "ok", r"Ollama 0\.9\.3; 2 models .*qwen2"),
        ("0.4.7", ["llama3:latest"], [], "broken", r"Ollama 0\.4\.7 is too old: install 0\.5\.0 or newer"),
        ("0.5.0-rc1", ["llama3:latest"], [], "ok", r"Ollama 0\.5\.0;"),
        ("0.0.0", ["llama3:latest"], [], "ok", r"Ollama 0\.0\.0;"),
        ("SEALED", ["llama3:latest"], [], "broken", r"it is no Ollama: check base_url and kind"),
        (None, ["llama3:latest"], [], "broken", r"it is no Ollama: check base_url and kind"),
        ("0.9.3", [], [], "note", r"has no model: `ollama pull` one"),
        ("0.9.3", ["qwen2.5:7b"], ["qwen2.5:3b"], "broken",
         r"has no model qwen2\.5:3b: run `ollama pull qwen2\.5:3b`, or did you mean qwen2\.5:7b\?"),
    ],
)  # fmt: skip
async def test_ollama_is_asked_for_its_version_and_its_models(
    tmp_path: Path, version: object, names: list[str], wanted: list[str], state: str, told: str
):
    with FakeServer(ollama(version, *names)) as server:
        one = await here(server.url, *wanted, kind="ollama").finding(tmp_path)
    assert one == Finding(what="here", state=state, detail=Matching(told))  # pyright: ignore[reportArgumentType]


async def test_the_one_model_of_the_environment_is_looked_for(tmp_path: Path):
    with FakeServer(ollama("0.9.3", "llama3:latest")) as server:
        app = here(closed_port_url()).open(tmp_path, OLLAMA_HOST=server.url, OLLAMA_MODEL="llama4")
        found = await findings(app)
    assert found["ollama"].state == "broken"
    assert "run `ollama pull llama4`" in found["ollama"].detail


@pytest.mark.parametrize("wanted", [(), ("m",)])
async def test_a_server_of_the_profile_that_is_down_is_broken_whether_its_models_are_named_or_not(
    tmp_path: Path, wanted: tuple[str, ...]
):
    url = closed_port_url()
    one = await here(url, *wanted).finding(tmp_path)
    assert one.state == "broken"
    assert one.detail == f"no model server answers at {url}: start it, or check base_url"


async def test_a_server_on_a_well_known_port_may_be_absent(tmp_path: Path):
    found = await findings(here(closed_port_url()).open(tmp_path))
    built_in = [row.name for row in VENDORS.values() if row.local and row.kind != "embedded"]
    assert {found[name].state for name in built_in} <= {"ok", "note"}


async def test_a_key_that_a_server_sends_back_as_a_models_name_is_not_shown(tmp_path: Path):
    with FakeServer(reply_always(models("small", KEY))) as server:
        one = await cloud(server.url, KEY.removeprefix("SE")).finding(tmp_path)
    assert "has no model" in one.detail
    assert KEY not in str(one)


def key_shown(left: object) -> Callable[[Received], Reply]:
    """A vendor that shows its models to everybody, and tells a good key what is left of it."""

    def script(received: Received) -> Reply:
        if received.path == "/v1/models":
            return models("big")
        assert received.path == "/v1/key"
        known = received.headers.get("authorization") == f"Bearer {KEY}"
        return json_reply({"data": {"limit_remaining": left}}) if known else refusal(401)

    return script


@pytest.mark.parametrize(
    ("left", "key", "state", "told"),
    [
        (4.891, KEY, "ok", "takes the key, $4.89 left of its limit; 1 model listed"),
        (None, KEY, "ok", "takes the key; 1 model listed"),
        (float("nan"), KEY, "ok", "takes the key; 1 model listed"),
        (0, KEY, "broken", "nothing is left of the key's own limit: raise it at 127.0.0.1"),
        (4.891, "SEALED-other", "broken", "refuses the key (HTTP 401, some_code)"),
    ],
)
async def test_where_the_list_is_public_the_key_is_proven_elsewhere(
    tmp_path: Path, left: object, key: str, state: str, told: str
):
    with FakeServer(key_shown(left)) as server:
        app = cloud(f"{server.url}/v1").open(tmp_path, CLOUDX_KEY=key)
        specs = [
            replace(one, key_path="key") if one.name == "cloudx" else one for one in app.settings.profile.providers
        ]
        profile = replace(app.settings.profile, providers=tuple(specs))
        one = (await findings(replace(app, settings=replace(app.settings, profile=profile))))["cloudx"]
    assert one.state == state
    assert told in one.detail


def test_the_place_that_proves_a_key_belongs_to_the_vendors_host(tmp_path: Path):
    rows = {
        "mine": '{kind: openai, base_url: "https://openrouter.ai/api/v1", api_key_env: MINE}',
        "openrouter": '{base_url: "https://example.com/v1"}',
    }
    found: Mapping[str, str | None] = {}
    for name, row in rows.items():
        Setup(row=row, name=name).write(tmp_path)
        settings = load_settings(environ={}, home=tmp_path, profile="probed")
        spec = settings.profile.provider(name)
        assert spec is not None
        found = {**found, name: spec.key_path}
    assert found == {"mine": "key", "openrouter": None}
    assert [row.name for row in VENDORS.values() if row.key_path] == ["openrouter"]


async def test_all_are_asked_at_once():
    """Each answers only when every one has been asked."""
    asked = threading.Barrier(5, timeout=NEVER_LONGER_S)

    def script(_: Received) -> Reply:
        asked.wait()
        return models("big")

    with FakeServer(script) as server:
        probes = [Probe(spec=local_spec(server.url, name=f"here{n}"), api_key=lambda: None) for n in range(5)]
        seen = await probe_all(probes, CLOSED, limit_s=NEVER_LONGER_S)
    assert {one.state for one in seen.values()} == {"ok"}


async def test_who_does_not_answer_is_left_at_the_one_limit_and_costs_the_others_nothing():
    with FakeServer(reply_always(models("big"))) as healthy, FakeServer(reply_always(Reply())) as hanging:
        hanging.script = reply_always(Reply(body=(b"{", hanging.hang)))
        specs = [cloud_spec(hanging.url, name=f"hanging{n}") for n in range(4)] + [cloud_spec(healthy.url)]
        seen = await probe_all([Probe(spec=spec, api_key=lambda: KEY) for spec in specs], OPEN, limit_s=0.5)
        assert hanging.client_left.wait(NEVER_LONGER_S)
    assert seen["cloudx"].state == "ok"
    late = Diagnosis(state="broken", detail=f"no answer within 0.5 s: try again, or check {hanging.url}")
    assert [seen[f"hanging{n}"] for n in range(4)] == [late] * 4


async def test_a_model_that_another_process_leaves_alone_is_told_by_doctor_and_in_the_budget(tmp_path: Path):
    with FakeServer(reply_always(models("big"))) as server:
        setup = cloud(server.url)
        running = setup.open(tmp_path, CLOUDX_KEY=KEY)
        breakers = running.catalog.breakers
        for _ in range(3):
            breakers.settle("cloudx:big", breakers.admit("cloudx:big"), Failed())
        other = setup.open(tmp_path, CLOUDX_KEY=KEY)
        alerts = (await other.reports.budget("month", other.account)).alerts
        found = await findings(other)
        breakers.settle("cloudx:big", 1, "succeeded")
        closed = await findings(setup.open(tmp_path, CLOUDX_KEY=KEY))
        await running.aclose()
    told = Matching(r"^left alone for (60|[1-5]\d) s after 3 failures$")
    assert found["cloudx:big"] == Finding(what="cloudx:big", state="broken", detail=told)
    assert [alert.partition(" s ")[2] for alert in alerts] == ["after 3 failures"]
    assert alerts[0].startswith("cloudx:big: left alone for ")
    assert "cloudx:big" not in closed


def test_the_installed_doctor_ends_with_1_where_a_key_is_refused(tmp_path: Path):
    with FakeServer(reply_always(refusal(401, "invalid_api_key"))) as server:
        cloud(server.url).write(tmp_path)
        done = run(tmp_path, "doctor", "--json", "--profile", "probed", CLOUDX_KEY=KEY)
    assert done.returncode == 1
    assert "SEALED" not in done.stdout + done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert rows["cloudx"]["state"] == "broken"
    assert "refuses the key (HTTP 401, invalid_api_key)" in rows["cloudx"]["detail"]
