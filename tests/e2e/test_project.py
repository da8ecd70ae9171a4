"""The installed program takes a project before or after any command, and refuses what cannot be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support_e2e import printed, run, write_profile


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_profile(tmp_path)
    return tmp_path


def test_a_project_stands_before_or_after_the_command_or_in_the_environment(home: Path):
    before = printed(run(home, "--project", "thesis", "budget", "--json"))
    after = printed(run(home, "budget", "--json", "--project", str(home)))
    variable = printed(run(home, "budget", "--json", HYBRID_MCP_PROJECT="thesis"))
    assert before == after == variable


@pytest.mark.parametrize("command", [["budget"], ["serve"], [], ["doctor"], ["ask", "hi", "--dry-run"]])
def test_a_project_that_cannot_be_one_stops_every_command_and_the_server(home: Path, command: list[str]):
    flag = run(home, *command, "--project", "a\nb")
    variable = run(home, *command, HYBRID_MCP_PROJECT="a\nb")
    for done, told in ((flag, "--project: 'a\\nb' is neither"), (variable, "HYBRID_MCP_PROJECT: 'a\\nb' is neither")):
        assert (done.returncode, done.stdout) == (1, "")
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_demo_hands_the_project_on_to_its_server(home: Path):
    done = run(home, "demo", "--project", "${workspaceFolder}")
    assert done.returncode != 0
    assert "--project: '${workspaceFolder}' holds a variable" in done.stderr


@pytest.mark.parametrize("name", ["CLIENT_BUDGET", "PROJECT_BUDGET"])
def test_a_cap_that_cannot_be_read_stops_the_program(home: Path, name: str):
    done = run(home, "budget", **{name: "much"})
    assert done.returncode == 1
    assert done.stderr.startswith(f"hybrid-mcp: environment: {name}: 'much' is not a number")


def test_help_names_the_flag_and_its_variable(home: Path):
    told = " ".join(run(home, "--help").stdout.split())
    assert "--project" in told
    assert "HYBRID_MCP_PROJECT" in told
