"""The catalogue of ERP systems: what can be connected, and what each wizard asks."""

from collections.abc import Sequence

from erphub.erp.catalogue import catalogue, describe
from erphub.erp.description import Description
from erphub.erp.forms import step_schema
from erphub.erp.schemas import DocumentationLinkView, ErpSystemPage, ErpSystemView, StepForm


class ErpSystems:
    """The catalogue as the API shows it."""

    def __init__(self, egress_addresses: Sequence[str]) -> None:
        """`egress_addresses` are those that the hub calls from, when they are fixed."""
        self.egress_addresses = egress_addresses

    def list(self) -> ErpSystemPage:
        """Every ERP system the hub knows."""
        return ErpSystemPage(items=[self._view(description) for description in catalogue()])

    def get(self, erp_system: str) -> ErpSystemView:
        """One ERP system. Raises NotFound."""
        return self._view(describe(erp_system))

    def _view(self, description: Description) -> ErpSystemView:
        links = [DocumentationLinkView(title=link.title, url=link.url) for link in description.documentation]
        return ErpSystemView(
            id=description.id,
            title=description.title,
            summary=description.summary,
            documentation=links,
            capabilities=sorted(description.capabilities),
            dataset_ids=[*description.datasets],
            steps=[
                StepForm(id=step.id, title=step.title, help=step.help, form=step_schema(step))
                for step in description.steps
            ],
            egress_addresses=[*self.egress_addresses],
        )
