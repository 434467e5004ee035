"""What the API shows of ERP systems."""

from typing import Annotated

from pydantic import Field

from erphub.platform.wire import JsonObject, Model


class DocumentationLinkView(Model):
    """Where to read on."""

    title: str
    url: str


class StepForm(Model):
    """One step of a wizard as JSON Schema 2020-12; secrets are `writeOnly`."""

    id: str
    title: str
    help: str
    form: Annotated[JsonObject, Field(serialization_alias="schema")]


class ErpSystemView(Model):
    """An ERP system, what a connection to it can be used for, and what its wizard asks."""

    id: str
    title: str
    summary: str
    documentation: list[DocumentationLinkView]
    capabilities: list[str]
    dataset_ids: list[str]
    steps: list[StepForm]
    egress_addresses: Annotated[
        list[str],
        Field(
            description="Where the hub's calls come from (addresses or CIDRs): let these through the firewall before"
            " the ERP. Empty when this deployment has no fixed addresses"
        ),
    ]


class ErpSystemPage(Model):
    """All ERP systems."""

    items: list[ErpSystemView]
    next: str | None = None
