"""A tiny SOAP client for the tests: nested lists of (name, value) in, nested dicts of text out."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import httpx
from lxml import etree

from local.erps.twentyfourseven import seed
from local.erps.twentyfourseven.shapes import ACCOUNTING, OFFICE

API, WEBSERVICES = "https://api.24sevenoffice.com", "https://webservices.24sevenoffice.com"
ADDRESSES = {
    "Authenticate": (f"{API}/authenticate/v001/authenticate.asmx", OFFICE),
    "Account": (f"{API}/Economy/Account/V004/Accountservice.asmx", OFFICE),
    "Transaction": (f"{API}/Economy/Accounting/V001/TransactionService.asmx", ACCOUNTING),
    "Attachment": (f"{WEBSERVICES}/Economy/Accounting/Accounting_V001/AttachmentService.asmx", ACCOUNTING),
    "Client": (f"{API}/Client/V001/ClientService.asmx", OFFICE),
    "Company": (f"{API}/CRM/Company/V001/CompanyService.asmx", OFFICE),
    "Product": (f"{API}/Logistics/Product/V001/ProductService.asmx", OFFICE),
    "Invoice": (f"{API}/Economy/InvoiceOrder/V001/InvoiceService.asmx", OFFICE),
}
NIL = object()
"""A value that is there and nil."""

type Xml = list[tuple[str, Any]]


class Fault(Exception):
    """A SOAP fault, with its words."""


class Soap:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.session = ""

    def login(self, username: str, password: str, identity: str | None = None) -> str:
        wanted: Xml = [("IdentityId", identity)] if identity else []
        credential: Xml = [
            ("ApplicationId", seed.APPLICATION_ID),
            *wanted,
            ("Password", password),
            ("Username", username),
        ]
        self.session = self("Authenticate", "Login", [("credential", credential)]) or ""
        return self.session

    def raw(
        self, service: str, operation: str, content: Sequence[Any] = (), *, namespace: str | None = None
    ) -> httpx.Response:
        url, own = ADDRESSES[service]
        used = namespace or own
        body = f'<{operation} xmlns="{used}">{_xml(list(content))}</{operation}>'
        envelope = (
            '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body>{body}</soap:Body></soap:Envelope>'
        )
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{own.rstrip("/")}/{operation}"'}
        if self.session:
            headers["Cookie"] = f"ASP.NET_SessionId={self.session}"
        return self.client.post(url, content=envelope.encode(), headers=headers)

    def __call__(self, service: str, operation: str, content: Sequence[Any] = ()) -> Any:
        """The operation's result. Raises Fault."""
        answer = self.raw(service, operation, content)
        holder = etree.fromstring(answer.content)[0][0]
        if etree.QName(holder).localname == "Fault":
            raise Fault(holder.findtext("faultstring"))
        return _read(holder[0]) if len(holder) else None


def _xml(content: Any) -> str:
    if isinstance(content, list):
        return "".join(
            f'<{name} xsi:nil="true"/>' if value is NIL else f"<{name}>{_xml(value)}</{name}>"
            for name, value in content
        )
    return escape(
        {True: "true", False: "false"}.get(content, str(content)) if isinstance(content, bool) else str(content)
    )


def _read(element: Any) -> Any:
    """A list where the type's name says so, a dict of what has children, else text."""
    name = etree.QName(element).localname
    if not len(element):
        return [] if name in LISTS else element.text
    items = [(etree.QName(child).localname, _read(child)) for child in element]
    return [value for _, value in items] if name in LISTS else dict(items)


LISTS = {
    "GetIdentitiesResult", "GetIdentitiesWithCredentialResult", "GetAccountListResult", "GetTypeListResult",
    "GetTaxCodeListResult", "CheckAccountNoResult", "GetTransactionTypesResult", "GetFiscalYearsResult",
    "GetTransactionsResult", "GetFileInfoResult", "GetDepartmentListResult", "GetTypeGroupListResult",
    "GetCompaniesResult", "SaveCompaniesResult", "GetProductsResult", "SaveProductsResult", "GetCategoriesResult",
    "SaveInvoicesResult", "GetInvoicesResult", "Items", "Dimensions", "InvoiceRows", "FrameInfo", "MetaData",
}  # fmt: skip
