"""Where 24SevenOffice is. The addresses are the vendor's; a deployment may replace them, a tenant never can."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Base addresses of the four hosts, without a slash at the end."""

    login: str = "https://login.24sevenoffice.com"
    rest: str = "https://rest.api.24sevenoffice.com"
    api: str = "https://api.24sevenoffice.com"
    webservices: str = "https://webservices.24sevenoffice.com"

    @classmethod
    def of(cls, addresses: Mapping[str, str]) -> "Endpoints":
        """The vendor's addresses, or the four mounts of the one address that the deployment gives for this system."""
        base = addresses.get("24sevenoffice", "").rstrip("/")
        if not base:
            return cls()
        return cls(f"{base}/login", f"{base}/rest", f"{base}/api", f"{base}/webservices")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The four addresses, each once."""
        return tuple(dict.fromkeys((self.login, self.rest, self.api, self.webservices)))


NAMESPACE = "http://24sevenOffice.com/webservices"
ACCOUNTING = "http://24sevenoffice.com/webservices/economy/accounting/"
"""Of the transaction and attachment services; the case of the letters differs as well."""


@dataclass(frozen=True)
class Service:
    """One SOAP service: on which host, under which path, in which namespace."""

    host: str
    path: str
    namespace: str = NAMESPACE

    def action(self, operation: str) -> str:
        """The SOAPAction of an operation."""
        return f"{self.namespace.rstrip('/')}/{operation}"


AUTHENTICATE = Service("api", "/authenticate/v001/authenticate.asmx")
ACCOUNT = Service("api", "/Economy/Account/V004/Accountservice.asmx")
TRANSACTION = Service("api", "/Economy/Accounting/V001/TransactionService.asmx", ACCOUNTING)
ATTACHMENT = Service("webservices", "/Economy/Accounting/Accounting_V001/AttachmentService.asmx", ACCOUNTING)
CLIENT = Service("api", "/Client/V001/ClientService.asmx")
COMPANY = Service("api", "/CRM/Company/V001/CompanyService.asmx")
INVOICE = Service("api", "/Economy/InvoiceOrder/V001/InvoiceService.asmx")
PRODUCT = Service("api", "/Logistics/Product/V001/ProductService.asmx")
