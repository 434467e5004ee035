"""The command `erphub`: the hub from a terminal, or from a script."""

from erphub_client.command.application import main

__all__ = ["main"]
