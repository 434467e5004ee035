"""Puts services together with their stores: the only place where a use case meets AWS.

Everything is made once, on first use, and imported then: a function starts with what all its requests need.
"""

from . import connect, deletion, erps, events, house, imports, sync

__all__ = ["connect", "deletion", "erps", "events", "house", "imports", "sync"]
