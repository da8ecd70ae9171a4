"""Prompts that a user picks in a client: how to hand on a task, look at the spending, and ask for an entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcp import MCPError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.types import INVALID_PARAMS
from mcp.types import Prompt as Listed

from hybrid_mcp.resources import PERIODS


def checked_prompt(prompts: Sequence[Listed], name: str, arguments: Mapping[str, str]) -> None:
    """That there is such a prompt among these, with what it needs and nothing that it does not know.

    Raises:
        MCPError: says what is wrong, and what there is.
    """
    prompt = next((one for one in prompts if one.name == name), None)
    if prompt is None:
        raise MCPError(INVALID_PARAMS, f"unknown prompt; there are {', '.join(one.name for one in prompts)}")
    known = {one.name: one.required for one in prompt.arguments or ()}
    missing = [name for name, required in known.items() if required and not arguments.get(name, "").strip()]
    if missing:
        raise MCPError(INVALID_PARAMS, f"{missing[0]}: missing, and it is required")
    if not known.keys() >= arguments.keys():
        raise MCPError(INVALID_PARAMS, f"unknown argument; this prompt takes {', '.join(known)}")


async def _delegate(task: str, context: str = "", model: str = "") -> str:
    wanted = f'Set preferred_model="{model}".' if model else "Leave preferred_model out: the cheapest is chosen."
    return f"""\
Hand the task below to the tool route_completion instead of doing it yourself. Another model answers, and it sees \
nothing but what you send:
- prompt: the whole task in plain words, with the form that the answer must have.
- context: only the material that it needs. Each token may be paid for.
- confidential=true if any of it must not leave this machine. Leave out passwords and keys.
- {wanted}
- When unsure what it will cost: dry_run=true first, which plans and prices and calls nothing. Then set max_cost (USD).
- An error says what to change: change that, and do not repeat the same call.
Check the answer before you use it, then call report_outcome with its request_id and whether it was right: the routing \
learns from that.

<task>
{task}
</task>{_material(context)}"""


async def _review_spend(period: str = "month") -> str:
    if period not in PERIODS:
        raise MCPError(INVALID_PARAMS, f"period: use one of {', '.join(PERIODS)}")
    return f"""\
Call the tool budget_status with period="{period}", and read the resources hybrid://usage/{period}, hybrid://models \
and hybrid://profile where you can. Then tell me, shortly and with the numbers:
1. What was spent, what is left of each cap, and what was saved.
2. Which models the money went to, and how many calls each got.
3. What could have been answered on this machine: paid models beside idle local ones, keys or models that are missing.
4. Each alert, and what it means.
5. At most three changes of the profile or of how you call route_completion, with what each would save. Change nothing \
yourself.
Say so where the numbers do not tell."""


async def _ask_to_allow(resource_type: str, resource_name: str, reason: str = "") -> str:
    return f"""\
Call the tool check_allowed with resource_type="{resource_type}" and resource_name="{resource_name}". If it is not \
allowed, call add_to_whitelist with the same{_because(reason)}. Tell me the status; if it is pending_approval, tell me \
how_to_approve word for word. I decide: ask once, and try no other way."""


def _material(context: str) -> str:
    return f"\n<context>\n{context}\n</context>" if context else ""


def _because(reason: str) -> str:
    return f" and reason={reason!r}" if reason else " and the reason"


def _argument(name: str, description: str, *, required: bool = False) -> PromptArgument:
    return PromptArgument(name=name, description=description, required=required)


# Built by hand: the SDK would make a model of each function, and that is time until the server answers at all.
DELEGATE = Prompt(
    name="delegate", title="Delegate a task", description="Hand a sub-task to the cheapest model that can do it",
    arguments=[
        _argument("task", "What is to be done", required=True),
        _argument("context", "Material it needs: code, text, an error message"),
        _argument("model", "provider:model, or gemini, claude, openai, local; empty: the cheapest that can do it"),
    ],
    fn=_delegate, context_kwarg=None,
)  # fmt: skip
REVIEW = Prompt(
    name="review_spend", title="Review spending", description="Where the money went, and what to change",
    arguments=[_argument("period", "month (default) or day, in UTC")], fn=_review_spend,
    context_kwarg=None,
)  # fmt: skip
ALLOW = Prompt(
    name="ask_to_allow", title="Ask to allow", description="Ask the owner for an entry in the whitelist",
    arguments=[
        _argument("resource_type", "cloud_apis, domains, mcp_servers or allowed_for_cloud", required=True),
        _argument("resource_name", "A host, an MCP server or a task type", required=True),
        _argument("reason", "What it is needed for"),
    ],
    fn=_ask_to_allow, context_kwarg=None,
)  # fmt: skip
PROMPTS: Mapping[str, Prompt] = {prompt.name: prompt for prompt in (DELEGATE, REVIEW, ALLOW)}
"""In the order in which they are listed."""
