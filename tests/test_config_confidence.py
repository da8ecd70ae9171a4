"""confidence.json: read whole or as if it were not there, and changed by one row at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.config import load_settings
from hybrid_mcp.config.confidence_file import ConfidenceFile
from hybrid_mcp.domain.calibration import Calibrated
from hybrid_mcp.domain.errors import ConfigError
from tests.support_config import refusal, write
from tests.support_e2e import run

GOOD = {"threshold": -0.8, "asked": 80, "right": 41, "auc": 0.72, "at": "2026-11-20T12:00:00+00:00"}
ONE = Calibrated(threshold=-0.8, asked=80, right=41, auc=0.72, at=datetime(2026, 11, 20, 12, tzinfo=UTC))


def row(**changes: object) -> str:
    return json.dumps({"here:m": {**GOOD, **changes}})


BROKEN: list[str | bytes] = [
    "", "{", "[]", "7", '{"here:m": 3}', '{"here:m": {}}', json.dumps({"m": GOOD}), json.dumps({":\n": GOOD}),
    row(threshold=0.1), row(threshold="-1"), row(threshold=float("nan")), row(threshold=-(10**400)), row(auc=2),
    row(right=81), row(threshold=-1e-320), row(threshold=-1e308), row(asked=0, right=0), row(right=7), row(right=73),
    row(at="9" * 200_000), row(at="0001-01-01T00:00:00+02:00"), row(asked=True),
    row(at="today"), row(at="2026-11-20T12:00:00"), row(at=None), "[" * 200_000,
    b"\xff\xfe{}", b'{"here:\xe9": 1}', row(at=f"{' ' * 300_000}"), "9" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:40]))
def test_a_broken_file_is_one_notice_that_says_what_to_do_and_stays_as_it_is(tmp_path: Path, content: str | bytes):
    path = write(tmp_path / "confidence.json", content)
    written = path.read_bytes()
    settings = load_settings(environ={}, home=tmp_path)
    [notice] = [one for one in settings.notices if "confidence" in one]
    assert settings.thresholds == {}
    assert notice.startswith(str(path))
    assert notice.endswith("; meanwhile no calibrated threshold of confidence holds")
    assert len(notice.splitlines()) == 1
    assert len(notice) < len(str(path)) + 300
    with pytest.raises(ConfigError):
        settings.confidence_file.put("here:m", ONE)
    assert path.read_bytes() == written


def test_what_is_no_file_is_a_notice_too(tmp_path: Path):
    (tmp_path / "confidence.json").mkdir()
    assert "is a folder" in load_settings(environ={}, home=tmp_path).notices[-1]
    (tmp_path / "confidence.json").rmdir()
    (tmp_path / "confidence.json").symlink_to(tmp_path / "nowhere")
    assert "No such file" in load_settings(environ={}, home=tmp_path).notices[-1]


def test_no_file_is_no_threshold_and_nothing_is_created(tmp_path: Path):
    settings = load_settings(environ={}, home=tmp_path / "new")
    assert (settings.thresholds, settings.notices) == ({}, ())
    assert not (tmp_path / "new").exists()


def test_a_command_tells_of_a_broken_file_in_one_line_and_works(tmp_path: Path):
    write(tmp_path / "confidence.json", "{")
    shown, calibrated = run(tmp_path, "models", "--json"), run(tmp_path, "models", "calibrate")
    assert shown.returncode == 0
    [told] = shown.stderr.splitlines()
    assert "run `hybrid-mcp models calibrate` again" in told
    assert calibrated.returncode == 1
    assert "is not JSON" in calibrated.stderr.splitlines()[-1]


def test_each_row_is_put_replaced_and_taken_away_alone(tmp_path: Path):
    file, other = ConfidenceFile(path=tmp_path / "home" / "confidence.json"), replace(ONE, threshold=-2.5)
    assert file.put("here:m", ONE) is None
    assert file.put("da:größer", other) is None
    assert file.put("here:m", other) == ONE
    assert dict(file.calibrated()) == {"here:m": other, "da:größer": other}
    assert file.put("here:m", None) == other
    assert file.put("here:m", None) is None
    assert dict(file.calibrated()) == {"da:größer": other}
    assert load_settings(environ={}, home=tmp_path / "home").thresholds == {"da:größer": -2.5}
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["confidence.json", "confidence.json.lock"]


def test_a_time_with_another_offset_is_read_in_utc(tmp_path: Path):
    path = write(tmp_path / "confidence.json", row(at="2026-11-20T14:30:00+02:30"))
    [kept] = ConfidenceFile(path=path).calibrated().values()
    assert (kept, kept.at.tzinfo) == (ONE, UTC)


def test_a_link_inside_the_home_stays_one_and_where_it_leads_is_written(tmp_path: Path):
    target = write(tmp_path / "kept" / "real.json", "{}")
    file = ConfidenceFile(path=tmp_path / "confidence.json")
    file.path.symlink_to(target)
    file.try_writing()
    file.put("here:m", ONE)
    assert file.path.is_symlink()
    assert json.loads(target.read_text("utf-8")) == {"here:m": GOOD}
    assert [path.name for path in target.parent.iterdir()] == ["real.json"]


def test_a_link_out_of_the_home_is_read_and_never_written(tmp_path: Path):
    target = write(tmp_path / "elsewhere.json", row())
    file = ConfidenceFile(path=tmp_path / "home" / "confidence.json")
    file.path.parent.mkdir()
    file.path.symlink_to(target)
    assert dict(file.calibrated()) == {"here:m": ONE}
    for change in (file.try_writing, lambda: file.put("here:m", None)):
        assert "outside of the home folder; make the change there by hand" in refusal(change)
    assert target.read_text("utf-8") == row()


def test_a_try_leaves_everything_as_it_was(tmp_path: Path):
    path = write(tmp_path / "confidence.json", row())
    ConfidenceFile(path=path).try_writing()
    assert path.read_text("utf-8") == row()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["confidence.json", "confidence.json.lock"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    file = ConfidenceFile(path=tmp_path / "confidence.json")
    file.put("here:m", ONE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, full)
    assert "No space left on device" in refusal(lambda: file.put("here:m", None))
    assert step != "os.fsync" or "No space left on device" in refusal(file.try_writing)
    monkeypatch.undo()
    assert dict(file.calibrated()) == {"here:m": ONE}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["confidence.json", "confidence.json.lock"]


@given(threshold=st.floats(-50, -0.001), auc=st.floats(0, 1), right=st.integers(8, 72))
def test_what_is_kept_is_what_was_found(
    tmp_path_factory: pytest.TempPathFactory, threshold: float, auc: float, right: int
):
    file = ConfidenceFile(path=tmp_path_factory.mktemp("home") / "confidence.json")
    kept = replace(ONE, threshold=threshold, auc=auc, right=right)
    file.put("here:m", kept)
    assert dict(file.calibrated()) == {"here:m": kept}
