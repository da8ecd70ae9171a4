"""What may be contacted and used: four lists, and one exact rule for hosts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hybrid_mcp.domain.addresses import kind_of

ResourceType = Literal["cloud_apis", "domains", "mcp_servers", "allowed_for_cloud"]

RESOURCE_TYPES: Mapping[str, ResourceType] = {
    "cloud_apis": "cloud_apis", "cloud_api": "cloud_apis", "api": "cloud_apis", "apis": "cloud_apis",
    "domains": "domains", "domain": "domains",
    "mcp_servers": "mcp_servers", "mcp_server": "mcp_servers",
    "allowed_for_cloud": "allowed_for_cloud", "task": "allowed_for_cloud", "tasks": "allowed_for_cloud",
}  # fmt: skip
"""Every spelling of a resource type that is understood."""

_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_URL = re.compile(
    r"https?://(?P<host>\[[0-9a-f:.]+\]|[^\[\]/?#:@\\%\s]+)(?::[0-9]{1,5})?(?:/[^\\\s]*|[?#][^\\\s@]*)?", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/-]{0,127}")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_NUMERIC_LABEL = re.compile(r"(?:0x[0-9a-f]*|\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`matched_rule` names the list and the entry that decided, None where none did."""

    allowed: bool
    reason: str
    matched_rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whitelist:
    """The owner's four lists.

    A host covers itself and its subdomains, an IP address exactly itself, and so does a name without a dot.
    """

    cloud_apis: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    mcp_servers: tuple[str, ...] = ()
    allowed_for_cloud: Mapping[str, bool] = field(default_factory=dict[str, bool])

    def check(self, resource_type: str, name: str) -> Verdict:
        """Whether one resource may be used, as the tool `check_allowed` answers it."""
        known = RESOURCE_TYPES.get(resource_type.strip().lower())
        match known:
            case None:
                return Verdict(allowed=False, reason=unknown_type_reason())
            case "cloud_apis":
                return _check_named_host(name, known, self.cloud_apis)
            case "domains":
                return _check_named_host(name, known, self.domains)
            case "mcp_servers":
                if name in self.mcp_servers:
                    return Verdict(allowed=True, reason="listed in mcp_servers", matched_rule=f"mcp_servers: {name}")
                return Verdict(allowed=False, reason="this MCP server is not listed in mcp_servers")
            case "allowed_for_cloud":
                return self._check_task(name)

    def check_host(self, host: str) -> Verdict:
        """Whether a request may go to this host, given as it stands in the URL that connects (punycode)."""
        return _check_host(host, {"cloud_apis": self.cloud_apis, "domains": self.domains})

    def check_url(self, url: str) -> Verdict:
        """Whether an http or https URL may be contacted; anything unusual in it is refused."""
        host = url_host(url)
        if host is None:
            return Verdict(allowed=False, reason="not a plain http or https URL with a host")
        return self.check_host(host)

    def keeps_local(self, task: str) -> bool:
        """Whether the owner said that this task never goes to a cloud."""
        return self.answer_for_task(task) is False

    def answer_for_task(self, task: str) -> bool | None:
        """What the list says of a task type, None where it does not know it; two spellings that disagree mean no."""
        wanted = task_key(task)
        answers = [allowed for name, allowed in self.allowed_for_cloud.items() if task_key(name) == wanted]
        return all(answers) if answers else None

    def _check_task(self, task: str) -> Verdict:
        answer = self.answer_for_task(task)
        if answer is None:
            return Verdict(allowed=False, reason="allowed_for_cloud does not list this task type")
        rule = f"allowed_for_cloud: {task} = {'true' if answer else 'false'}"
        reason = "this task type may go to a cloud model" if answer else "this task type stays on this machine"
        return Verdict(allowed=answer, reason=reason, matched_rule=rule)


def task_key(task: str) -> str:
    """The one form in which task types are compared: `Code-Review`, `code review` and `code_review` are the same."""
    return _BETWEEN_WORDS.sub("_", task.strip().casefold())


def unknown_type_reason() -> str:
    return "unknown resource_type; use one of cloud_apis, domains, mcp_servers, allowed_for_cloud"


def url_host(url: str) -> str | None:
    """The host of a plain http(s) URL as written, brackets of an IPv6 address removed; None for anything else."""
    match = _URL.fullmatch(url)
    return match["host"].strip("[]") if match else None


def normal_host(host: str) -> str:
    """The one form that is compared: lower case, no trailing dot, an IP address in its standard form.

    Raises:
        ValueError: a name that is not plain ASCII letters, digits, hyphens and dots, or a number that only some
            programs read as an address. The message says which.
    """
    if not host:
        raise ValueError("the host is empty")
    if not host.isascii():
        raise ValueError("the host has characters outside ASCII: write it in punycode (xn--...)")
    if "%" in host:
        raise ValueError("the host has a percent sign: neither an escaped name nor an address with a zone is used")
    name = host.lower().removesuffix(".") or "."
    try:
        return str(ipaddress.ip_address(name[1:-1] if name[0] == "[" and name[-1] == "]" else name))
    except ValueError:
        pass
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise ValueError("the host has characters that no host name has")
    if _NUMERIC_LABEL.fullmatch(name.rsplit(".", 1)[-1]):
        raise ValueError("the host is a number that only some programs read as an address: write it as 1.2.3.4")
    return name


def checked_entry(resource_type: ResourceType, name: str, is_public_suffix: Callable[[str], bool]) -> str:
    """The form in which an entry is stored. Nobody owns all that stands under a public suffix, such as `co.uk`.

    Raises:
        ValueError: it would cover more than one owner could mean, or is not a name. The message says why.
    """
    if resource_type in {"mcp_servers", "allowed_for_cloud"}:
        if not _NAME.fullmatch(name):
            raise ValueError("use letters, digits and . _ - / @, at most 128 characters")
        return name
    host = normal_host(url_host(name) or name)
    if is_address(host):
        if kind_of(ipaddress.ip_address(host)) == "metadata":
            raise ValueError("a cloud keeps the secrets of its machines at this address")
        return host
    if not is_public_suffix(host):
        return host
    if is_single_label(host):
        raise ValueError("a single label would cover a whole top-level domain: name the host, such as api.example.com")
    raise ValueError(f"strangers have names under {host}: name the one host that is meant, such as my-app.{host}")


def _check_named_host(name: str, list_name: str, entries: tuple[str, ...]) -> Verdict:
    host = name
    if "://" in name:
        found = url_host(name)
        if found is None:
            return Verdict(allowed=False, reason="not a plain http or https URL with a host")
        host = found
    return _check_host(host, {list_name: entries})


def _check_host(host: str, lists: Mapping[str, tuple[str, ...]]) -> Verdict:
    try:
        name = normal_host(host)
    except ValueError as error:
        return Verdict(allowed=False, reason=str(error))
    for list_name, entries in lists.items():
        for entry in entries:
            if _covers(entry, name):
                only = ", for a provider that is declared `local: true`" if is_single_label(entry) else ""
                rule = f"{list_name}: {entry}"
                return Verdict(allowed=True, reason=f"listed in {list_name}{only}", matched_rule=rule)
    return Verdict(allowed=False, reason=f"{name} is not listed in {' or '.join(lists)}")


def _covers(entry: str, host: str) -> bool:
    if is_address(entry) or is_address(host):
        return entry == host
    return host == entry or (not is_single_label(entry) and host.endswith(f".{entry}"))


def is_single_label(host: str) -> bool:
    """Whether it is a name without a dot, which means what the local network says: a container, a machine in a LAN."""
    return "." not in host.removesuffix(".") and not is_address(host)


def is_address(name: str) -> bool:
    """Whether it is an IPv4 or IPv6 address in its standard form."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
