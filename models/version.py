"""Which wikiq this is."""

from importlib.metadata import version

VERSION = version("wikiq")
