"""whitelist.json: read whole or refused, seen at once when it changes, and added to without losing anything."""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_mcp.config import LiveWhitelist, add_entry, load_whitelist, packaged, whitelist_access
from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.config.whitelist_access import whitelist_notices
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.whitelist import ResourceType, Whitelist
from tests.support_config import refusal, write

SEED = """\
{
  "cloud_apis": [
    "openai.com",
    "anthropic.com",
    "googleapis.com"
  ],
  "domains": [
    "github.com",
    "stackoverflow.com",
    "docs.microsoft.com"
  ],
  "mcp_servers": [
    "memory",
    "sequential-thinking",
    "context7",
    "filesystem",
    "git"
  ],
  "allowed_for_cloud": {
    "reasoning_tasks": true,
    "code_review": true,
    "architecture_design": true,
    "simple_completion": false,
    "inline_completion": false
  }
}
"""
SEED_LISTS = Whitelist(
    cloud_apis=("openai.com", "anthropic.com", "googleapis.com"),
    domains=("github.com", "stackoverflow.com", "docs.microsoft.com"),
    mcp_servers=("memory", "sequential-thinking", "context7", "filesystem", "git"),
    allowed_for_cloud={
        "reasoning_tasks": True, "code_review": True, "architecture_design": True, "simple_completion": False,
        "inline_completion": False,
    },
)  # fmt: skip
posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def path(home: Path) -> Path:
    return home / "whitelist.json"


def problem(path: Path, text: str | bytes) -> str:
    """What is wrong with the file, after its path."""
    message = refusal(lambda: load_whitelist(write(path, text)))
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:")


def test_the_first_file_and_the_packaged_one_mean_the_same_lists(path: Path):
    assert load_whitelist(write(path, SEED)) == SEED_LISTS
    assert load_whitelist(packaged("whitelist.json")) == SEED_LISTS


def test_a_missing_key_is_an_empty_list(path: Path):
    assert load_whitelist(write(path, "{}")) == Whitelist()


def test_entries_are_compared_in_one_form(path: Path):
    text = '{"cloud_apis": ["API.Example.com.", "api.example.com", "https://x.example/v1"], "domains": ["[0::1]"]}'
    assert load_whitelist(write(path, text)) == Whitelist(cloud_apis=("api.example.com", "x.example"), domains=("::1",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: is not JSON: Expecting value (column 1)"),
        ('{\n  "domains": [\n}\n', "3: is not JSON: "),
        ("[]", " must be a JSON object with the keys cloud_apis, domains"),
        ('"x"', " must be a JSON object"),
        ("null", " must be a JSON object"),
        ("9" * 5000, " holds a number or a nesting that no whitelist has"),
        ("[" * 100_000, " holds a number or a nesting that no whitelist has"),
        ('{"apis": []}', " 'apis': unknown key; did you mean cloud_apis?"),
        ('{"domians": []}', " 'domians': unknown key; did you mean domains"),
        ('{"zzz": []}', " 'zzz': unknown key; use one of cloud_apis, domains"),
        ('{"domains": [], "domains": []}', " 'domains': stands twice; keep one of them"),
        ('{"allowed_for_cloud": {"a": true, "a": false}}', " 'a': stands twice"),
        ('{"domains": "github.com"}', " domains: must be a list of names"),
        ('{"domains": null}', " domains: must be a list of names"),
        ('{"domains": {"a.example": true}}', " domains: must be a list of names"),
        ('{"domains": [5]}', " domains[0]: must be a name in quotes"),
        ('{"domains": ["a.example", "com"]}', " domains[1]: 'com': a single label would cover a whole top-level"),
        ('{"domains": ["a.example", "co.uk"]}', " domains[1]: 'co.uk': strangers have names under co.uk: name the one"),
        ('{"cloud_apis": ["s3.amazonaws.com"]}', " cloud_apis[0]: 's3.amazonaws.com': strangers have names under"),
        ('{"cloud_apis": ["169.254.169.254"]}', " cloud_apis[0]: '169.254.169.254': a cloud keeps the secrets"),
        ('{"cloud_apis": [""]}', " cloud_apis[0]: '': the host is empty"),
        ('{"cloud_apis": ["*.example.com"]}', " cloud_apis[0]: '*.example.com': the host has characters"),
        ('{"cloud_apis": ["\u0430pi.example.com"]}', "the host has characters outside ASCII"),
        ('{"cloud_apis": ["0x7f.1"]}', "the host is a number that only some programs read"),
        ('{"mcp_servers": ["a b"]}', " mcp_servers[0]: 'a b': use letters, digits"),
        ('{"allowed_for_cloud": ["code_review"]}', " allowed_for_cloud: must be an object of task types"),
        ('{"allowed_for_cloud": {"a": "true"}}', " allowed_for_cloud.'a': must be true or false, without quotes"),
        ('{"allowed_for_cloud": {"a": 1}}', " allowed_for_cloud.'a': must be true or false"),
        ('{"allowed_for_cloud": {"a b": true}}', " allowed_for_cloud: 'a b': use letters, digits"),
        (b'\xef\xbb\xbf{"domains": []}', "1: starts with a byte order mark"),
        (b'{"domains": ["\xff"]}', "1: is not UTF-8 text"),
        ('{"domains": ["\\ud800.example"]}', r"domains[0]: '\ud800.example': the host has characters outside ASCII"),
    ],
)
def test_a_file_with_one_bad_part_is_refused_whole(path: Path, text: str | bytes, expected: str):
    assert expected in problem(path, text)


# The live whitelist


def test_without_a_file_the_default_holds_and_nothing_is_created(path: Path):
    live = LiveWhitelist(path)
    assert live() == live() == SEED_LISTS
    assert not path.parent.exists()


def test_a_change_counts_at_once(path: Path):
    live = LiveWhitelist(path)
    assert live() == SEED_LISTS
    write(path, '{"domains": ["a.example"]}')
    assert live().domains == ("a.example",)
    write(path, '{"domains": ["a.example", "b.example"]}')
    assert live().domains == ("a.example", "b.example")
    add_entry(path, "domains", "c.example")
    assert live().domains == ("a.example", "b.example", "c.example")


def test_a_file_of_the_same_size_and_time_that_took_the_place_of_the_old_one_is_seen(path: Path):
    live = LiveWhitelist(path)
    times = (10**18, 10**18)
    os.utime(write(path, '{"domains": ["a.example"]}'), ns=times)
    assert live().domains == ("a.example",)
    new = write(path.with_name("new"), '{"domains": ["b.example"]}')
    os.utime(new, ns=times)
    new.replace(path)
    assert live().domains == ("b.example",)


def test_a_file_that_was_changed_in_place_to_the_same_size_and_time_is_seen(path: Path):
    live = LiveWhitelist(path)
    times = (10**18, 10**18)
    for name in ("a.example", "b.example", "c.example"):
        os.utime(write(path, json.dumps({"domains": [name]})), ns=times)
        assert live().domains == (name,)


def test_an_unchanged_file_is_not_taken_apart_again(path: Path):
    write(path, SEED)
    live = LiveWhitelist(path)
    assert live() is live()


def test_a_file_that_becomes_broken_refuses_until_it_is_mended(path: Path):
    live = LiveWhitelist(path)
    write(path, SEED)
    assert live() == SEED_LISTS
    write(path, '{"domains": [')
    for _ in range(3):
        assert "is not JSON" in refusal(live)
    write(path, "{}")
    assert live() == Whitelist()


@pytest.mark.parametrize("text", [SEED, "{broken"])
def test_a_file_that_is_gone_does_not_bring_back_the_default(path: Path, text: str):
    live = LiveWhitelist(path)
    write(path, text)
    _ = live() if text == SEED else refusal(live)
    path.unlink()
    assert "was there and is gone; put it back" in refusal(live)
    write(path, "{}")
    assert live() == Whitelist()


def test_a_folder_or_a_dead_link_in_its_place_refuses(path: Path):
    path.mkdir(parents=True)
    assert "is a folder" in refusal(LiveWhitelist(path))
    path.rmdir()
    path.symlink_to(path.with_name("gone"))
    assert "is a link to a file that does not exist" in refusal(LiveWhitelist(path))


def test_a_home_that_is_a_file_refuses(home: Path, path: Path):
    write(home, "x")
    assert "Not a directory" in refusal(LiveWhitelist(path))


# Adding


def test_the_first_entry_copies_the_packaged_file(path: Path):
    assert add_entry(path, "cloud_apis", "openrouter.ai") is True
    added = path.read_text(encoding="utf-8")
    assert added == SEED.replace('    "googleapis.com"\n', '    "googleapis.com",\n    "openrouter.ai"\n')


@pytest.mark.parametrize(
    ("kind", "name"), [("cloud_apis", "OpenAI.com."), ("mcp_servers", "git"), ("allowed_for_cloud", "code_review")]
)
def test_an_entry_that_stands_there_is_not_written_again(path: Path, kind: ResourceType, name: str):
    write(path, SEED)
    before = path.stat()
    assert add_entry(path, kind, name) is False
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_task_that_was_kept_local_becomes_allowed_in_every_spelling_of_it(path: Path):
    path.parent.mkdir()
    path.write_text('{"allowed_for_cloud": {"Code-Review": false, "code_review": true}}', encoding="utf-8")
    assert add_entry(path, "allowed_for_cloud", "code_review") is True
    assert json.loads(path.read_bytes()) == {"allowed_for_cloud": {"Code-Review": True, "code_review": True}}
    assert add_entry(path, "allowed_for_cloud", "CODE_REVIEW") is False


def test_a_task_that_was_kept_local_becomes_allowed_in_its_place(path: Path):
    write(path, SEED)
    assert add_entry(path, "allowed_for_cloud", "simple_completion") is True
    assert path.read_text(encoding="utf-8") == SEED.replace('"simple_completion": false', '"simple_completion": true')


def test_a_missing_list_is_made(path: Path):
    write(path, "{}")
    assert add_entry(path, "mcp_servers", "git") is True
    assert add_entry(path, "allowed_for_cloud", "docs") is True
    assert json.loads(path.read_bytes()) == {"mcp_servers": ["git"], "allowed_for_cloud": {"docs": True}}


def test_indentation_line_ends_and_permissions_are_kept(path: Path):
    write(path, '{\r\n\t"domains": []\r\n}\r\n')
    path.chmod(0o640)
    add_entry(path, "domains", "a.example")
    assert path.read_bytes() == b'{\r\n\t"domains": [\r\n\t\t"a.example"\r\n\t]\r\n}\r\n'
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "name", ["com", "co.uk", "github.io", "amazonaws.com", "", "*.example.com", "a.example\n", "a.example/../b"]
)
def test_an_entry_that_would_cover_too_much_is_refused_before_anything_is_created(path: Path, name: str):
    assert refusal(lambda: add_entry(path, "domains", name)).startswith("domains: the entry cannot be used: ")
    assert not path.parent.exists()


@pytest.mark.parametrize("text", ['{"domains": [', '{"domains": ["com"]}', '{"extra": 1}', ""])
def test_a_broken_file_is_left_as_it_is(path: Path, text: str):
    write(path, text)
    assert refusal(lambda: add_entry(path, "domains", "a.example")).startswith(f"{path}:")
    assert path.read_text(encoding="utf-8") == text


def _leftovers(home: Path) -> set[str]:
    return {entry.name for entry in home.iterdir()} - {"whitelist.json", "whitelist.json.lock"}


@posix
def test_a_file_or_folder_that_its_owner_made_read_only_is_left_as_it_is(home: Path, path: Path):
    write(path, SEED)
    path.chmod(0o444)
    assert "cannot be changed (it is read-only); nothing was added" in refusal(
        lambda: add_entry(path, "domains", "a.b")
    )
    path.chmod(0o644)
    home.chmod(0o555)
    try:
        assert "nothing was added" in refusal(lambda: add_entry(path, "domains", "a.b"))
    finally:
        home.chmod(0o755)
    assert path.read_text(encoding="utf-8") == SEED
    assert _leftovers(home) == set()


def test_a_full_disk_loses_nothing_and_leaves_no_part(home: Path, path: Path, monkeypatch: pytest.MonkeyPatch):
    write(path, SEED)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = refusal(lambda: add_entry(path, "domains", "a.example"))
    assert said == f"{path}: cannot be changed (No space left on device); nothing was added. Mend that and try again"
    assert path.read_text(encoding="utf-8") == SEED
    assert _leftovers(home) == set()


@posix
def test_a_reader_in_the_middle_of_a_change_still_reads_the_whole_old_file(path: Path):
    write(path, SEED)
    with path.open(encoding="utf-8") as reader:
        start = reader.read(10)
        add_entry(path, "domains", "a.example")
        assert start + reader.read() == SEED


@posix
def test_a_link_out_of_the_home_is_refused_and_its_target_left_alone(home: Path, path: Path, tmp_path: Path):
    outside = write(tmp_path / "elsewhere" / "whitelist.json", SEED)
    home.mkdir()
    path.symlink_to(outside)
    said = refusal(lambda: add_entry(path, "domains", "a.example"))
    assert said.startswith(f"{path}: is a link to {outside}, outside of the home folder")
    assert outside.read_text(encoding="utf-8") == SEED
    assert path.is_symlink()
    assert load_whitelist(path) == SEED_LISTS


@posix
def test_a_link_inside_the_home_stays_a_link(home: Path, path: Path):
    target = write(home / "lists" / "mine.json", "{}")
    path.symlink_to(target)
    assert add_entry(path, "domains", "a.example") is True
    assert path.is_symlink()
    assert load_whitelist(target).domains == ("a.example",)


@posix
def test_a_home_that_is_itself_a_link_can_be_written(home: Path, path: Path, tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    home.symlink_to(real)
    assert add_entry(path, "domains", "a.example") is True
    assert "a.example" in load_whitelist(real / "whitelist.json").domains


@posix
def test_a_link_that_leads_to_itself_is_refused(home: Path, path: Path):
    home.mkdir()
    path.symlink_to(path)
    assert refusal(lambda: add_entry(path, "domains", "a.example")).startswith(f"{path}: ")


@posix
@pytest.mark.parametrize(("mode", "told"), [(0o666, "every user of this machine"), (0o606, "every user"), (0o644, "")])
def test_a_file_that_everyone_may_write_is_told_and_gets_no_entry(path: Path, mode: int, told: str):
    write(path, "{}").chmod(mode)
    assert told in "".join(whitelist_notices(path))
    if told:
        assert told in refusal(lambda: add_entry(path, "domains", "a.example"))
        assert path.read_text(encoding="utf-8") == "{}"
    else:
        assert whitelist_notices(path) == ()
        assert add_entry(path, "domains", "a.example") is True


@posix
def test_a_folder_in_which_everyone_may_put_another_file_is_told_and_gets_no_entry(home: Path, path: Path):
    home.mkdir()
    home.chmod(0o777)
    assert whitelist_notices(path) == (f"{home} may be written by every user of this machine: run `chmod o-w` on it",)
    assert "`chmod o-w` takes that away" in refusal(lambda: add_entry(path, "domains", "a.example"))
    assert list(home.glob("*.json")) == []


@posix
def test_a_group_that_may_write_is_told_unless_it_is_the_users_own(path: Path, monkeypatch: pytest.MonkeyPatch):
    write(path, "{}").chmod(0o664)
    monkeypatch.setattr(whitelist_access, "_is_own_group", lambda number: False)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert whitelist_notices(path) == (
        f"{path} may be written by its group: if that is not meant, run `chmod g-w` on it",
    )
    monkeypatch.setattr(whitelist_access, "_is_own_group", lambda number: True)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert whitelist_notices(path) == ()
    assert add_entry(path, "domains", "a.example") is True


@posix
def test_a_file_of_another_user_is_told(path: Path, monkeypatch: pytest.MonkeyPatch):
    owner = write(path, "{}").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert bool(whitelist_notices(path)) is (owner != 0)


@posix
def test_a_link_out_of_the_home_is_told(home: Path, path: Path, tmp_path: Path):
    outside = write(tmp_path / "elsewhere" / "whitelist.json", SEED)
    home.mkdir()
    path.symlink_to(outside)
    assert whitelist_notices(path) == (
        f"{path} is a link to {outside}, outside of the home folder: entries are added there by hand",
    )


def test_nothing_is_told_of_a_home_that_is_not_there_yet(path: Path):
    assert whitelist_notices(path) == ()


def _an_editor_saves(path: Path, name: str) -> None:
    """As most editors do it: a new file takes the place of the old one, and no lock is asked for."""
    listed = [*load_whitelist(path).domains, name] if path.exists() else [name]
    write(path.with_name("saved~"), json.dumps({"domains": listed})).replace(path)


@pytest.mark.parametrize("before", [None, '{"domains": ["old.example"]}'])
def test_what_an_editor_saves_while_an_entry_is_added_is_kept(
    path: Path, before: str | None, monkeypatch: pytest.MonkeyPatch
):
    """The editor saves at the worst moment: the old file is read, the new one written, and not yet in its place."""
    if before is not None:
        write(path, before)
    hand_made = iter(["hand1.example", "hand2.example"])
    synced = os.fsync

    def sync_then_edit(descriptor: int) -> None:
        synced(descriptor)
        if (name := next(hand_made, None)) is not None:
            _an_editor_saves(path, name)

    monkeypatch.setattr(os, "fsync", sync_then_edit)
    assert add_entry(path, "domains", "added.example") is True
    old = () if before is None else ("old.example",)
    assert load_whitelist(path).domains == (*old, "hand1.example", "hand2.example", "added.example")
    assert _leftovers(path.parent) == set()


def test_an_editor_that_saves_the_entry_itself_first_is_enough(path: Path, monkeypatch: pytest.MonkeyPatch):
    write(path, "{}")
    synced = os.fsync

    def sync_then_edit(descriptor: int) -> None:
        synced(descriptor)
        _an_editor_saves(path, "added.example")

    monkeypatch.setattr(os, "fsync", sync_then_edit)
    assert add_entry(path, "domains", "added.example") is False
    assert load_whitelist(path).domains == ("added.example",)


def test_a_program_that_never_stops_writing_the_file_is_an_error_and_no_endless_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(path, "{}")
    synced, names = os.fsync, count()

    def sync_then_edit(descriptor: int) -> None:
        synced(descriptor)
        _an_editor_saves(path, f"host{next(names)}.example")

    monkeypatch.setattr(os, "fsync", sync_then_edit)
    assert "another program writes it all the time" in refusal(lambda: add_entry(path, "domains", "a.example"))
    assert "a.example" not in load_whitelist(path).domains


def test_many_writers_lose_no_entry(path: Path):
    names = [f"host{index}.example" for index in range(24)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(partial(add_entry, path, "domains"), names))
    assert load_whitelist(path).domains == (*SEED_LISTS.domains, *_in_any_order(path, names))


def _in_any_order(path: Path, names: list[str]) -> tuple[str, ...]:
    """The names in the order of the file, provided that each of them stands there once."""
    added = load_whitelist(path).domains[len(SEED_LISTS.domains) :]
    assert sorted(added) == sorted(names)
    return added


def _add_five(path: Path, first: int) -> None:
    for index in range(first, first + 5):
        add_entry(path, "domains", f"host{index}.example")


def test_many_processes_lose_no_entry(path: Path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_five, args=(path, first)) for first in (0, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    _in_any_order(path, [f"host{index}.example" for index in range(10)])


@pytest.mark.parametrize(
    "host",
    [
        "com", "dev", "co.uk", "com.au", "github.io", "vercel.app", "pages.dev", "herokuapp.com", "s3.amazonaws.com",
        "s3.eu-west-1.amazonaws.com", "us-east-1.compute.amazonaws.com", "amazonaws.com", "core.windows.net", "foo.ck",
        "xn--p1ai", "xn--55qx5d.cn", "cloudfront.net", "run.app", "netlify.app", "hf.space",
    ],
)  # fmt: skip
def test_names_under_which_strangers_have_names_are_known(host: str):
    assert is_public_suffix(host)


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "api.openai.com", "openrouter.ai", "my-app.github.io", "my-bucket.s3.amazonaws.com", "www.ck",
        "ollama", "gpubox", "my_ollama", "localhost", "gpubox.lan", "gpu.fritz.box", "googleapis.com",
    ],
)  # fmt: skip
def test_names_of_one_owner_may_be_entries(host: str):
    assert not is_public_suffix(host)


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["openai.com", "com", "127.0.0.1", "code_review", "a.example"]),
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(
        st.sampled_from(["cloud_apis", "domains", "mcp_servers", "allowed_for_cloud", "apis", "git"]), children,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(text=st.text() | JSON_LIKE.map(json.dumps) | st.text(alphabet='{}[]",: tru\\e01cloud_apis', max_size=40))
@example(text=SEED)
def test_any_text_is_a_whitelist_or_is_refused_with_one_line(path: Path, text: str):
    write(path, text)
    try:
        found: Whitelist | str = load_whitelist(path)
    except ConfigError as error:
        found = str(error)
    if isinstance(found, str):
        assert found.startswith(str(path))
        assert found.splitlines() == [found]
    else:
        assert not any(found.check_host(name).allowed for name in ("com", "evil.test", ""))


HOSTS = st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{2,5}){1,2}", fullmatch=True).filter(
    lambda host: not is_public_suffix(host)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(before=st.lists(HOSTS, max_size=4, unique=True), name=HOSTS)
def test_what_was_added_is_allowed_and_all_else_stays(path: Path, before: list[str], name: str):
    write(path, json.dumps({"domains": before}))
    assert add_entry(path, "domains", name) is (name not in before)
    found = load_whitelist(path)
    assert found.check_host(name).allowed
    assert found.domains == tuple(dict.fromkeys([*before, name]))
