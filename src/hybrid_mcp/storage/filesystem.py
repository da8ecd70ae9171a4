"""Tells whether a file lies on a disk of this machine, or on one that several machines share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath, PureWindowsPath

Mount = tuple[str, str, str]
"""Mount point, type and options (separated by commas), as psutil lists them."""

SHARED_TYPES = frozenset({
    "afpfs", "afs", "auristorfs", "cifs", "coda", "davfs", "ftp", "ncp", "ncpfs", "nfs", "nfs3", "nfs4", "smb", "smb2",
    "smb3", "smbfs", "webdav",
    # Clusters. Some keep locks between machines, but SQLite's write-ahead log needs shared memory as well.
    "acfs", "beegfs", "ceph", "ceph-fuse", "cvfs", "fhgfs", "gfs", "gfs2", "glusterfs", "gpfs", "ibrix", "juicefs",
    "lustre", "mfs", "ocfs2", "orangefs", "panfs", "pvfs2", "wekafs",
    # Programs that show what lies elsewhere as files.
    "blobfuse", "blobfuse2", "curlftpfs", "davfs2", "gcsfuse", "goofys", "gvfsd-fuse", "kio-fuse", "mount-s3", "rclone",
    "s3fs", "smbnetfs", "sshfs",
    # On a Mac all of these have one type; the kernel marks those that only use a disk of the machine as local.
    "macfuse", "osxfuse",
    # Folders of a host, shown in its virtual machine: a lock does not pass from one to the other.
    "prl_fs", "vboxsf", "vmhgfs", "vmhgfs-fuse",
})  # fmt: skip
"""Types without `fuse.` before them: those that systemd (`fstype_is_network`) and GNU df (`ME_REMOTE`) take for remote,
but not vxfs, which is mostly a disk, and more of the kind."""

_SHARED_9P = ("aname=drvfs", "trans=tcp", "trans=rdma")
"""9p and virtiofs are also the only disk of many a sandbox, so they count as local; not a drive of Windows seen from
WSL, nor 9p that goes over a network."""


def network_file_system(path: Path) -> str | None:
    """The type of the file system of a file, such as `nfs4`, where other machines may have it mounted too; else None.

    Locks between machines cannot be trusted there (https://sqlite.org/faq.html#q5), so two of them could spend the same
    money. What cannot be told, because the mounts cannot be read or the type is not known, counts as local. The file
    need not exist.
    """
    try:
        return shared_type(path.resolve(), _mounts())
    except (OSError, RuntimeError):
        return None


def shared_type(path: PurePath, mounts: Iterable[Mount]) -> str | None:
    """The same for an absolute path without links, among these mounts in the order in which they were made."""
    plain = _plain(path)
    if plain.drive.startswith("\\\\"):
        return "network share"
    covering = [mount for mount in mounts if plain.is_relative_to(type(plain)(mount[0]))]
    # Of two in the same place, the later one hides the earlier one.
    nearest = max(reversed(covering), key=lambda mount: len(PurePath(mount[0]).parts), default=None)
    return None if nearest is None else _type_if_shared(nearest)


def _type_if_shared(mount: Mount) -> str | None:
    _, fstype, options = mount
    flags = options.split(",")
    if "remote" in flags:
        return "network drive"
    kind = fstype.lower().removeprefix("fuse.")
    if kind == "9p":
        return fstype if any(flag.startswith(_SHARED_9P) for flag in flags) else None
    return fstype if kind in SHARED_TYPES and "local" not in flags else None


def _plain(path: PurePath) -> PurePath:
    r"""A path of Windows in its usual form: `\\?\UNC\host\share` as `\\host\share`, `\\?\C:` and `\\.\C:` as `C:`."""
    if not isinstance(path, PureWindowsPath):
        return path
    text = str(path)
    if text.upper().startswith("\\\\?\\UNC\\"):
        return PureWindowsPath("\\\\" + text[8:])
    return PureWindowsPath(text.removeprefix("\\\\?\\").removeprefix("\\\\.\\"))


def _mounts() -> Iterator[Mount]:
    import psutil  # noqa: PLC0415 - 0.02 s, and only an opened ledger needs it

    for mount in psutil.disk_partitions(all=True):
        yield mount.mountpoint, mount.fstype, mount.opts
