"""Everything that can go wrong, as one tree.

HybridError
├── ConfigError              a file, key or environment variable cannot be used as it stands
├── InvalidRequest           the call itself is wrong: empty, too large, contradictory, an unknown model
├── BudgetExceeded           the price bound does not fit a cap
├── EgressDenied             a host is not on the whitelist, or airgap is on
├── SensitiveContent         must stay on this machine, and no local model may run
├── NoRoute                  no model is left; every one is named with its reason
├── ContextTooLong           the request is larger than the model's context window
├── ProviderError            one attempt at one model failed
│   ├── ProviderUnavailable      not reachable, or it broke off
│   ├── ProviderRateLimited      told to wait (`retry_after_s`)
│   ├── ProviderRejected         refused as wrong (a 4xx): another try would fail in the same way
│   └── ProviderTimeout          no answer in time
└── StorageError             the ledger cannot be read or written

Each message says what happened, with the numbers, and what to do. None holds a prompt, a key or a secret.
"""

from __future__ import annotations


class HybridError(Exception):
    """Base of all errors that a caller is meant to read."""


class ConfigError(HybridError):
    """Names the file, the line where the parser knows it, and the key."""


class InvalidRequest(HybridError):
    """The caller can mend this by calling again with other arguments."""


class BudgetExceeded(HybridError):
    """Says which cap, what is left of it and what was asked for.

    `passing`: only money that is set aside for calls under way stands in the way.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class EgressDenied(HybridError):
    """Final: never a reason to try the next provider."""


class SensitiveContent(HybridError):
    """Names the kind of what was found, never its value."""


class NoRoute(HybridError):
    """Holds the reason of every model that was left out or failed."""


class ContextTooLong(HybridError):
    """Names the limit in tokens and the size of the request.

    `billed`: it may have cost something all the same: only the answer showed that the request had been cut, or the
    server is none that is known to refuse for nothing.
    """

    def __init__(self, message: str, *, billed: bool = False) -> None:
        super().__init__(message)
        self.billed = billed


class ProviderError(HybridError):
    """One attempt failed.

    `billed` says whether the provider may have counted tokens: only when it is False is the reservation freed.
    """

    def __init__(self, message: str, *, billed: bool = True) -> None:
        super().__init__(message)
        self.billed = billed


class ProviderUnavailable(ProviderError):
    """Not reachable, or the connection broke."""


class ProviderRateLimited(ProviderError):
    """`retry_after_s`: what the provider asked for, in seconds, or None."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, billed: bool = False) -> None:
        super().__init__(message, billed=billed)
        self.retry_after_s = retry_after_s


class ProviderRejected(ProviderError):
    """The provider refused the request as wrong; neutral for the breaker."""

    def __init__(self, message: str, *, billed: bool = False) -> None:
        super().__init__(message, billed=billed)


class ProviderTimeout(ProviderError):
    """No answer within the time of this attempt."""


class StorageError(HybridError):
    """Names the file. A ledger that cannot be read never counts as nothing spent."""
