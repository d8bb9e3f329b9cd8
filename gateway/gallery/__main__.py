"""`python -m gateway.gallery`: paint the shipped backdrops again, all or those named."""

from __future__ import annotations

import argparse
import sys

from . import PICTURES, built_in
from .film import jpeg
from .painting import paint


def main() -> int:
    """Paint and say what was written; 2 where a name is unknown."""
    known = [backdrop.id for backdrop in built_in()]
    parser = argparse.ArgumentParser(prog="python -m gateway.gallery", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    names = parser.parse_args().names
    for name in names:
        if name not in known:
            parser.error(f"no backdrop is called {name}; there are: {', '.join(known)}")
    PICTURES.mkdir(exist_ok=True)
    for backdrop in built_in():
        if names and backdrop.id not in names:
            continue
        picture = jpeg(paint(backdrop.id))
        backdrop.path.write_bytes(picture)
        sys.stdout.write(f"{backdrop.id}: {len(picture) / 1000:.0f} kB\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
