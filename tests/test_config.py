"""Settings from flags, environment and files: what wins, what is refused, and that no key is ever shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_mcp.config import Settings, ensure_home, find_profile, list_profiles, load_settings, packaged
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS
from tests.support_config import refusal, write

KEYS = [name for row in VENDORS.values() for name in row.api_key_env]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def load(home: Path, **environ: str) -> Settings:
    return load_settings(environ=environ, home=home)


def problem(home: Path, **environ: str) -> str:
    return refusal(lambda: load(home, **environ))


def ollama(loaded: Settings) -> ProviderSpec:
    found = loaded.profile.provider("ollama")
    assert found is not None
    return found


def own_profile(home: Path, text: str, name: str = "balanced") -> Path:
    return write(home / "profiles" / f"{name}.yaml", text)


def test_with_nothing_set_the_packaged_balanced_profile_and_the_default_numbers_hold(home: Path):
    loaded = load(home)
    assert loaded == Settings(
        home=home,
        profile=loaded.profile,
        profile_path=packaged("profiles") / "balanced.yaml",
        whitelist_path=home / "whitelist.json",
        project=str(Path.cwd().resolve()),
        ollama_timeout_s=120.0,
        ollama_model=None,
        breaker_failure_threshold=3,
        breaker_recovery_s=60.0,
        api_keys={},
        notices=(),
    )
    assert loaded.profile.name == "balanced"
    assert loaded.profile.providers == tuple(VENDORS.values())


def test_loading_creates_nothing(home: Path):
    load(home, HYBRID_MCP_PROFILE="conservative")
    assert not home.exists()


def test_every_variable_takes_effect(home: Path):
    loaded = load(
        home, OLLAMA_MODEL="llama3", OLLAMA_TIMEOUT="7.5", AIRGAP_MODE="True", MONTHLY_BUDGET="20", DAILY_BUDGET="0.1",
        CIRCUIT_BREAKER_FAILURE_THRESHOLD="5", CIRCUIT_BREAKER_RECOVERY_TIMEOUT="30", HYBRID_MCP_APPROVAL="Deny",
        HYBRID_MCP_PROFILE="performance", OLLAMA_HOST="http://localhost:11435",
    )  # fmt: skip
    profile = loaded.profile
    assert (loaded.ollama_model, loaded.ollama_timeout_s) == ("llama3", 7.5)
    assert (loaded.breaker_failure_threshold, loaded.breaker_recovery_s) == (5, 30.0)
    assert (profile.name, profile.airgap, profile.approval) == ("performance", True, "deny")
    assert (profile.monthly_budget, profile.daily_budget) == (Usd.limit(20), Usd(100_000_000))
    assert ollama(loaded).base_url == "http://localhost:11435"


NAMES = [
    "OLLAMA_HOST", "OLLAMA_MODEL", "OLLAMA_TIMEOUT", "AIRGAP_MODE", "MONTHLY_BUDGET", "DAILY_BUDGET", "HYBRID_MCP_HOME",
    "HYBRID_MCP_PROFILE", "HYBRID_MCP_PROJECT", "HYBRID_MCP_APPROVAL", "CLIENT_BUDGET", "PROJECT_BUDGET",
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT", *KEYS,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_variable_counts_as_unset(home: Path, name: str, value: str):
    assert load(home, **{name: value}) == load(home)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MONTHLY_BUDGET", "ten", "'ten' is not a number"),
        ("MONTHLY_BUDGET", "-5", "'-5' is negative"),
        ("MONTHLY_BUDGET", "NaN", "'NaN' is not a number"),
        ("DAILY_BUDGET", "inf", "'inf' is not a number"),
        ("DAILY_BUDGET", "$5", "'$5' is not a number"),
        ("DAILY_BUDGET", "9" * 60, f"'{'9' * 37}...' is not a number"),
        ("AIRGAP_MODE", "maybe", "'maybe' is neither true nor false; use 1/0, true/false, yes/no or on/off"),
        ("AIRGAP_MODE", "2", "'2' is neither true nor false"),
        ("OLLAMA_TIMEOUT", "0", "'0' is not a time in seconds above 0"),
        ("OLLAMA_TIMEOUT", "5m", "'5m' is not a number"),
        ("OLLAMA_MODEL", "a b", "'a b' is not a model's name"),
        ("OLLAMA_HOST", "http://user:pw@127.0.0.1", "is not a plain http or https address"),
        ("OLLAMA_HOST", "127.0.0.1:eleven", "is not a plain http or https address"),
        ("OLLAMA_HOST", "127.0.0.1:99999", "has a port outside 1 to 65535"),
        ("OLLAMA_HOST", "unix:///run/ollama", "is not a plain http or https address"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "0", "'0' is not a whole number from 1 to 1,000"),
        ("CIRCUIT_BREAKER_FAILURE_THRESHOLD", "2.5", "'2.5' is not a whole number"),
        ("CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "-1", "'-1' is not a time in seconds"),
        ("HYBRID_MCP_APPROVAL", "yes", "'yes' is not known; use one of ask, terminal, deny, allow"),
        ("HYBRID_MCP_HOME", "a\x00b", "holds a NUL character"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error_that_names_the_variable(
    home: Path, name: str, value: str, expected: str
):
    said = refusal(lambda: load_settings(environ={name: value}, home=home))
    assert said.startswith(f"environment: {name}: ")
    assert expected in said


@pytest.mark.parametrize("word", ["1", "true", "YES", "On", " tRuE "])
def test_a_true_word_in_any_case_turns_airgap_on(home: Path, word: str):
    assert load(home, AIRGAP_MODE=word).profile.airgap is True


@pytest.mark.parametrize("word", ["0", "false", "NO", "Off", "False"])
def test_a_false_word_in_any_case_wins_over_the_file_but_not_over_the_flag(home: Path, word: str):
    own_profile(home, "profile: x\nairgap: true\n")
    assert load(home).profile.airgap is True
    assert load(home, AIRGAP_MODE=word).profile.airgap is False
    assert load_settings(environ={"AIRGAP_MODE": word}, home=home, airgap=True).profile.airgap is True


def test_the_environment_wins_over_the_file_also_with_zero(home: Path):
    profile = load(home, MONTHLY_BUDGET="0", DAILY_BUDGET="0").profile
    assert (profile.monthly_budget, profile.daily_budget) == (Usd(0), Usd(0))


def test_flags_win_over_the_environment(home: Path, tmp_path: Path):
    environ = {"HYBRID_MCP_HOME": str(tmp_path / "other"), "HYBRID_MCP_PROFILE": "performance"}
    loaded = load_settings(environ=environ, home=home, profile="conservative")
    assert (loaded.home, loaded.profile.name) == (home, "conservative")
    assert load_settings(environ=environ).home == tmp_path / "other"


def test_paid_models_without_any_cap_bring_a_notice(home: Path):
    own_profile(home, "routing_rules: {cloud_models: ['openai:gpt-6.1-sol']}\n")
    assert [notice.partition(": ")[2] for notice in load(home).notices] == [
        "paid models are listed, and no monthly_budget or daily_budget limits them; set one"
    ]
    assert load(home, DAILY_BUDGET="1").notices == ()


def test_a_price_that_is_never_charged_brings_a_notice(home: Path):
    row = "{kind: openai, base_url: 'http://127.0.0.1:4000/v1'%s, price: {input_per_mtok: 1, output_per_mtok: 2}}"
    own_profile(home, f"providers: {{gate: {row % ''}}}\n")
    [notice] = load(home).notices
    assert (
        "gate: it runs on this machine, so it counts as free and its price is not charged: say `local: false`" in notice
    )
    for declared in (", local: true", ", local: false"):
        own_profile(home, f"providers: {{gate: {row % declared}}}\n")
        assert load(home).notices == ()


# Keys


def test_a_key_is_found_by_the_first_of_its_variables_that_is_set(home: Path):
    gemini = VENDORS["gemini"]
    assert load(home).key_for(gemini) is None
    assert load(home, GOOGLE_API_KEY=" g \n").key_for(gemini) == "g"
    assert load(home, GOOGLE_API_KEY="g", GEMINI_API_KEY="h").key_for(gemini) == "h"
    assert load(home, GEMINI_API_KEY="", GOOGLE_API_KEY="g").key_for(gemini) == "g"


def test_every_vendor_has_its_key(home: Path):
    loaded = load(home, **{name: f"value-of-{name}" for name in KEYS})
    for row in VENDORS.values():
        expected = f"value-of-{row.api_key_env[0]}" if row.api_key_env else None
        assert loaded.key_for(row) == expected


def test_a_variable_that_the_profile_names_is_read_and_others_are_not(home: Path):
    own_profile(home, "providers: {x: {kind: openai, base_url: 'https://a.example', api_key_env: CLOUDX_TOKEN}}\n")
    loaded = load(home, CLOUDX_TOKEN="t", OTHER_API_KEY="o", OPENAI_BASE_URL="https://evil.example")
    spec = loaded.profile.provider("x")
    assert spec is not None
    assert (loaded.key_for(spec), set(loaded.api_keys)) == ("t", {"CLOUDX_TOKEN"})
    assert loaded.profile.provider("openai") == VENDORS["openai"]


def test_printing_the_settings_shows_no_key(home: Path):
    loaded = load(home, OPENAI_API_KEY="sk-hunter2")
    assert "hunter2" not in f"{loaded!r} {loaded}"
    assert "OPENAI_API_KEY" in repr(loaded)


@pytest.mark.parametrize("value", ["sk hunter2", "sk-hunter2\nX-Evil: 1", "sk-h\u00fcnter2-hunter2", "hunter2\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(home: Path, value: str):
    said = problem(home, OPENAI_API_KEY=value)
    assert said.startswith("environment: OPENAI_API_KEY: holds characters that no API key has")
    assert "hunter2" not in said


# OLLAMA_HOST


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("localhost:9999", "http://localhost:9999"),
        (":9999", "http://127.0.0.1:9999"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - read, never bound
        ("0.0.0.0:9999", "http://127.0.0.1:9999"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:9999", "http://127.0.0.1:9999"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:9999", "http://[::1]:9999"),
        ("http://localhost:11434/", "http://localhost:11434"),
        ("http://localhost", "http://localhost:80"),
        ("https://localhost", "https://localhost:443"),
        ("http://127.0.0.1:11434/ollama", "http://127.0.0.1:11434/ollama"),
        ('"127.0.0.1:9999"', "http://127.0.0.1:9999"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(home: Path, value: str, url: str):
    loaded = load(home, OLLAMA_HOST=value)
    found = ollama(loaded)
    assert (found.base_url, found.loopback, found.local) == (url, True, True)
    assert not found.must_be_whitelisted
    assert loaded.notices == ()


def test_ollama_on_another_machine_gets_nothing_until_the_profile_says_that_it_is_local(home: Path):
    loaded = load(home, OLLAMA_HOST="192.168.1.5")
    found = ollama(loaded)
    assert (found.local, found.price, found.must_be_whitelisted) == (False, None, True)
    assert len(loaded.notices) == 1
    assert loaded.notices[0].startswith("OLLAMA_HOST: 192.168.1.5 is not this machine, so no prompt is sent there")

    own_profile(home, "providers: {ollama: {local: true}}\n")
    loaded = load(home, OLLAMA_HOST="192.168.1.5")
    found = ollama(loaded)
    assert (found.base_url, found.local, found.loopback) == ("http://192.168.1.5:11434", True, False)
    assert found.must_be_whitelisted
    assert loaded.notices == ()


def test_a_far_ollama_that_no_whitelist_entry_can_name_is_an_error(home: Path):
    own_profile(home, "providers: {ollama: {local: true}}\n")
    said = problem(home, OLLAMA_HOST="http://co.uk")
    assert said.startswith("environment: OLLAMA_HOST: co.uk cannot stand in the whitelist: strangers have names")


def test_an_ollama_in_a_container_is_reached_by_its_name(home: Path):
    own_profile(home, "providers: {ollama: {local: true}}\n")
    found = ollama(load(home, OLLAMA_HOST="ollama"))
    assert (found.base_url, found.host, found.local) == ("http://ollama:11434", "ollama", True)
    assert found.must_be_whitelisted


def test_a_paid_far_ollama_must_be_encrypted(home: Path):
    price = "{input_per_mtok: 1, output_per_mtok: 1}"
    own_profile(home, f"providers: {{ollama: {{price: {price}}}}}\n")
    assert "http would send prompts and keys in the open" in problem(home, OLLAMA_HOST="http://gpu.example.com")
    found = ollama(load(home, OLLAMA_HOST="https://gpu.example.com"))
    assert (found.local, found.must_be_whitelisted) == (False, True)


def test_a_paid_ollama_stays_paid_wherever_it_moves(home: Path):
    own_profile(home, "providers: {ollama: {local: false}}\n")
    for value in (":9999", "localhost"):
        loaded = load(home, OLLAMA_HOST=value)
        assert (ollama(loaded).local, loaded.notices) == (False, ())


def test_ollama_at_the_port_of_another_built_in_server_takes_its_place(home: Path):
    names = [spec.name for spec in load(home, OLLAMA_HOST=":8000").profile.providers]
    assert "vllm" not in names
    assert "ollama" in names


def test_ollama_leaves_a_server_whose_models_the_profile_lists(home: Path):
    own_profile(home, "routing_rules: {local_models: ['vllm:a']}\n")
    assert load(home, OLLAMA_HOST=":8000").profile.provider("vllm") == VENDORS["vllm"]


def test_a_provider_of_the_profile_at_ollamas_port_keeps_its_terms(home: Path):
    entry = "{kind: ollama, base_url: 'http://127.0.0.1:11434', local: false}"
    own_profile(home, f"providers: {{mine: {entry}}}\n")
    loaded = load(home, OLLAMA_HOST="localhost")
    assert loaded.profile.provider("ollama") is None
    found = loaded.profile.provider("mine")
    assert found is not None
    assert found.local is False
    assert loaded.notices == ("OLLAMA_HOST is not used: the profile gives that address to the provider mine",)


def test_a_built_in_server_under_the_profiles_terms_keeps_them_at_ollamas_port(home: Path):
    own_profile(home, "providers: {vllm: {local: false}}\n")
    loaded = load(home, OLLAMA_HOST=":8000")
    assert ollama(loaded) == VENDORS["ollama"]
    assert loaded.notices == ("OLLAMA_HOST is not used: the profile gives that address to the provider vllm",)


def test_ollama_host_does_not_move_a_provider_of_another_kind(home: Path):
    own_profile(home, "providers: {ollama: {kind: openai, base_url: 'http://127.0.0.1:11434/v1'}}\n")
    loaded = load(home, OLLAMA_HOST=":9999")
    assert ollama(loaded).base_url == "http://127.0.0.1:11434/v1"
    assert len(loaded.notices) == 1


# Home and profiles


def test_a_home_that_is_a_file_is_refused_with_its_path(tmp_path: Path):
    file = write(tmp_path / "file", "x")
    assert problem(file) == f"{file}: is not a folder; give another home with --home or HYBRID_MCP_HOME"
    assert problem(file / "below").startswith(f"{file / 'below'}: Not a directory; check the path")


def test_the_home_is_created_for_its_owner_alone(home: Path):
    ensure_home(home)
    ensure_home(home)
    assert home.is_dir()
    if os.name == "posix":
        assert home.stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_created_is_refused_with_its_path(tmp_path: Path):
    file = write(tmp_path / "file", "x")
    assert refusal(lambda: ensure_home(file / "home")).startswith(
        f"{file / 'home'}: cannot be created (Not a directory)"
    )
    assert refusal(lambda: ensure_home(file)).startswith(f"{file}: cannot be created (File exists)")


def test_a_relative_home_becomes_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings(environ={"HYBRID_MCP_HOME": "here"}).home == tmp_path / "here"


def test_a_tilde_means_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load_settings(environ={"HYBRID_MCP_HOME": "~/here"}).home == tmp_path / "here"


def test_without_a_home_the_platforms_folder_for_data_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    home = load_settings(environ={}).home
    assert home.is_absolute()
    assert home.name == "hybrid-mcp"


def test_a_profile_in_the_home_hides_the_packaged_one(home: Path):
    own = own_profile(home, "profile: mine\n")
    own_profile(home, "profile: extra\n", name="extra")
    assert load(home).profile_path == own
    assert [(entry.name, entry.own) for entry in list_profiles(home)] == [
        ("balanced", True),
        ("conservative", False),
        ("extra", True),
        ("performance", False),
    ]


def test_an_unknown_profile_is_refused_with_near_and_all_names(home: Path):
    own_profile(home, "profile: x\n", name="extra")
    said = problem(home, HYBRID_MCP_PROFILE="balance")
    assert said.startswith("profile 'balance' is not known; did you mean balanced? ")
    assert "Known: balanced, conservative, extra, performance." in said


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "x\x00y", "nul:x", "a" * 300, "\ud800"])
def test_a_name_that_no_profile_can_have_is_only_unknown(home: Path, name: str):
    assert "is not known; " in refusal(lambda: load_settings(environ={}, home=home, profile=name))


@pytest.mark.parametrize("selector", ["./x", "sub/x.yml", "x.yaml", "x.YML", "C:\\profiles\\x", "..\\x.yaml"])
def test_a_path_is_taken_as_a_path(home: Path, selector: str):
    assert find_profile(selector, home) == Path(selector)


def test_a_profile_is_read_from_a_path(home: Path, tmp_path: Path):
    path = write(tmp_path / "any.yml", "profile: any\n")
    loaded = load_settings(environ={}, home=home, profile=str(path))
    assert (loaded.profile.name, loaded.profile_path) == ("any", path)


def test_a_broken_link_in_the_home_does_not_fall_back_to_the_packaged_profile(home: Path):
    (home / "profiles").mkdir(parents=True)
    link = home / "profiles" / "balanced.yaml"
    link.symlink_to(home / "gone.yaml")
    assert problem(home).startswith(f"{link}: No such file or directory")


def test_a_file_in_the_place_of_the_profiles_folder_hides_nothing(home: Path):
    write(home / "profiles", "x")
    assert load(home).profile.name == "balanced"


# All of it


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    name=st.sampled_from(NAMES),
    value=st.text(max_size=30) | st.from_regex(r"[-+.\deEx:/\[\]@%]{1,12}") | st.ip_addresses().map(str),
)
@example(name="OLLAMA_HOST", value="http://[::1%eth0]")
@example(name="HYBRID_MCP_HOME", value="~nobody-has-this-name/x")
@example(name="HYBRID_MCP_PROFILE", value="~nobody-has-this-name/x")
@example(name="HYBRID_MCP_PROFILE", value="a" * 5000 + ".yaml")
@example(name="HYBRID_MCP_PROFILE", value="/\r0")
def test_any_value_of_any_variable_is_read_or_refused(home: Path, name: str, value: str):
    try:
        loaded = load_settings(environ={name: value}, home=None if name == "HYBRID_MCP_HOME" else home)
    except ConfigError as error:
        loaded = None
        message = str(error)
    else:
        message = ""
    assert (loaded is None) == bool(message)
    assert message.splitlines() in ([], [message])
    if name.endswith("KEY") and len(value) > 8:
        assert value not in message


HEAVY = (
    "yaml",
    "pydantic",
    "platformdirs",
    "filelock",
    "tempfile",
    "importlib.resources",
    "asyncio",
    "httpx",
    "httpx2",
)


def test_importing_the_configuration_loads_nothing_heavy():
    code = f"import sys, hybrid_mcp.config; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
