"""Prints the app manifest, for Socket Mode or, with a public address, for HTTP."""

import argparse
import sys

from adapters.slack.manifest import manifest, to_yaml


def main() -> None:
    """Read the address and print the manifest."""
    parser = argparse.ArgumentParser(prog="python -m adapters.slack", description=__doc__)
    parser.add_argument("address", nargs="?", help="such as https://parley.example.com", default="")
    sys.stdout.write(to_yaml(manifest(parser.parse_args().address)))


if __name__ == "__main__":
    main()
