"""The catalogue of ERP systems: what can be connected, and what each wizard asks."""

from typing import Annotated, Any

from pydantic import Field

from erphub.erp.catalogue import catalogue, describe
from erphub.erp.description import Description
from erphub.erp.forms import step_schema
from erphub.platform.wire import JsonObject, Model


class LinkView(Model):
    """Where to read on."""

    title: str
    url: str


class StepForm(Model):
    """One step of a wizard as JSON Schema 2020-12; secrets are `writeOnly`."""

    id: str
    title: str
    help: str
    form: Annotated[JsonObject, Field(serialization_alias="schema")]


class SystemView(Model):
    """An ERP system, what a connection to it can be used for, and what its wizard asks."""

    id: str
    title: str
    summary: str
    documentation: list[LinkView]
    capabilities: list[str]
    datasets: list[str]
    steps: list[StepForm]


class SystemPage(Model):
    """All ERP systems."""

    items: list[SystemView]
    next: str | None = None


def systems() -> SystemPage:
    """Every ERP system the hub knows."""
    return SystemPage(items=[_view(description) for description in catalogue()])


def system(erp_system: str) -> SystemView:
    """One ERP system. Raises NotFound."""
    return _view(describe(erp_system))


def _view(description: Description) -> SystemView:
    links: list[Any] = [LinkView(title=link.title, url=link.url) for link in description.documentation]
    return SystemView(
        id=description.id,
        title=description.title,
        summary=description.summary,
        documentation=links,
        capabilities=sorted(description.capabilities),
        datasets=list(description.datasets),
        steps=[
            StepForm(id=step.id, title=step.title, help=step.help, form=step_schema(step)) for step in description.steps
        ],
    )
