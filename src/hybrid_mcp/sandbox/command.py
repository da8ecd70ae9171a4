"""What the sandbox is made of, as the command that starts it: pure, so that it can be read and tested anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MEMORY_BYTES = 512 * 1024 * 1024
"""Of address space; Python itself takes about 30 MB."""
FILES_BYTES = 16 * 1024 * 1024
"""All that the code can write, in a folder that is gone afterwards."""
FILE_BYTES = 4 * 1024 * 1024
OPEN_FILES = 64

_PYTHON = PurePosixPath("/python")
_SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/usr/share/zoneinfo")
"""Libraries and time zones: no program, no setting, nobody's folder."""
_DEVICES = ("/dev/null", "/dev/urandom")
_PACKAGES = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python that runs the code: its executable, its installation, and where below that its libraries lie."""

    executable: Path
    prefix: Path
    version: tuple[int, int]


def command(bwrap: Path, python: Interpreter, inside: Path, *, filter_fd: int, cpu_s: int) -> list[str]:
    """Start `inside` with the standard library alone.

    It sees no network, no process of others, no home, no `/etc`, no `/proc`, no variable of the caller's environment;
    all but a small `/tmp` is read-only.
    """
    limits = (cpu_s, MEMORY_BYTES, FILE_BYTES, OPEN_FILES)
    return [
        str(bwrap),
        "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--uid", "65534", "--gid", "65534", "--hostname", "sandbox", "--seccomp", str(filter_fd),
        "--clearenv", "--setenv", "LD_LIBRARY_PATH", f"{_PYTHON}/lib", "--setenv", "LANG", "C.UTF-8",
        *_system(), *_python(python),
        *(part for device in _DEVICES for part in ("--dev-bind", device, device)),
        "--ro-bind", str(inside), "/inside.py",
        "--size", str(FILES_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp",  # noqa: S108 - within the sandbox
        "--remount-ro", "/", "--",
        f"{_PYTHON}/bin/python3", "-I", "-S", "-B", "/inside.py", *map(str, limits),
    ]  # fmt: skip


def _system() -> Iterator[str]:
    for folder in _SYSTEM:
        path = Path(folder)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), folder)
        else:
            yield from ("--ro-bind-try", folder, folder)


def _python(python: Interpreter) -> Iterator[str]:
    """Its libraries, with an empty folder in place of each that may hold packages, ours among them."""
    yield from ("--ro-bind", str(python.executable), f"{_PYTHON}/bin/python3")
    for libraries in ("lib", "lib64"):
        inside = _PYTHON / libraries
        yield from ("--ro-bind-try", str(python.prefix / libraries), str(inside))
        for packages in _packages(python, libraries):
            hidden = str(inside / packages)
            yield from ("--size", "4096", "--tmpfs", hidden, "--remount-ro", hidden)


def _packages(python: Interpreter, libraries: str) -> Sequence[PurePosixPath]:
    major, minor = python.version
    folders = (f"python{major}", f"python{major}.{minor}")
    places = [PurePosixPath(folder, name) for folder in folders for name in _PACKAGES]
    return [place for place in places if (python.prefix / libraries / place).is_dir()]
