from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.whitelist import Whitelist, checked_entry

DEFAULT = Whitelist(
    cloud_apis=("openai.com", "anthropic.com", "googleapis.com", "127.0.0.1", "::1"),
    domains=("github.com",),
    mcp_servers=("memory", "git"),
    allowed_for_cloud={"code_review": True, "simple_completion": False},
)


@pytest.mark.parametrize(
    "host", ["openai.com", "api.openai.com", "API.OpenAI.com", "api.openai.com.", "a.b.github.com", "127.0.0.1", "::1"]
)
def test_a_listed_host_and_its_subdomains_pass(host: str):
    assert DEFAULT.check_host(host).allowed


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "evilopenai.com", "openai.com.evil.com", "openai.co", "com", "openai", "xn--penai-bld.com",
        "\u043epenai.com", "openai.com\x00", "openai.com\n", "openai.com ", " openai.com", "evil.com\\.openai.com",
        "user@openai.com", "openai.com:443", "openai%2ecom", "api..openai.com", ".openai.com", "openai.com..",
        "-openai.com",
        "2130706433", "0x7f.1", "127.1", "017700000001", "127.0.0.2", "127.0.0.1.openai.com.evil", "::2",
        "[::1", "a" * 300 + ".openai.com", "*.openai.com", "openai.com/", "openai\u3002com",
    ],
)  # fmt: skip
def test_any_other_host_is_refused_with_a_reason(host: str):
    verdict = DEFAULT.check_host(host)
    assert not verdict.allowed
    assert verdict.reason
    assert verdict.matched_rule is None


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.openai.com/v1/chat", True),
        ("http://[::1]:8000/v1", True),
        ("https://evil.com\\@api.openai.com/", False),
        ("https://api.openai.com@evil.com/", False),
        ("https://evil.com#@api.openai.com", False),
        ("https://evil.com/?x=api.openai.com", False),
        ("ftp://api.openai.com/", False),
        ("//api.openai.com/", False),
        ("https:/api.openai.com/", False),
        ("javascript:alert(1)", False),
        ("https://api.openai.com\t.evil.com/", False),
    ],
)
def test_urls_are_judged_by_the_host_that_would_be_contacted(url: str, allowed: bool):
    assert DEFAULT.check_url(url).allowed is allowed
    assert DEFAULT.check("domains", url).allowed is (allowed and "github" in url)


@pytest.mark.parametrize(
    ("resource_type", "name", "allowed", "rule"),
    [
        ("cloud_apis", "api.openai.com", True, "cloud_apis: openai.com"),
        ("api", "api.openai.com", True, "cloud_apis: openai.com"),
        ("domain", "raw.github.com", True, "domains: github.com"),
        ("domains", "api.openai.com", False, None),
        ("mcp_server", "git", True, "mcp_servers: git"),
        ("mcp_servers", "gi", False, None),
        ("task", "code_review", True, "allowed_for_cloud: code_review = true"),
        ("allowed_for_cloud", "simple_completion", False, "allowed_for_cloud: simple_completion = false"),
        ("allowed_for_cloud", "Simple-Completion", False, "allowed_for_cloud: Simple-Completion = false"),
        ("allowed_for_cloud", "code  review", True, "allowed_for_cloud: code  review = true"),
        ("allowed_for_cloud", "unheard_of", False, None),
    ],
)
def test_each_type_is_looked_up_in_its_own_list(resource_type: str, name: str, allowed: bool, rule: str | None):
    verdict = DEFAULT.check(resource_type, name)
    assert (verdict.allowed, verdict.matched_rule) == (allowed, rule)


@pytest.mark.parametrize("resource_type", ["", "cloud", "files", "CLOUD APIS"])
def test_an_unknown_type_is_refused_and_the_types_are_listed(resource_type: str):
    verdict = DEFAULT.check(resource_type, "openai.com")
    assert not verdict.allowed
    assert "cloud_apis, domains, mcp_servers, allowed_for_cloud" in verdict.reason


@pytest.mark.parametrize(
    "name",
    [
        "com", "co.uk", "*.com", "", "http://", "127.1", "a b", "ex\u00e4mple.com", "fe80::1%lo", "169.254.169.254",
        "[fd00:ec2::254]",
    ],
)  # fmt: skip
def test_an_entry_that_would_cover_too_much_or_is_no_host_is_refused(name: str):
    with pytest.raises(ValueError, match=r".+"):
        checked_entry("cloud_apis", name, {"com", "co.uk"}.__contains__)


def test_an_entry_is_stored_in_the_form_that_is_compared():
    def nothing_is(_: str) -> bool:
        return False

    assert checked_entry("domains", "https://API.Example.com./v1", nothing_is) == "api.example.com"
    assert checked_entry("cloud_apis", "127.0.0.1", nothing_is) == "127.0.0.1"
    assert checked_entry("cloud_apis", "Ollama.", nothing_is) == "ollama"


def test_a_name_without_a_dot_covers_itself_alone_and_says_for_whom():
    home = Whitelist(domains=("ollama",))
    verdict = home.check("domains", "Ollama")
    assert (verdict.allowed, verdict.matched_rule) == (True, "domains: ollama")
    assert verdict.reason == "listed in domains, for a provider that is declared `local: true`"
    for host in ("evil.ollama", "ollama.evil.example", "ollam", "xollama"):
        assert not home.check_host(host).allowed


@given(entry=st.sampled_from(["openai.com", "github.com"]), left=st.text(max_size=12), right=st.text(max_size=12))
def test_a_host_passes_only_at_a_label_boundary(entry: str, left: str, right: str):
    host = f"{left}{entry}{right}"
    if Whitelist(cloud_apis=(entry,)).check_host(host).allowed:
        name = host.lower().removesuffix(".")
        assert name == entry or name.endswith(f".{entry}")
