from __future__ import annotations

import pytest

from hybrid_mcp.candidates import Candidates
from hybrid_mcp.domain.budget import FREE
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.eligibility import Candidate
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.ports import Listed
from tests.support_routing import HERE
from tests.support_service import FixedCatalog, FlatPrices, Scripted, StillClock

pytestmark = pytest.mark.anyio


async def test_a_candidate_is_all_that_the_catalog_says_of_it():
    spec = ModelSpec(provider=HERE, model="m")
    entry = Listed(
        spec=spec, has_key=False, absent="gone", breaker="half_open", retry_in_s=3.0, slow=True, last_resort=True,
        loaded=True, split=True, memory_bytes=7,
    )  # fmt: skip
    catalog, request = FixedCatalog([entry], Scripted({})), Request(prompt="p")
    candidates = Candidates(profile=Profile(name="t"), catalog=catalog, prices=FlatPrices(), clock=StillClock())
    assert await candidates.of(request, request) == (
        [
            Candidate(
                spec=spec, quote=FREE, has_key=False, absent="gone", breaker="half_open", retry_in_s=3.0, slow=True,
                last_resort=True, loaded=True, split=True, memory_bytes=7,
            )
        ],
        frozenset(),
    )  # fmt: skip
