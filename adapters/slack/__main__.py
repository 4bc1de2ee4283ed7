"""Prints the app manifest; an argument is the public address, for HTTP instead of Socket Mode."""

import sys

from adapters.slack.manifest import manifest, to_yaml

if __name__ == "__main__":
    sys.stdout.write(to_yaml(manifest(*sys.argv[1:2])))
