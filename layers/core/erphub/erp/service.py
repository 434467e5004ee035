"""The catalogue of ERP systems: what can be connected, and what each wizard asks."""

from erphub.erp.catalogue import catalogue, describe
from erphub.erp.description import Description
from erphub.erp.forms import step_schema
from erphub.erp.schemas import DocumentationLinkView, ErpSystemPage, ErpSystemView, StepForm


def list_erp_systems() -> ErpSystemPage:
    """Every ERP system the hub knows."""
    return ErpSystemPage(items=[_view(description) for description in catalogue()])


def get_erp_system(erp_system: str) -> ErpSystemView:
    """One ERP system. Raises NotFound."""
    return _view(describe(erp_system))


def _view(description: Description) -> ErpSystemView:
    links = [DocumentationLinkView(title=link.title, url=link.url) for link in description.documentation]
    return ErpSystemView(
        id=description.id,
        title=description.title,
        summary=description.summary,
        documentation=links,
        capabilities=sorted(description.capabilities),
        dataset_ids=list(description.datasets),
        steps=[
            StepForm(id=step.id, title=step.title, help=step.help, form=step_schema(step)) for step in description.steps
        ],
    )
