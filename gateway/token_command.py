"""`cleanplate token`: give somebody a token that expires, without changing any setting."""

from __future__ import annotations

import argparse
import os
import time
from typing import Final

from gateway.grants import NAME, SCOPES, Scope
from gateway.serve import complain, say
from gateway.settings import PREFIX, SettingsError
from gateway.settings_sources import add_config, load
from gateway.signed_tokens import SignedTokens

PURPOSES: Final[dict[str, tuple[Scope, ...]]] = {
    "publish": ("publish",),
    "watch": ("watch",),
    "both": SCOPES,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What for, and for how long. The secret is no option: others can read a command line."""
    add_config(parser)
    parser.add_argument(
        "--for",
        dest="purpose",
        choices=PURPOSES,
        required=True,
        help="what it opens; both, of all streams, is an operator's own token and opens everything",
    )
    parser.add_argument("--stream", metavar="NAME", help="the only stream it is for; default: all")
    parser.add_argument(
        "--minutes", type=float, default=60.0, metavar="N", help="until it expires; default: 60"
    )


def run(args: argparse.Namespace) -> int:
    """Print the token alone; returns the exit status."""
    try:
        secret = load(config=args.config, environment=os.environ).token_secret
    except SettingsError as error:
        return complain(str(error))
    if not secret:
        return complain(
            "there is no token_secret: put 32 characters or more, such as `openssl rand -hex 32` "
            f"makes, into the file of settings or {PREFIX}TOKEN_SECRET, here and for the server"
        )
    if args.stream is not None and not NAME.fullmatch(args.stream):
        return complain("--stream: a stream's name is 1 to 64 of A-Z, a-z, 0-9, - and _")
    # NaN is not more than anything; a year has half a million minutes.
    if not 0 < args.minutes <= 5_300_000:
        return complain("--minutes takes a number above 0, and ten years at most")
    scopes, seconds = PURPOSES[args.purpose], args.minutes * 60
    say(SignedTokens(secret).make(*scopes, stream=args.stream, seconds=seconds, now=time.time()))
    return 0
