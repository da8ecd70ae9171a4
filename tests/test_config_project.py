"""Which project's budget is spent, and the two caps that go with clients and projects."""

from __future__ import annotations

import ntpath
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile
from tests.support_config import refusal, write


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work" / "my api"
    made.mkdir(parents=True)
    return made


def project(home: Path, flag: str | None = None, **environ: str) -> str:
    return load_settings(environ=environ, home=home, project=flag).project


def profile(home: Path, text: str, **environ: str) -> Profile:
    write(home / "profiles" / "balanced.yaml", text)
    return load_settings(environ=environ, home=home).profile


# Which project


def test_the_flag_wins_over_the_variable_and_the_variable_over_the_folder_of_the_start(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    assert project(home) == str(folder)
    assert project(home, HYBRID_MCP_PROJECT="thesis") == "thesis"
    assert project(home, "shop", HYBRID_MCP_PROJECT="thesis") == "shop"


@pytest.mark.parametrize("value", ["", " \t"])
def test_an_empty_variable_counts_as_unset_but_an_empty_flag_is_an_error(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
):
    monkeypatch.chdir(folder)
    assert project(home, HYBRID_MCP_PROJECT=value) == str(folder)
    said = refusal(lambda: project(home, value))
    assert said == "--project: '' is neither a folder nor a name; use 1 to 200 visible characters"


def test_every_way_to_write_a_folder_is_one_project(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    (folder.parent / "link").symlink_to(folder)
    whole = str(folder)
    ways = [whole, f" {whole}{os.sep} ", "my api", "./my api", "link", "../work/link", "~/my api", f"{whole}/../link"]
    assert {project(home, way) for way in ways} == {whole}
    assert {project(home, HYBRID_MCP_PROJECT=way) for way in ways} == {whole}
    monkeypatch.chdir(folder.parent / "link")
    assert project(home) == project(home, ".") == whole


def test_two_folders_of_one_name_are_two_projects(home: Path, folder: Path):
    other = folder.parent.parent / "elsewhere" / folder.name
    other.mkdir(parents=True)
    assert project(home, str(folder)) != project(home, str(other))


def test_what_is_no_folder_is_a_name(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    write(folder / "notes.txt", "x")
    for name in ("thesis", "Müller & Söhne", "team/api", "notes.txt", "~nobody-has-this-name/x", "gone/", "x" * 200):
        assert project(home, f"  {name} ") == name


def test_a_folder_that_was_deleted_keeps_its_project(home: Path, folder: Path):
    before = project(home, str(folder))
    folder.rmdir()
    assert project(home, str(folder)) == before


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\x00b", "a\x1b[31m", "\ud800", "x" * 5000])
def test_what_is_neither_a_folder_nor_a_name_is_an_error_that_says_where_it_was_given(home: Path, name: str):
    said = refusal(lambda: project(home, name))
    assert said.startswith("--project: ")
    assert said.endswith(" is neither a folder nor a name; use 1 to 200 visible characters")
    said = refusal(lambda: project(home, HYBRID_MCP_PROJECT=name))
    assert said.startswith("environment: HYBRID_MCP_PROJECT: ")
    assert said.endswith(" is neither a folder nor a name; use 1 to 200 visible characters, or unset it")


def test_a_variable_that_the_client_left_as_it_is_does_not_become_everyones_project(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    said = refusal(lambda: project(home, "${workspaceFolder}"))
    assert said == (
        "--project: '${workspaceFolder}' holds a variable that the client did not fill in; write a folder or a name"
    )
    monkeypatch.chdir(folder)
    (folder / "${x}").mkdir()
    assert project(home, "${x}") == str(folder / "${x}")


@pytest.mark.skipif(os.name != "posix", reason="elsewhere no folder can have such a name")
def test_a_folder_whose_name_cannot_be_printed_is_still_a_project_of_its_own(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    strange = [folder / "a\nb", folder / "a\x1b[31mb", folder / os.fsdecode(b"caf\xe9")]
    seen = {project(home, str(folder))}
    for path in strange:
        path.mkdir()
        monkeypatch.chdir(path)
        seen.add(project(home))
    assert len(seen) == 4
    assert all(name.isprintable() for name in seen)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the folder of a running program cannot be removed")
def test_a_program_started_in_a_folder_that_is_gone_asks_for_the_project(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder)
    folder.rmdir()
    said = refusal(lambda: project(home))
    assert said.startswith("the folder in which hybrid-mcp was started cannot be found any more; name the project")
    assert project(home, "thesis") == project(home, HYBRID_MCP_PROJECT="thesis") == "thesis"


def test_on_windows_the_case_of_a_folder_does_not_count_and_that_of_a_name_does(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os.path, "normcase", ntpath.normcase)
    upper = folder / "API"
    upper.mkdir()
    assert project(home, str(upper)) == ntpath.normcase(str(upper))
    assert project(home, "Thesis") == "Thesis"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(text=st.text(max_size=250) | st.from_regex(r"[~./\\${}:%a-c]{1,9}"))
@example(text="~")
@example(text="/" * 300)
def test_any_text_is_a_printable_project_or_an_error(home: Path, text: str):
    try:
        outcome = project(home, text)
    except ConfigError as error:
        outcome = str(error)
        refused = outcome.startswith("--project: ")
    else:
        refused = False
    assert refused or outcome == outcome.strip() != ""
    assert outcome.isprintable()


# The caps


def test_the_caps_of_a_client_and_a_project_are_read_from_the_profile(home: Path):
    found = profile(home, "profile: x\nclient_budget: 0.25\nproject_budget: 2\n")
    assert (found.client_budget, found.project_budget) == (Usd(250_000_000), Usd.limit(2))
    found = profile(home, "profile: x\nclient_budget: null\nproject_budget: 0\n")
    assert (found.client_budget, found.project_budget) == (None, Usd(0))


def test_without_them_there_is_no_such_cap(home: Path):
    found = load_settings(environ={}, home=home).profile
    assert (found.client_budget, found.project_budget) == (None, None)


def test_the_environment_wins_over_the_file_also_with_zero(home: Path):
    text = "profile: x\nclient_budget: 1\nproject_budget: 2\n"
    found = profile(home, text, CLIENT_BUDGET="0", PROJECT_BUDGET="7.5")
    assert (found.client_budget, found.project_budget) == (Usd(0), Usd.limit("7.5"))
    found = profile(home, text, CLIENT_BUDGET="", PROJECT_BUDGET=" ")
    assert (found.client_budget, found.project_budget) == (Usd.limit(1), Usd.limit(2))


@pytest.mark.parametrize("key", ["client_budget", "project_budget"])
@pytest.mark.parametrize(("written", "told"), [("ten", "'ten' is not a number"), ("-1", "'-1' is negative; write 0")])
def test_a_cap_that_cannot_be_read_is_an_error_that_says_where_it_stands(home: Path, key: str, written: str, told: str):
    said = refusal(lambda: profile(home, f"profile: x\n{key}: {written}\n"))
    assert f"balanced.yaml:2: {key}: {told}" in said
    said = refusal(lambda: profile(home, "profile: x\n", **{key.upper(): written}))
    assert said.startswith(f"environment: {key.upper()}: {told}")


def test_neither_of_them_takes_the_place_of_a_cap_on_everything(home: Path):
    text = "client_budget: 1\nproject_budget: 1\nrouting_rules: {cloud_models: ['openai:gpt-6.1-sol']}\n"
    write(home / "profiles" / "balanced.yaml", text)
    assert [notice.partition(": ")[2] for notice in load_settings(environ={}, home=home).notices] == [
        "paid models are listed, and no monthly_budget or daily_budget limits them; set one"
    ]
