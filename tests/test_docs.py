"""What the documents say can be done: commands that the program takes, links that lead somewhere, files that load."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_mcp.commands import parser
from hybrid_mcp.config.profile_file import read_profile
from tests.support_config import write

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SYNOPSIS = re.compile(r"\b[A-Z]{3,}\b|[\[|<]|\.\.\.")
"""What stands for something else, such as `install CLIENT [--yes]`."""


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            if found[1] == kind:
                yield page.name, found[2]


def commands() -> list[tuple[str, str]]:
    whole = ((page, block.replace("\\\n", "")) for page, block in blocks("console"))
    lines = ((page, line) for page, block in whole for line in block.splitlines())
    given = [
        (page, line.removeprefix("$ hybrid-mcp").strip()) for page, line in lines if line.startswith("$ hybrid-mcp")
    ]
    return [(page, line) for page, line in given if not _SYNOPSIS.search(line)]


def anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_in_a_document_is_one_that_the_program_takes(page: str, line: str):
    given = shlex.split(line, comments=True)
    assert page
    cli = parser()
    _, shared, _ = cli.meta.parse_args(given, exit_on_error=False, print_error=False)
    cli.parse_args(shared.arguments["tokens"], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_in_a_document_leads_somewhere(page: Path):
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        meant = page.parent / path if path else page
        assert meant.exists(), target
        assert not anchor or anchor in anchors(meant), target


def test_json_in_a_document_is_json():
    for page, block in blocks("json"):
        assert json.loads(block) is not None, page


def test_the_profile_in_the_documents_loads(tmp_path: Path):
    texts = [block for page, block in blocks("yaml") if page == "configuration.md" and block.startswith("profile:")]
    assert texts
    for text in texts:
        assert read_profile(write(tmp_path / "mine.yaml", text)).profile.name
