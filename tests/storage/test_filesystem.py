"""Which files lie where locks cannot be trusted: tables of mounts as the platforms print them, and this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from types import SimpleNamespace

import psutil
import pytest

from hybrid_mcp.storage.filesystem import Mount, network_file_system, shared_type

LINUX: list[Mount] = [
    ("/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
    ("/", "ext4", "rw,relatime"),
    ("/home", "nfs4", "rw,vers=4.2,hard,local_lock=none,addr=10.0.0.2"),
    ("/home/me/scratch", "xfs", "rw"),
    ("/home/me/scratch/far", "fuse.sshfs", "rw,user_id=1000"),
    ("/mnt/my share", "cifs", "rw,vers=3.1.1"),
    ("/mnt/upper", "CIFS", "rw"),
    ("/mnt/disk", "fuseblk", "rw"),
    ("/mnt/merged", "fuse.mergerfs", "rw"),
    ("/mnt/box", "fuse.rclone", "rw"),
    ("/mnt/gluster", "fuse.glusterfs", "rw"),
    ("/mnt/c", "9p", "rw,noatime,aname=drvfs;path=C:\\;uid=1000,mmap,trans=virtio"),
    ("/mnt/plan9", "9p", "rw,trans=tcp,port=564"),
    ("/mnt/sandbox", "9p", "rw,trans=virtio"),
    ("/mnt/vm", "virtiofs", "rw"),
    ("/media/host", "vboxsf", "rw"),
    # An automounter's own entry, then what it mounted there; and a disk that was mounted over a share.
    ("/net/a", "autofs", "rw"),
    ("/net/a", "nfs", "rw"),
    ("/srv", "nfs", "rw"),
    ("/srv", "ext4", "rw"),
]
MAC: list[Mount] = [
    ("/", "apfs", "ro,local,rootfs,dovolfs,journaled"),
    ("/System/Volumes/Data", "apfs", "rw,local,dovolfs,dontbrowse,journaled"),
    ("/Volumes/team", "smbfs", "rw,nosuid"),
    ("/Volumes/old", "afpfs", "rw"),
    ("/Volumes/web", "webdav", "rw"),
    ("/Volumes/ssh", "macfuse", "rw,sync"),
    ("/Volumes/crypt", "macfuse", "rw,local,sync"),
]
WINDOWS: list[Mount] = [
    ("C:\\", "NTFS", "rw,fixed"),
    ("C:\\mnt\\disk\\", "NTFS", "rw"),
    ("D:\\", "", "cdrom"),
    ("Z:\\", "NTFS", "rw,remote"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/hybrid-mcp/ledger.db", None),
        ("/home/me/ledger.db", "nfs4"),
        ("/home", "nfs4"),
        ("/homework/ledger.db", None),
        ("/home/me/scratch/ledger.db", None),
        ("/home/me/scratch/far/ledger.db", "fuse.sshfs"),
        ("/home/me/scratch/farther/ledger.db", None),
        ("/mnt/my share/a b/ledger.db", "cifs"),
        ("/mnt/my/ledger.db", None),
        ("/mnt/upper/ledger.db", "CIFS"),
        ("/mnt/disk/ledger.db", None),
        ("/mnt/merged/ledger.db", None),
        ("/mnt/box/ledger.db", "fuse.rclone"),
        ("/mnt/gluster/ledger.db", "fuse.glusterfs"),
        ("/mnt/c/Users/me/ledger.db", "9p"),
        ("/mnt/plan9/ledger.db", "9p"),
        ("/mnt/sandbox/ledger.db", None),
        ("/mnt/vm/ledger.db", None),
        ("/media/host/ledger.db", "vboxsf"),
        ("/net/a/ledger.db", "nfs"),
        ("/srv/ledger.db", None),
    ],
)
def test_on_linux_the_nearest_mount_above_the_file_decides(path: str, expected: str | None):
    assert shared_type(PurePosixPath(path), LINUX) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Users/me/Library/Application Support/hybrid-mcp/ledger.db", None),
        ("/System/Volumes/Data/ledger.db", None),
        ("/Volumes/team/ledger.db", "smbfs"),
        ("/Volumes/old/ledger.db", "afpfs"),
        ("/Volumes/web/ledger.db", "webdav"),
        ("/Volumes/ssh/ledger.db", "macfuse"),
        ("/Volumes/crypt/ledger.db", None),
    ],
)
def test_on_a_mac_what_the_kernel_calls_local_is_local(path: str, expected: str | None):
    assert shared_type(PurePosixPath(path), MAC) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\Users\me\ledger.db", None),
        (r"c:\users\me\ledger.db", None),
        (r"C:\mnt\disk\ledger.db", None),
        (r"Z:\ledger.db", "network drive"),
        (r"z:\a\ledger.db", "network drive"),
        (r"\\?\Z:\a\ledger.db", "network drive"),
        (r"\\?\C:\a\ledger.db", None),
        (r"\\.\C:\a\ledger.db", None),
        (r"\\nas\home\ledger.db", "network share"),
        (r"//nas/home/ledger.db", "network share"),
        (r"\\?\UNC\nas\home\ledger.db", "network share"),
        (r"\\wsl.localhost\Ubuntu\home\me\ledger.db", "network share"),
        (r"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\ledger.db", None),
        (r"E:\ledger.db", None),
    ],
)
def test_on_windows_shares_and_the_letters_of_network_drives_are_found(path: str, expected: str | None):
    assert shared_type(PureWindowsPath(path), WINDOWS) == expected


@pytest.mark.parametrize("path", [PurePosixPath("/x/ledger.db"), PureWindowsPath("C:\\x\\ledger.db")])
def test_without_mounts_nothing_is_known_and_so_it_is_local(path: PurePath):
    assert shared_type(path, []) is None


def mounted(monkeypatch: pytest.MonkeyPatch, *mounts: Mount) -> None:
    """Let psutil list these."""
    listed = [SimpleNamespace(mountpoint=place, fstype=kind, opts=options) for place, kind, options in mounts]

    def disk_partitions(*, all: bool) -> list[SimpleNamespace]:  # noqa: A002 - psutil's own name
        # Without `all`, psutil leaves out what has no device: every network file system.
        return listed if all else []

    monkeypatch.setattr(psutil, "disk_partitions", disk_partitions)


def test_a_link_is_followed_to_where_the_file_really_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "share" / "me").mkdir(parents=True)
    (tmp_path / "home").symlink_to(tmp_path / "share" / "me")
    (tmp_path / "share" / "back").symlink_to(tmp_path)
    mounted(monkeypatch, ("/", "ext4", "rw"), (str(tmp_path / "share"), "nfs4", "rw"))
    assert network_file_system(tmp_path / "home" / "ledger.db") == "nfs4"
    assert network_file_system(tmp_path / "home" / "not" / "there" / "yet.db") == "nfs4"
    assert network_file_system(tmp_path / "share" / ".." / "ledger.db") is None
    assert network_file_system(tmp_path / "share" / "back" / "ledger.db") is None


def test_a_relative_path_is_looked_up_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mounted(monkeypatch, ("/", "ext4", "rw"), (str(tmp_path), "cifs", "rw"))
    monkeypatch.chdir(tmp_path)
    assert network_file_system(Path("ledger.db")) == "cifs"


@pytest.mark.parametrize(
    "error", [PermissionError(13, "denied"), FileNotFoundError(2, "no /proc"), NotImplementedError()]
)
def test_mounts_that_cannot_be_read_count_as_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception):
    def disk_partitions(**_: object) -> None:
        raise error

    monkeypatch.setattr(psutil, "disk_partitions", disk_partitions)
    assert network_file_system(tmp_path / "ledger.db") is None


def test_a_path_that_leads_nowhere_counts_as_local(tmp_path: Path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert network_file_system(tmp_path / "loop" / "ledger.db") is None


def test_the_temporary_folder_of_this_machine_is_local(tmp_path: Path):
    assert network_file_system(tmp_path / "ledger.db") is None
    assert network_file_system(tmp_path) is None


def test_psutil_is_loaded_only_when_it_is_asked():
    code = (
        "import sys, pathlib, hybrid_mcp.storage.filesystem as f; before = 'psutil' in sys.modules;"
        "f.network_file_system(pathlib.Path('/')); print(before, 'psutil' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False True"
