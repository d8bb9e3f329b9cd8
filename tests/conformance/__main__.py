"""Hold a WHIP or WHEP server against RFC 9725 and draft-ietf-wish-whep-04.

    python -m tests.conformance --whip https://HOST/whip/{name} --whep https://HOST/whep/{name}

`{name}` is where every session may take a stream's name of its own; without, one URL serves all.
With both URLs the WHEP cases watch a test picture that is published for them; with `--whep` alone
the stream must be live already. Needs aiohttp and aiortc. Fails (1) when a MUST is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Sequence

import aiohttp

from tests.conformance.case import Failed, Result, summary
from tests.conformance.cases import run
from tests.conformance.endpoint import Endpoint, made_up

PATIENCE = aiohttp.ClientTimeout(total=20)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--whip", metavar="URL", help="endpoint to publish to")
    parser.add_argument("--whep", metavar="URL", help="endpoint to watch at")
    parser.add_argument(
        "--names",
        metavar="LIST",
        help="what {name} may be, in turn, where a server wants to know its streams before",
    )
    parser.add_argument("--token", help="Bearer token of both")
    parser.add_argument("--whip-token", metavar="TOKEN", help="of the WHIP endpoint")
    parser.add_argument("--whep-token", metavar="TOKEN", help="of the WHEP endpoint")
    parser.add_argument(
        "--origin", default="https://conformance.example", help="of a web page that may call"
    )
    parser.add_argument("--case", default="", metavar="TEXT", help="only cases with this in a name")
    read = parser.parse_args(given)
    if not read.whip and not read.whep:
        parser.error("give --whip, --whep or both")
    return read


async def main(command_line: Sequence[str] | None = None) -> int:
    """Print a line per case; returns the exit status."""
    given = arguments(command_line)
    async with aiohttp.ClientSession(timeout=PATIENCE) as http:

        def endpoint(kind: str, url: str | None, token: str | None) -> Endpoint | None:
            if not url:
                return None
            names = itertools.cycle(given.names.split(",")) if given.names else made_up()
            return Endpoint(kind, url, http, token or given.token, origin=given.origin, names=names)

        def tell(result: Result) -> None:
            print(result.line(), flush=True)

        try:
            results = await run(
                endpoint("whip", given.whip, given.whip_token),
                endpoint("whep", given.whep, given.whep_token),
                chosen=given.case,
                tell=tell,
            )
        except (Failed, aiohttp.ClientError) as error:
            print(f"The test picture cannot be published: {error}", file=sys.stderr)
            return 2
    print(summary(results))
    return int(any(result.breaks_a_must for result in results))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
