"""Our own server holds what the standards want."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.conformance.case import Case, Verdict, judge
from tests.conformance.cases import CASES, live
from tests.conformance.endpoint import Endpoint
from tests.gateway.loopback import running

TOKEN = "correct-horse-battery"

WITHOUT = {
    # aiortc cannot restart ICE.
    "an ICE restart is answered 200 with a new ETag",
    # None is configured here: each session would wait for it. See test_whip.
    "Link names STUN and TURN servers, with all that a client needs",
    "whep: a page may read Link",
    # Our answers are made from the client's offer.
    "a counter-offer (406) is sendonly, and answers that are none refused",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoints(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Endpoint]]:
    folder = tmp_path_factory.mktemp("page")
    settings = {
        "tokens": (TOKEN,),
        "origins": ("https://conformance.example",),
        # All cases come from one address.
        "client_calls": 0,
    }
    async with running(folder, **settings) as gateway, aiohttp.ClientSession() as http:
        base = str(gateway.server.make_url("/"))
        whip = Endpoint("whip", base + "whip/{name}", http, TOKEN)
        async with live(whip, Endpoint("whep", base + "whep/{name}", http, TOKEN)) as whep:
            assert whep is not None
            yield {"whip": whip, "whep": whep}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("kind", "case"),
    [pytest.param(kind, case, id=f"{kind}: {case.name}") for case in CASES for kind in case.kinds],
)
async def test_the_gateway_conforms(endpoints: dict[str, Endpoint], kind: str, case: Case):
    result = await judge(case, endpoints[kind])
    without = not WITHOUT.isdisjoint((case.name, f"{kind}: {case.name}"))
    expected = Verdict.NOT_SUPPORTED if without else Verdict.PASS
    assert result.verdict is expected, result.line()
