"""`python -m games.ricochet` is `tickwire play ricochet`, with the same options."""

import sys

from engine.cli.main import main

if __name__ == "__main__":
    main(["play", "ricochet", *sys.argv[1:]])
