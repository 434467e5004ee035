"""A function's services with fakes in place of some."""

from collections.abc import Mapping
from typing import Any

import pytest

from erphub import app
from erphub.capabilities import CAPABILITIES
from erphub.platform.services import Services


def anew(monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services are made anew, from the environment as it is when each is first asked for."""
    return _used(monkeypatch, Services(CAPABILITIES))


def use(monkeypatch: pytest.MonkeyPatch, given: Mapping[type[Any], Any]) -> Services:
    """These in place of what the wiring would make, besides those given before."""
    before = app.services()
    return _used(monkeypatch, Services(CAPABILITIES, before.platform, {**before.given, **given}))


def _used(monkeypatch: pytest.MonkeyPatch, services: Services) -> Services:
    monkeypatch.setattr(app, "services", lambda: services)
    return services
