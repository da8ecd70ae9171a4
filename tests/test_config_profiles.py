"""Profiles from YAML: what loads, what it means, and what each refusal says."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_mcp.config import check_profile, packaged, read_profile, scalars
from hybrid_mcp.config.text_file import MAX_BYTES
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ModelName, Price, Profile, ProviderSpec, RoutingRules
from hybrid_mcp.domain.vendors import VENDORS
from tests.support_config import refusal, write

FLASH = ModelName(provider="gemini", model="gemini-3.8-flash")
SOL = ModelName(provider="openai", model="gpt-6.1-sol")
OPUS = ModelName(provider="anthropic", model="claude-opus-5-5")
BUILT_IN = tuple(VENDORS.values())

SEED_CONSERVATIVE = """\
profile: conservative
monthly_budget: 10
routing_rules:
  complexity_threshold: 0.9  # Only very complex goes to cloud
  always_try_local_first: true
  cloud_models:
    - gemini-pro  # Cheapest only
  fallback: local_with_cot
"""
SEED_BALANCED = """\
profile: balanced
monthly_budget: 50
routing_rules:
  complexity_threshold: 0.6
  always_try_local_first: true
  cloud_models:
    - gemini-pro      # Cost-effective
    - gpt-4-turbo     # Complex tasks
  fallback: local_best_effort
"""
SEED_PERFORMANCE = """\
profile: performance
monthly_budget: 200
routing_rules:
  complexity_threshold: 0.4
  always_try_local_first: false
  cloud_models:
    - gpt-4-turbo
    - claude-3-opus
    - gemini-pro
  fallback: local
"""
CONTRACT = """\
profile: balanced
monthly_budget: 50
daily_budget: null
max_cost: 10
routing_rules:
  complexity_threshold: 0.6
  always_try_local_first: true
  local_models: []            # empty: whatever is found
  cloud_models: ["gemini:gemini-3.8-flash", {model: "openai:gpt-6.1-sol", tier: premium}]
  fallback: local_best_effort
providers:                    # optional: more of them, or other settings
  mygpu: {kind: openai, base_url: "http://127.0.0.1:8000/v1", local: true}
  cloudx: {kind: openai, base_url: "https://api.example.com/v1", api_key_env: CLOUDX_KEY, price: {input_per_mtok: 1.0, output_per_mtok: 4.0, context: 128000}}
  claude2: {kind: anthropic, base_url: "https://api.anthropic.com", api_key_env: ANTHROPIC_API_KEY}
"""  # noqa: E501 - the contract's own lines


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def load(path: Path, text: str) -> Profile:
    return read_profile(write(path, text)).profile


def spec(path: Path, entry: str) -> ProviderSpec:
    """The provider `x` of a profile that declares it so."""
    found = load(path, f"providers:\n  x: {entry}\n").provider("x")
    assert found is not None
    return found


def problem(path: Path, text: str | bytes) -> str:
    """What is wrong with the profile, after the path."""
    message = refusal(lambda: read_profile(write(path, text)))
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            SEED_CONSERVATIVE,
            Profile(
                name="conservative", monthly_budget=Usd.limit(10), max_cost=Usd.limit(10), providers=BUILT_IN,
                rules=RoutingRules(threshold=90, cloud_models=(FLASH,), fallback="local_with_cot"),
            ),
        ),
        (
            SEED_BALANCED,
            Profile(
                name="balanced", monthly_budget=Usd.limit(50), max_cost=Usd.limit(10), providers=BUILT_IN,
                rules=RoutingRules(threshold=60, cloud_models=(FLASH, SOL), fallback="local_best_effort"),
            ),
        ),
        (
            SEED_PERFORMANCE,
            Profile(
                name="performance", monthly_budget=Usd.limit(200), max_cost=Usd.limit(10), providers=BUILT_IN,
                rules=RoutingRules(
                    threshold=40, always_try_local_first=False, cloud_models=(SOL, OPUS, FLASH), fallback="local"
                ),
            ),
        ),
    ],
    ids=["conservative", "balanced", "performance"],
)  # fmt: skip
def test_the_first_documents_load_as_they_stand(profile: Path, text: str, expected: Profile):
    loaded = read_profile(write(profile, text))
    assert loaded.profile == expected
    assert len(loaded.notices) == len(expected.rules.cloud_models)


def test_an_old_name_brings_a_notice_with_its_place_and_the_present_name(profile: Path):
    place = f"{profile}:7: routing_rules.cloud_models[0]"
    notice = f"{place}: gemini-pro is an old name, and {FLASH} is used for it; write {FLASH}"
    assert read_profile(write(profile, SEED_CONSERVATIVE)).notices == (notice,)


def test_the_profile_of_the_contract_means_what_it_says(profile: Path):
    loaded = load(profile, CONTRACT)
    assert loaded.rules.cloud_models == (FLASH, ModelName(provider="openai", model="gpt-6.1-sol", tier="premium"))
    assert loaded.daily_budget is None
    assert loaded.provider("mygpu") == ProviderSpec(
        name="mygpu", kind="openai", base_url="http://127.0.0.1:8000/v1", host="127.0.0.1", loopback=True, local=True
    )
    assert loaded.provider("cloudx") == ProviderSpec(
        name="cloudx", kind="openai", base_url="https://api.example.com/v1", host="api.example.com",
        api_key_env=("CLOUDX_KEY",), key_needed=True, price=Price(input_nanos=1_000, output_nanos=4_000),
        context_tokens=128_000,
    )  # fmt: skip
    assert loaded.provider("claude2") == ProviderSpec(
        name="claude2", kind="anthropic", base_url="https://api.anthropic.com", host="api.anthropic.com",
        api_key_env=("ANTHROPIC_API_KEY",), key_needed=True, price_provider="anthropic",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cap", "threshold"), [("conservative", 10, 90), ("balanced", 50, 60), ("performance", 200, 40)]
)
def test_a_packaged_profile_keeps_the_first_numbers_and_needs_no_notice(name: str, cap: int, threshold: int):
    loaded = check_profile(packaged("profiles") / f"{name}.yaml")
    found = loaded.profile
    assert (found.name, found.monthly_budget, found.max_cost) == (name, Usd.limit(cap), Usd.limit(10))
    assert (found.rules.threshold, loaded.notices) == (threshold, ())


@pytest.mark.parametrize(
    ("written", "nanos"),
    [
        ("0", 0), ("0.1", 100_000_000), ("50", 50_000_000_000), ("5e1", 50_000_000_000), (".5", 500_000_000),
        ("0.0000000019", 1), ("4.99999999999999999999", 4_999_999_999),
    ],
)  # fmt: skip
def test_money_is_read_exactly_and_a_cap_is_never_overstated(profile: Path, written: str, nanos: int):
    assert load(profile, f"monthly_budget: {written}\n").monthly_budget == Usd(nanos)


def test_an_absent_cap_is_none_but_one_request_is_limited_unless_the_profile_says_null(profile: Path):
    loaded = load(profile, "profile: x\n")
    assert (loaded.monthly_budget, loaded.daily_budget, loaded.max_cost) == (None, None, Usd.limit(10))
    assert load(profile, "max_cost: null\n").max_cost is None
    assert load(profile, "max_cost: 0\n").max_cost == Usd(0)


@pytest.mark.parametrize(
    ("written", "hundredths"),
    [("0", 0), ("0.6", 60), ("0.9", 90), ("1", 100), ("0.605", 61), ("0.6000000000000001", 61), ("0.07", 7)],
)
def test_a_threshold_is_exact_and_finer_than_hundredths_rounds_up(profile: Path, written: str, hundredths: int):
    text = f"routing_rules: {{complexity_threshold: {written}}}\n"
    assert load(profile, text).rules.threshold == hundredths


@given(threshold=st.decimals(min_value=0, max_value=1, places=6), score=st.integers(0, 100))
def test_a_rounded_threshold_admits_exactly_the_same_scores(threshold: Decimal, score: int):
    admitted = Fraction(score, 100) >= Fraction(threshold)
    assert (score >= scalars.hundredths(f"{threshold:f}")) == admitted


@given(dollars=st.decimals(min_value=0, max_value=1_000_000, places=9))
def test_a_token_price_is_never_understated_and_less_than_a_nano_dollar_above(dollars: Decimal):
    exact = Fraction(dollars) * 1000
    assert exact <= scalars.token_nanos(f"{dollars:f}") < exact + 1


@pytest.mark.parametrize("word", ["true", "yes", "on", "True", "YES", '"true"'])
def test_yaml_spells_true_in_several_ways(profile: Path, word: str):
    assert load(profile, f"airgap: {word}\n").airgap is True


@pytest.mark.parametrize("word", ["false", "no", "off", "FALSE"])
def test_yaml_spells_false_in_several_ways(profile: Path, word: str):
    assert load(profile, f"routing_rules: {{always_try_local_first: {word}}}\n").rules.always_try_local_first is False


def test_every_other_key_has_its_meaning(profile: Path):
    loaded = load(profile, "profile: x\napproval: terminal\nairgap: on\npersonal_data: allow_cloud\n")
    assert (loaded.approval, loaded.airgap, loaded.personal_data_stays_local) == ("terminal", True, False)


def test_a_profile_without_a_name_is_called_like_its_file(profile: Path):
    assert load(profile, "monthly_budget: 1\n").name == "mine"


def test_a_list_with_nothing_in_it_is_empty(profile: Path):
    rules = load(profile, "routing_rules:\n  local_models:\n  cloud_models:\n    # - all: commented out\n").rules
    assert (rules.local_models, rules.cloud_models) == ((), ())


def test_a_model_keeps_the_colons_after_the_first(profile: Path):
    rules = load(profile, 'routing_rules: {local_models: ["ollama:hf.co/x/y:Q4_K_M"]}\n').rules
    assert rules.local_models == (ModelName(provider="ollama", model="hf.co/x/y:Q4_K_M"),)


def test_two_old_names_of_one_model_count_once(profile: Path):
    loaded = read_profile(write(profile, "routing_rules: {cloud_models: [gpt-4o, openai:gpt-6.1-sol, gpt-4-turbo]}\n"))
    assert loaded.profile.rules.cloud_models == (SOL,)
    assert len(loaded.notices) == 2


WRONG = [
    ("unknown key", "profile: x\nmonthly_budgets: 5\n", "2: monthly_budgets: unknown key; did you mean monthly_budget"),
    ("unknown key below", "routing_rules:\n  treshold: 1\n", "2: routing_rules.treshold: unknown key; did you mean"),
    ("a key like nothing", "zzz: 1\n", "1: zzz: unknown key; use one of profile, monthly_budget"),
    (
        "quoted number",
        'profile: x\nmonthly_budget: "50"\n',
        "2: monthly_budget: must be a number, not a text in quotes",
    ),
    ("words for money", "daily_budget: ten\n", "1: daily_budget: 'ten' is not a number; write one such as 2.50"),
    ("negative money", "max_cost: -1\n", "1: max_cost: '-1' is negative; write 0"),
    ("nan", "max_cost: .nan\n", "1: max_cost: '.nan' is not a number"),
    ("inf", "max_cost: .inf\n", "1: max_cost: '.inf' is not a number"),
    ("too much money", "max_cost: 9e20\n", "1: max_cost: an amount of money must be at most"),
    ("octal", "max_cost: 010\n", "1: max_cost: '010' is not a number"),
    ("sexagesimal", "max_cost: 1:30\n", "1: max_cost: '1:30' is not a number"),
    ("more digits than are exact", f"max_cost: 1.{'0' * 40}\n", "1: max_cost: '1.0000"),
    ("a list for money", "max_cost: [1]\n", "1: max_cost: must be a number, not a list"),
    ("threshold above 1", "routing_rules: {complexity_threshold: 60}\n", "'60' is outside 0 to 1; write a score"),
    ("threshold below 0", "routing_rules: {complexity_threshold: -0.1}\n", "'-0.1' is outside 0 to 1"),
    (
        "threshold is null",
        "routing_rules: {complexity_threshold: }\n",
        "complexity_threshold: has no value; write a number",
    ),
    ("no boolean", "airgap: maybe\n", "1: airgap: 'maybe' is neither true nor false; write true or false"),
    ("a number for a boolean", "airgap: 1\n", "1: airgap: '1' is neither true nor false"),
    ("text that is no boolean", 'airgap: "nope"\n', "1: airgap: 'nope' is neither true nor false"),
    ("no value", "airgap:\n", "1: airgap: has no value; write true or false, or leave the key out"),
    ("a boolean for a name", "profile: yes\n", "1: profile: must be a text, not 'yes'"),
    ("a number for a name", "profile: 7\n", "1: profile: must be a text, not '7'"),
    ("an invisible name", 'profile: "a\\nb"\n', r"1: profile: 'a\nb' is not a name"),
    ("a word out of the choice", "approval: never\n", "1: approval: 'never' is not known; use one of ask, terminal"),
    ("unknown fallback", "routing_rules:\n  fallback: cloud\n", "2: routing_rules.fallback: 'cloud' is not known"),
    ("unknown data rule", "personal_data: share\n", "use one of stay_local, allow_cloud"),
    ("double key", "profile: a\nprofile: b\n", "2: 'profile': stands twice (first in line 1); keep one of them"),
    ("rules as a list", "routing_rules: [1]\n", "1: routing_rules: must be a mapping"),
    ("rules as a list below", "profile: x\nrouting_rules:\n\n  - 1\n", "2: routing_rules: must be a mapping"),
    ("models as a text", "routing_rules: {cloud_models: gemini:x}\n", "cloud_models: must be a list"),
    ("empty", "", " is empty; start with `profile: NAME`"),
    ("only a comment", "# nothing\n", " is empty; start with"),
    ("a list at the top", "- a\n- b\n", "1: is not made of `key: value` lines"),
    ("a word at the top", "hello\n", "1: is not made of `key: value` lines"),
    (
        "a tab",
        "routing_rules:\n\tfallback: local\n",
        "2: is not YAML: found character that cannot start any token; indent",
    ),
    ("an open bracket", "profile: [\n", "is not YAML: "),
    ("two documents", "profile: a\n---\nprofile: b\n", "2: holds a second document"),
    ("an anchor", "profile: &x a\n", "1: anchors (&) and aliases (*) are not read"),
    ("an alias", "profile: a\nmax_cost: *x\n", "2: anchors (&) and aliases (*) are not read"),
    ("a merge key", "<<: {profile: x}\n", "1: <<: unknown key"),
    ("a tag", "profile: !!python/object:os.system x\n", "1: tags (!) are not read"),
    ("a list as a key", "? [a]\n: b\n", "1: a key is a list or a mapping"),
    ("deep nesting", "providers: " + "[" * 5000, "1: is nested more than 8 deep"),
    ("a control character", "profile: a\x01\n", " is not YAML (unacceptable character"),
    ("not UTF-8", b"profile: x\n# caf\xe9\n", "2: is not UTF-8 text; save the file as UTF-8"),
    ("a surrogate", "profile: \ud800\n", "1: is not UTF-8 text"),
    (
        "a byte order mark",
        b"\xef\xbb\xbfprofile: x\n",
        "1: starts with a byte order mark; save the file as UTF-8 without",
    ),
    ("UTF-16", "profile: x\n".encode("utf-16"), "1: starts with UTF-16; save the file as UTF-8"),
    ("too large", b"#" * (MAX_BYTES + 1), " is larger than 262,144 bytes"),
    ("10 MB", b"a: b\n" * 2_000_000, " is larger than 262,144 bytes"),
]
MODELS_WRONG = [
    ("cloud", "[gpt-9]", "'gpt-9' has no provider; write PROVIDER:MODEL, such as openai:gpt-6.1-sol"),
    ("cloud", "[opnai:gpt-6.1-sol]", "unknown provider 'opnai'; did you mean openai"),
    ("cloud", "[zzz:x]", "unknown provider 'zzz'; use one of embedded, ollama"),
    ("cloud", "['openai:']", "'' is not a model's name"),
    ("cloud", "['openai:a b']", "'a b' is not a model's name"),
    ("cloud", "[ollama:llama3]", "ollama is local and costs nothing; list the model under `local_models`"),
    ("cloud", "[openai:a, openai:a]", "'openai:a' stands twice (first in line 2)"),
    ("cloud", "[{model: openai:a, tier: dear}]", "tier: 'dear' is not known; use one of cheap, premium"),
    ("cloud", "[{tier: cheap}]", "has no `model`"),
    ("cloud", "[{model: openai:a, price: 1}]", "price: unknown key; use one of model, tier"),
    ("cloud", "[[openai:a]]", "must be a text, not a list"),
    ("cloud", "[5]", "must be a text, not '5'"),
    ("local", "[openai:a]", "openai is not local; list the model under `cloud_models`"),
    ("local", "['codellama:13b']", "an Ollama model is written 'ollama:codellama:13b'"),
]
PROVIDERS_WRONG = [
    ("{kind: openai}", "providers.x: has no `base_url`"),
    ("{base_url: 'https://a.example'}", "providers.x: has no `kind`"),
    ("{kind: gemini, base_url: 'https://a.example'}", "kind: 'gemini' is not known; use one of ollama, openai"),
    ("{kind: embedded, base_url: 'https://a.example'}", "kind: 'embedded' is not known"),
    (
        "{kind: openai, base_url: 'https://a.example', api_key: hunter2}",
        "api_key: unknown key; did you mean api_key_env",
    ),
    ("[a]", "providers.x: must be a mapping"),
    ("{kind: openai, base_url: 'http://gpu.example'}", "gpu.example is not this machine, and http would send"),
    ("{kind: openai, base_url: 'http://co.uk', local: true}", "co.uk cannot stand in the whitelist: strangers have"),
    ("{kind: openai, base_url: 'https://gpubox', local: false}", "gpubox cannot stand in the whitelist: write its IP"),
    ("{kind: openai, base_url: 'http://localhost:9/v1', local: false}", "localhost cannot stand in the whitelist"),
    ("{kind: openai, base_url: 'https://api.openai.com/v1', local: true}", "belongs to the cloud vendor openai"),
    ("{kind: openai, base_url: 'https://eu.api.openai.com/v1', local: true}", "belongs to the cloud vendor openai"),
    ("{kind: openai, base_url: 'http://127.0.0.1:70000'}", "has a port outside 1 to 65535"),
    ("{kind: openai, base_url: 'http://2130706433/'}", "the host is a number that only some programs read"),
    ("{kind: openai, base_url: 'https://\u0430pi.openai.com'}", "the host has characters outside ASCII"),
    ("{kind: openai, base_url: 'https://a.example', price: {input_per_mtok: 1}}", "price: has only input_per_mtok"),
    ("{kind: openai, base_url: 'https://a.example', price: {input: 1}}", "unknown key; did you mean input_per_mtok"),
    (
        "{kind: openai, base_url: 'https://a.example', price: {input_per_mtok: -1, output_per_mtok: 1}}",
        "price.input_per_mtok: '-1' is outside $0 to $1,000,000",
    ),
    (
        "{kind: openai, base_url: 'https://a.example', price: {input_per_mtok: '1', output_per_mtok: 1}}",
        "price.input_per_mtok: must be a number, not a text in quotes",
    ),
    ("{kind: openai, base_url: 'https://a.example', price: {context: 0.5}}", "'0.5' is not a whole number from 1"),
    *(
        (f"{{kind: ollama, base_url: 'http://127.0.0.1:9', {entry}}}", expected)
        for entry, expected in (
            ("concurrency: 0", "concurrency: '0' is not a whole number from 1 to 1,000"),
            ("concurrency: 1001", "concurrency: '1001' is not a whole number from 1 to 1,000"),
            ("concurrency: 1.5", "concurrency: '1.5' is not a whole number"),
            ("concurrency: '2'", "concurrency: must be a number, not a text in quotes"),
            ("concurrency: null", "concurrency: has no value; write a number, or leave the key out"),
            ("memory_gb: 0", "memory_gb: '0' is not a size in GB above 0"),
            ("memory_gb: -1", "memory_gb: '-1' is not a size in GB above 0"),
            ("memory_gb: 1e-12", "memory_gb: '1e-12' is not a size in GB above 0"),
            ("memory_gb: 1000001", "memory_gb: '1000001' is not a size in GB above 0 and up to 1,000,000"),
            ("memory_gb: 12GB", "memory_gb: '12GB' is not a number"),
            ("keep_alive: 30", "keep_alive: '30' is no such time; write one such as 30m"),
            ("keep_alive: -2", "keep_alive: '-2' is no such time"),
            ("keep_alive: 5d", "keep_alive: '5d' is no such time"),
            ("keep_alive: 30m1h", "keep_alive: '30m1h' is no such time"),
            ("keep_alive: 1234567h", "keep_alive: '1234567h' is no such time"),
            ("keep_alive: ''", "keep_alive: '' is no such time"),
            ("keep_alive: null", "keep_alive: has no value; write a value, or leave the key out"),
            ("keep_alive: [30m]", "keep_alive: must be a value, not a list"),
        )
    ),
    (
        "{kind: openai, base_url: 'http://127.0.0.1:9', keep_alive: 30m}",
        "keep_alive: is known to providers of kind ollama alone, and this one is of kind openai; leave it out",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [pytest.param(text, say, id=name) for name, text, say in WRONG])
def test_a_profile_that_cannot_be_used_is_refused_with_line_key_and_remedy(
    profile: Path, text: str | bytes, expected: str
):
    assert expected in problem(profile, text)


@pytest.mark.parametrize(("kind", "models", "expected"), MODELS_WRONG)
def test_a_model_that_cannot_be_listed_is_refused(profile: Path, kind: str, models: str, expected: str):
    said = problem(profile, f"routing_rules:\n  {kind}_models: {models}\n")
    assert said.startswith(f"2: routing_rules.{kind}_models[")
    assert expected in said


@pytest.mark.parametrize(("entry", "expected"), PROVIDERS_WRONG)
def test_a_provider_that_cannot_be_used_is_refused(profile: Path, entry: str, expected: str):
    said = problem(profile, f"providers:\n  x: {entry}\n")
    assert said.startswith("2: providers.x")
    assert expected in said


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com/v1", "ftp://a.example", "https://", "https://user:hunter2@a.example", "https://a.example?hunter2",
        "https://a.example#hunter2", "https://evil.example\\@api.openai.com/", "https://a.example/a b", "https://a%2e.example",
        "https://a.example:port", "https://a.example/\u00e9",
    ],
)  # fmt: skip
def test_an_unusual_base_url_is_refused_and_not_repeated(profile: Path, url: str):
    said = problem(profile, f"providers:\n  x: {{kind: openai, base_url: {url!r}}}\n")
    assert "providers.x.base_url: is not a plain http or https address" in said
    assert "hunter2" not in said


def test_a_key_in_the_place_of_its_variables_name_is_not_repeated(profile: Path):
    entry = "{kind: openai, base_url: 'https://a.example', api_key_env: sk-hunter2}"
    said = problem(profile, f"providers:\n  x: {entry}\n")
    assert "providers.x.api_key_env: must be the NAME of an environment variable" in said
    assert "hunter2" not in said


def test_a_provider_says_which_of_openais_apis_it_is_asked_through(profile: Path):
    loaded = load(profile, "providers:\n  x: {kind: openai, base_url: 'https://a.example/v1', api: responses}\n")
    provider = loaded.provider("x")
    assert provider is not None
    assert provider.api == "responses"
    wrong = "providers:\n  x: {kind: anthropic, base_url: 'https://a.example', api: responses}\n"
    assert "providers.x.api: is for providers of kind openai" in problem(profile, wrong)


@pytest.mark.parametrize("name", ["X", "a b", "'a:b'", "''", "a" * 33])
def test_a_providers_name_is_short_and_plain(profile: Path, name: str):
    said = problem(profile, f"providers:\n  {name}: {{kind: openai, base_url: 'https://a.example'}}\n")
    assert "a provider's name has small letters, digits" in said


@pytest.mark.parametrize(
    ("url", "host", "loopback"),
    [
        ("http://127.0.0.1:9/v1", "127.0.0.1", True),
        ("http://127.9.9.9", "127.9.9.9", True),
        ("HTTP://LocalHost:9", "localhost", True),
        ("http://[::1]:9/v1", "::1", True),
        ("https://[0:0::1]", "::1", True),
        ("https://API.Example.com./v1", "api.example.com", False),
        ("https://192.168.1.5:8000", "192.168.1.5", False),
        ("https://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", False),
        ("https://localhost.example.com", "localhost.example.com", False),
    ],
)
def test_only_this_machine_is_local_by_itself(profile: Path, url: str, host: str, loopback: bool):
    found = spec(profile, f"{{kind: openai, base_url: '{url}'}}")
    assert (found.loopback, found.local) == (loopback, loopback)
    assert found.host in {host, "::ffff:7f00:1"}


def test_a_machine_in_the_lan_is_local_when_the_profile_says_so_and_must_be_whitelisted(profile: Path):
    found = spec(profile, "{kind: openai, base_url: 'http://192.168.1.5:8000/v1', local: true}")
    assert (found.loopback, found.local, found.must_be_whitelisted) == (False, True, True)


def test_a_loopback_provider_that_is_not_local_is_paid_and_must_be_whitelisted(profile: Path):
    price = "{input_per_mtok: 0.0015, output_per_mtok: 2}"
    found = spec(profile, f"{{kind: openai, base_url: 'http://127.0.0.1:9', local: false, price: {price}}}")
    assert (found.loopback, found.local, found.must_be_whitelisted, found.key_needed) == (True, False, True, False)
    assert found.price == Price(input_nanos=2, output_nanos=2_000)
    assert spec(profile, "{kind: openai, base_url: 'http://127.0.0.1:9', local: false}").price is None


def test_a_context_can_be_declared_without_a_price(profile: Path):
    found = spec(profile, "{kind: openai, base_url: 'http://127.0.0.1:9', price: {context: 8192}}")
    assert (found.price, found.context_tokens) == (None, 8192)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{}", (None, None, None)),
        ("{concurrency: 1, memory_gb: 12, keep_alive: 30m}", (1, 12_000_000_000, "30m")),
        ("{concurrency: 1000, memory_gb: 0.5, keep_alive: 1h30m}", (1000, 500_000_000, "1h30m")),
        ("{keep_alive: 0}", (None, None, "0")),
        ("{keep_alive: -1}", (None, None, "-1")),
        ("{keep_alive: '-1', memory_gb: 0.0000000019}", (None, 1, "-1")),
        ("{keep_alive: '90s'}", (None, None, "90s")),
    ],
)
def test_what_a_server_can_do_at_once_and_keep_in_memory_is_declared(
    profile: Path, entry: str, expected: tuple[int | None, int | None, str | None]
):
    found = load(profile, f"providers: {{ollama: {entry}}}\n").provider("ollama")
    assert found is not None
    assert (found.concurrency, found.memory_bytes, found.keep_alive) == expected
    assert replace(found, concurrency=None, memory_bytes=None, keep_alive=None) == VENDORS["ollama"]


def test_an_entry_with_a_built_in_name_changes_only_what_it_says(profile: Path):
    loaded = load(profile, "providers: {openai: {default_model: gpt-6-luna, price: {context: 9}}}\n")
    row = VENDORS["openai"]
    found = loaded.provider("openai")
    assert found is not None
    assert (found.base_url, found.api_key_env, found.price_provider) == (row.base_url, row.api_key_env, "openai")
    assert (found.default_model, found.context_tokens) == ("gpt-6-luna", 9)


def test_a_built_in_name_at_another_host_keeps_neither_the_key_nor_the_price_list(profile: Path):
    found = load(profile, "providers: {openai: {base_url: 'https://gateway.example.com/v1'}}\n").provider("openai")
    assert found is not None
    assert (found.api_key_env, found.key_needed, found.price_provider) == ((), False, None)


def test_what_a_vendor_tells_of_its_bill_goes_by_the_host(profile: Path):
    moved = load(profile, "providers: {openrouter: {base_url: 'https://gateway.example.com/v1'}}\n").provider(
        "openrouter"
    )
    named = spec(profile, "{kind: openai, base_url: 'https://api.x.ai/v1'}")
    assert VENDORS["openrouter"].bill == "dollars_and_upstream"
    assert moved is not None
    assert (moved.bill, named.bill) == (None, "ticks")


def test_the_embedded_model_has_no_address_to_change(profile: Path):
    assert "base_url: unknown key" in problem(profile, "providers: {embedded: {base_url: 'https://a.example'}}\n")
    found = load(profile, "providers: {embedded: {default_model: qwen}}\n").provider("embedded")
    assert found is not None
    assert found.default_model == "qwen"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_port_of_this_machine_belongs_to_the_profiles_own_provider(profile: Path, host: str):
    entry = f"{{kind: openai, base_url: 'http://{host}:8000/v1', price: {{input_per_mtok: 1, output_per_mtok: 1}}}}"
    names = [found.name for found in load(profile, f"providers:\n  mygpu: {entry}\n").providers]
    assert "vllm" not in names
    assert {"mygpu", "llamacpp", "ollama"} <= set(names)


def test_a_model_of_a_built_in_provider_whose_port_was_taken_is_refused(profile: Path):
    text = (
        "routing_rules: {local_models: ['vllm:a']}\n"
        "providers: {mygpu: {kind: openai, base_url: 'http://127.0.0.1:8000/v1'}}\n"
    )
    assert "the address of vllm is taken by a provider of this profile" in problem(profile, text)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path):
    assert refusal(lambda: read_profile(tmp_path)) == f"{tmp_path}: is a folder; give a file in it"
    missing = tmp_path / "none.yaml"
    assert refusal(lambda: read_profile(missing)).startswith(f"{missing}: No such file or directory; check the path")


@pytest.mark.skipif(os.name != "posix", reason="needs a device file")
def test_a_device_or_a_pipe_is_refused_instead_of_waited_for():
    assert refusal(lambda: read_profile(Path(os.devnull))) == f"{os.devnull}: is not a regular file; give a file"


def test_without_the_c_parser_a_profile_reads_the_same(profile: Path, monkeypatch: pytest.MonkeyPatch):
    expected = load(profile, CONTRACT)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert load(profile, CONTRACT) == expected
    assert "2: is not YAML: " in problem(profile, "routing_rules:\n\tfallback: local\n")


YAML_PIECES = st.sampled_from(
    [
        "profile", "monthly_budget", "routing_rules", "cloud_models", "local_models", "providers", "price", "kind",
        "base_url", "openai:gpt-6.1-sol", "gemini-pro", ": ", ":", "\n", "\n  ", "\n    ", "- ", "[", "]", "{", "}",
        ", ", "0.6", "-1", "1e9", "true", "null", "~", "'", '"', "#", "&a ", "*a", "!!str ", "|", ">", "---", "...",
        "\t", "%YAML 1.1", "? ", "<<", "\u2028", "\x85", "\ufeff", "\x00", "\\", "http://127.0.0.1:8000/v1",
    ]
)  # fmt: skip
YAML_LIKE = st.lists(YAML_PIECES | st.text(max_size=4), max_size=40).map("".join)


def attempt(path: Path) -> Profile | str:
    """The profile, or the message of its refusal."""
    try:
        return read_profile(path).profile
    except ConfigError as error:
        return str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(text=YAML_LIKE | st.text())
@example(text=CONTRACT)
def test_any_text_either_loads_or_is_refused_with_one_line(profile: Path, text: str):
    found = attempt(write(profile, text))
    if isinstance(found, str):
        assert found.startswith(str(profile))
        assert found.splitlines() == [found]
        assert len(found) < 1000
    else:
        models = (*found.rules.local_models, *found.rules.cloud_models)
        assert {model.provider for model in models} <= {provider.name for provider in found.providers}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_either_load_or_are_refused(profile: Path, data: bytes):
    found = attempt(write(profile, data))
    assert isinstance(found, Profile) or found.startswith(str(profile))


@pytest.mark.parametrize(
    ("written", "judge"),
    [("ollama:qwen2.5:7b", ModelName(provider="ollama", model="qwen2.5:7b")), ("null", None)],
)
def test_a_local_model_may_judge_the_others(profile: Path, written: str, judge: ModelName | None):
    assert load(profile, f"routing_rules: {{judge: {written}}}").rules.judge == judge


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("openai:gpt-6.1-sol", "openai is not local; a judge runs on this machine"),
        ("qwen2.5", "'qwen2.5' has no provider"),
        ("[ollama:a]", "must be a text, not a list"),
    ],
)
def test_a_judge_that_cannot_be_one_is_an_error(profile: Path, written: str, told: str):
    assert told in problem(profile, f"routing_rules: {{judge: {written}}}")


@pytest.mark.parametrize("written", ["off", "'off'"])
def test_a_word_that_yaml_takes_for_a_boolean_is_still_that_word(profile: Path, written: str):
    assert load(profile, f"code_check: {written}").code_check == "off"
