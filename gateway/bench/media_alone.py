"""`python -m gateway.bench.media_alone`: the real server around an engine without networks.

Measured beside the real one, it tells what is left of a frame's time when matting costs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys

from gateway.matting import ScriptedEngine
from gateway.serve import add_arguments, complain, serve
from gateway.settings import SettingsError
from gateway.settings_sources import load


def main() -> int:
    """Serve until a signal comes; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    args = parser.parse_args()
    try:
        settings = load(config=args.config, environment=os.environ, command_line=vars(args))
        if not settings.on_loopback:
            raise SettingsError(
                "an engine without networks shows the room as soon as its light changes: it serves "
                "this machine alone, leave --host away"
            )
        return serve(settings, lambda _: ScriptedEngine())
    except SettingsError as error:
        return complain(str(error))


if __name__ == "__main__":
    sys.exit(main())
