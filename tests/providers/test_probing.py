from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.profile import ProviderKind
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.providers.diagnosis import Reply, Seen, Topic, diagnose
from hybrid_mcp.providers.probing import questions
from tests.support_servers import cloud_spec, local_spec
from tests.test_checkup import here

KINDS = st.sampled_from(["openai", "anthropic", "ollama"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(
            st.one_of(st.text(), st.sampled_from(["data", "models", "id", "name", "error", "code", "version"])), inner
        ),
    ),
)
BODIES = st.one_of(st.none(), st.binary(), JSON.map(json.dumps).map(str.encode))
STATUSES = st.one_of(st.sampled_from([200, 302, 400, 401, 402, 403, 404, 429, 500]), st.integers(100, 999))


@given(KINDS, st.booleans(), st.booleans(), STATUSES, BODIES)
def test_whatever_a_server_answers_is_told_in_one_line_that_a_terminal_can_show(
    kind: ProviderKind, local: bool, has_key: bool, status: int, body: bytes | None
):
    spec = local_spec("http://127.0.0.1:1", kind) if local else cloud_spec("http://127.0.0.1:1", kind)
    seen: dict[Topic, Seen] = dict.fromkeys(questions(spec, has_key=has_key), Reply(status=status, body=body))
    found = diagnose(spec, seen, has_key=has_key, wanted=("m",))
    assert found.detail
    assert found.detail.isprintable()


def test_a_vendor_has_a_model_list_so_without_one_the_address_is_wrong():
    for row in VENDORS.values():
        if row.local:
            continue
        for reply in (Reply(status=404, body=b"{}"), Reply(status=200, body=b"{}")):
            seen: dict[Topic, Seen] = dict.fromkeys(questions(row, has_key=False), reply)
            assert diagnose(row, seen, has_key=True).state == "broken", row.name


def test_every_vendor_is_asked_at_its_own_address():
    asked = {name: [*questions(row, has_key=True).values()] for name, row in VENDORS.items() if row.host}
    assert asked["gemini"] == ["https://generativelanguage.googleapis.com/v1beta/openai/models"]
    assert asked["anthropic"] == ["https://api.anthropic.com/v1/models?limit=1000"]
    assert asked["openrouter"] == ["https://openrouter.ai/api/v1/key", "https://openrouter.ai/api/v1/models"]
    assert asked["ollama"] == ["http://127.0.0.1:11434/api/version", "http://127.0.0.1:11434/api/tags"]
    assert all(url.startswith((VENDORS[name].base_url or "?").rstrip("/")) for name in asked for url in asked[name])


@pytest.mark.anyio
async def test_the_real_server_of_llama_cpp_is_fine_in_both_dialects(tmp_path: Path, llama_server: str):
    openai = await here(f"{llama_server}/v1", "whatever-its-name").finding(tmp_path)
    anthropic = await here(llama_server, kind="anthropic").finding(tmp_path)
    for one in (openai, anthropic):
        assert one.state == "ok"
        assert "1 model listed in" in one.detail
        assert one.detail.endswith("; smollm2-135m")
