"""SOAP's messages, described: the elements of each type in their order, and the operations of each service.

Notation: `Name=type`; `?` may be left out, `~` must be there though it may be nil; `[type]` is a list of elements
named like the type. Types of one service stand together, because services use one name for different things.
"""

from dataclasses import dataclass

OFFICE = "http://24sevenOffice.com/webservices"
ACCOUNTING = "http://24sevenoffice.com/webservices/economy/accounting/"
"""The two namespaces; mind the different cases."""


@dataclass(frozen=True)
class Field:
    """An element of a message or of a type."""

    name: str
    type: str
    optional: bool
    nillable: bool

    @property
    def item(self) -> str | None:
        """What a list is a list of."""
        return self.type[1:-1] if self.type.startswith("[") else None


@dataclass(frozen=True)
class Operation:
    """What an operation asks and answers."""

    asks: tuple[Field, ...]
    answers: Field | None


@dataclass(frozen=True)
class Service:
    """A service: its namespace, address, types and operations."""

    name: str
    namespace: str
    paths: tuple[str, ...]
    types: dict[str, tuple[Field, ...]]
    operations: dict[str, Operation]


def fields(text: str) -> tuple[Field, ...]:
    """Read the notation."""
    return tuple(_field(word) for word in text.split())


def _field(word: str) -> Field:
    name, _, kind = word.partition("=")
    return Field(name, kind.rstrip("?~"), "?" in kind, "~" in kind)


def _service(name: str, namespace: str, path: str, types: str, operations: str) -> Service:
    described = {n.strip(): fields(f) for n, _, f in (line.partition(":") for line in _lines(types))}
    known: dict[str, Operation] = {}
    for line in _lines(operations):
        operation, _, rest = line.partition(":")
        asks, _, answer = rest.partition("->")
        answers = _field(f"{operation}Result={answer.strip()}") if answer.strip() else None
        known[operation] = Operation(fields(asks), answers)
    return Service(name, namespace, (path.lower(),), described, known)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().replace("\n    ", " ").splitlines() if line.strip()]


PLACES = """
Address: Street=string? State=string? PostalCode=string? PostalArea=string? Name=string? City=string? Country=string?
Addresses: Post=Address? Delivery=Address? Visit=Address? Invoice=Address?
PhoneNumber: Description=string? Value=string?
PhoneNumbers: Home=PhoneNumber? Fax=PhoneNumber? Mobile=PhoneNumber? Primary=PhoneNumber? Work=PhoneNumber?
EmailAddress: Description=string? Name=string? Value=string?
EmailAddresses: Home=EmailAddress? Invoice=EmailAddress? Primary=EmailAddress? Work=EmailAddress?
    Alternative=EmailAddress?
APIException: Type=string? Message=string? StackTrace=string?
"""

SERVICES = (
    _service(
        "Authenticate",
        OFFICE,
        "/api/authenticate/v001/authenticate.asmx",
        """
Credential: ApplicationId=guid IdentityId=guid? Password=string? Username=string?
User: ContactId=int? Id=guid? Name=string? EmployeeId=int?
Client: Id=long Name=string?
Server: Id=int Type=int
Identity: Id=guid User=User? Client=Client? IsCurrent=boolean IsDefault=boolean IsProtected=boolean Servers=[Server]?
    IsDisabled=boolean?
""",
        """
Login: credential=Credential? -> string?
HasSession: -> boolean
GetIdentity: -> Identity?
GetIdentities: -> [Identity]?
SetIdentity: identity=Identity? -> boolean
SetIdentityById: identityId=guid -> boolean
GetIdentitiesWithCredential: credential=Credential? -> [Identity]?
""",
    ),
    _service(
        "Account",
        OFFICE,
        "/api/Economy/Account/V004/Accountservice.asmx",
        """
UserDefinedDimension: Type=int? Value=string?
LinkModel: LineId=guid? LinkId=guid?
Entry: SequenceId=decimal? CustomerId=int? AccountNo=int? Date=dateTime DueDate=dateTime? Amount=decimal?
    VatAmount=decimal?
    CurrencyId=string? BaseRate=decimal? CurrencyRate=decimal? CurrencyUnit=short? DepartmentId=int? ProjectId=int?
    UserDefinedDimensions=[UserDefinedDimension]? InvoiceReferenceNo=string? InvoiceOcr=string? TaxNo=string?
    PeriodDate=dateTime? Comment=string? StampNo=int? BankAccountNo=string? LinkId=guid? Links=[LinkModel]?
Voucher: TransactionNo=int Entries=[Entry]? Sort=int
Bundle: YearId=int? Vouchers=[Voucher]? Sort=int? Name=string? BundleDirectAccounting=boolean?
    UseAutoBaseRate=boolean?
BundleList: Bundles=[Bundle]? AllowDifference=boolean? DirectLedger=boolean? SaveOption=unsignedByte?
    DefaultCustomerId=int?
    IgnoreWarnings=[string]?
SaveResponse: Type=string Description=string?
EntryId: Date=dateTime SortNo=int EntryNo=int
AccountData: AccountId=int? AccountNo=short? AccountName=string? AccountTax=int? TaxNo=int?
AccountDataErrors: AccountId=int? AccountNo=short? AccountName=string? AccountTax=int? TaxNo=int? Error=string
TypeData: TypeId=int Title=string? EntrySeriesId=int TypeNo=int
TaxCodeElement: TaxId=int TaxNo=string? TaxName=string? TaxRate=decimal AccountNo=short?~
""",
        """
SaveBundleList: BundleList=BundleList? -> SaveResponse?
GetEntryId: argEntryId=EntryId? -> EntryId?
GetAccountList: -> [AccountData]?
GetTypeList: -> [TypeData]?
GetTaxCodeList: -> [TaxCodeElement]?
CheckAccountNo: accountList=[AccountData]? -> [AccountDataErrors]?
""",
    ),
    _service(
        "Transaction",
        ACCOUNTING,
        "/api/Economy/Accounting/V001/TransactionService.asmx",
        """
TransactionType: Turnover=boolean Title=string? No=int Id=int
FiscalYear: Id=guid StartingDate=dateTime EndingDate=dateTime IsLocked=boolean
TransactionSearchParameters: DateSearchParameters=string? ShowOpenEntries=boolean?~ LinkId=int? DateStart=dateTime?
    DateEnd=dateTime? ProjectId=int? CustomerId=int? DepartmentId=int? AccountNoStart=short? AccountNoEnd=short?
    TransactionNoStart=int? TransactionNoEnd=int? TransactionTypeId=int? SystemType=string~ RegisteredAfter=dateTime?
    HasInvoiceId=boolean~ InvoiceNo=string? VatCode=short?~
Dimension: Type=string? Name=string? Value=string? Percent=decimal? TypeId=int?
Transaction: Date=dateTime? AccountNo=short? Currency=string? CurrencyRate=decimal? CurrencyUnit=short?
    Amount=decimal?
    StampNo=int? Period=unsignedByte? TransactionTypeId=int? Comment=string? TransactionNo=int? VatCode=short?
    Id=guid?
    LinkId=int? InvoiceNo=string? SequenceNo=short? SystemType=string? DueDate=dateTime? Dimensions=[Dimension]?
    RegistrationDate=dateTime? DateChanged=dateTime? Hidden=boolean Open=boolean OCR=string? VatDividend=decimal?
    HasVatDividend=boolean PeriodDate=date?
""",
        """
GetTransactionTypes: -> [TransactionType]?
GetFiscalYears: -> [FiscalYear]?
GetTransactions: searchParams=TransactionSearchParameters? -> [Transaction]?
""",
    ),
    _service(
        "Attachment",
        ACCOUNTING,
        "/webservices/Economy/Accounting/Accounting_V001/AttachmentService.asmx",
        """
KeyValuePair: Key=string? Value=string?
ImageFrameInfo: Id=int Uri=string? StampNo=int MetaData=[KeyValuePair]? Status=int
ImageFile: Id=int Type=string StampNo=int StampMeta=[KeyValuePair]? FrameInfo=[ImageFrameInfo]? ContactId=[int]?
FileSearchParameters: StampNo=[int]? FileId=[int]? AttachmentRegisteredAfter=dateTime?
    AttachmentChangedAfter=dateTime?
    HasStampNo=boolean~ FileApproved=boolean~ AttachmentStatus=[FlagType]?
""",
        """
Create: type=string -> ImageFile?
AppendChunk: file=ImageFile? buffer=base64Binary? offset=long
AppendChunkByLength: file=ImageFile? buffer=base64Binary? bufferLength=int offset=long
DownloadChunk: file=ImageFile? offset=long bufferSize=int -> base64Binary?
GetFileInfo: parameters=FileSearchParameters? -> [ImageFile]?
GetSize: file=ImageFile? -> long
GetChecksum: file=ImageFile? -> string?
Save: file=ImageFile? location=string
GetMaxRequestLength: -> long
GetStampNo: -> int
""",
    ),
    _service(
        "Client",
        OFFICE,
        "/api/Client/V001/ClientService.asmx",
        PLACES
        + """
Client: AddressList=Addresses? Country=string? EmailAddressList=EmailAddresses? FactoringClientNo=string?
    FactoringText=string? IsUsingFactoring=boolean Name=string? PhoneNumberList=PhoneNumbers? ReminderDays=int
    ReminderDays2=int ReminderDays3=int UserId=long BankAccount=string? IBAN=string? OrganizationNumber=string?
    Swift=string?
    ResellerId=long? ResellerName=string? DefaultCurrency=string?
Department: Id=int Name=string? Addresses=Addresses? Phone=string? Fax=string? Email=string?
AccountingGroup: AccountId=int Id=int Name=string?
""",
        """
GetClientInformation: -> Client?
GetDepartmentList: -> [Department]?
GetTypeGroupList: module=string -> [AccountingGroup]?
""",
    ),
    _service(
        "Company",
        OFFICE,
        "/api/CRM/Company/V001/CompanyService.asmx",
        PLACES
        + """
Relation: ContactId=int? CompanyId=int? FirstName=string? LastName=string? Role=string? RoleId=int?
    PhoneNumbers=PhoneNumbers? EmailAddresses=EmailAddresses? Fax=string?
CompanyMap: MapType=int ExternalId=string? CompanyId=int
Company: APIException=APIException? Id=int? ExternalId=string? OrganizationNumber=string? Name=string?
    FirstName=string?
    NickName=string? Addresses=Addresses? PhoneNumbers=PhoneNumbers? EmailAddresses=EmailAddresses? Url=string?
    Country=string?
    Note=string? InvoiceLanguage=string? Type=string? Username=string? Password=string? IncorporationDate=dateTime?
    DateCreated=dateTime? Status=int? PriceList=int? Owner=int? BankAccountNo=string? BankAccountType=string?
    BankAccountCountry=string? BankAccountBic=string? TermsOfDeliveryId=int? AccountDebit=short? AccountCredit=short?
    Discount=decimal? TypeGroup=int? ShareCapital=decimal? NumberOfEmployees=int? Turnover=decimal? Profit=decimal?
    IndustryId=int? MemberNo=int? DateChanged=dateTime? BlockInvoice=boolean? Relations=[Relation]? Maps=[CompanyMap]?
    DistributionMethod=string? CurrencyId=string? PaymentTime=short? GlnNumber=string? Factoring=boolean?~
    LedgerCustomerAccount=short? LedgerSupplierAccount=short? VatNumber=string? Private=boolean?~
    ExplicitlySpecifyNewCompanyId=boolean?~
CompanySearchParameters: ExternalId=string? CompanyId=int? CompanyIds=[int]? CompanyName=string?
    ChangedAfter=dateTime?
    CompanyEmail=string? CompanyPhone=string? OrganizationNumber=string?
SyncSearchParameters: Page=int? Active=boolean~ ChangedAfter=dateTime? RegisteredAfter=dateTime?
SyncCompany: CompanyId=int? ExternalId=string? DateChanged=dateTime? DateRegistered=dateTime Active=boolean
PageOfSyncCompany: CurrentPage=long TotalPages=long TotalItems=long ItemsPerPage=long Items=[SyncCompany]?
""",
        """
GetCompanies: searchParams=CompanySearchParameters? returnProperties=[string]? -> [Company]?
GetCompanySyncList: syncSearchParameters=SyncSearchParameters? -> PageOfSyncCompany?
SaveCompanies: companies=[Company]? -> [Company]?
""",
    ),
    _service(
        "Product",
        OFFICE,
        "/api/Logistics/Product/V001/ProductService.asmx",
        """
APIException: Type=string? Message=string? StackTrace=string?
ProductSearchParameters: Id=int? CategoryId=int? No=string? EAN1=string? Name=string? Price=decimal?
    DateChanged=dateTime?
    ProductIds=[int]?
Product: CashPriceIncTax=double? WebPrice=decimal? SupplierId=int? Id=int? Name=string? TaxRate=decimal?
    Stock=decimal?
    StatusId=int? CategoryId=int? PriceGroupID=int? InPrice=decimal? Description=string? DescriptionLong=string?
    Cost=decimal? EAN1=string? Price=decimal? No=string? DateChanged=dateTime? APIException=APIException?
    Weight=decimal?
    MinimumStock=decimal? OrderProposal=decimal? StockLocation=string? SupplierProductCode=string?
    SupplierProductName=string? Web=boolean?~ ProductCode=string? StockControlled=boolean?~ NewOffer=boolean?~
    NewProduct=boolean?~
Category: Id=int? Name=string? No=string? ParentId=int? APIException=APIException?
""",
        """
GetProducts: searchParams=ProductSearchParameters? returnProperties=[string]? -> [Product]?
SaveProducts: products=[Product]? -> [Product]?
SetStockQuantity: productId=int stockQuantity=decimal -> boolean
GetCategories: returnProperties=[string]? -> [Category]?
""",
    ),
    _service(
        "Invoice",
        OFFICE,
        "/api/Economy/InvoiceOrder/V001/InvoiceService.asmx",
        PLACES
        + """
Currency: Rate=decimal? Unit=short? Symbol=string?
TaxSettings: TaxAccount=int? TaxCode=int? TaxRate=decimal?
UserDefinedDimension: TypeId=int? Name=string? Value=string?
DeliveryMethod: Id=int? Description=string?
InvoiceRow: ProductId=int? RowId=int? VatRate=decimal? Price=decimal? Name=string? DiscountRate=decimal?
    Quantity=decimal?
    QuantityDelivered=decimal? QuantityOrdered=decimal? QuantityRest=decimal? Cost=decimal? ChangeState=string?
    TypeGroupId=int? SequenceNumber=short? Hidden=boolean? Type=string? InPrice=decimal? AccrualDate=dateTime?
    AccrualLength=int? AccountProject=boolean?~ ProjectId=int? DepartmentId=int? ProductNo=string?
    TaxSettings=TaxSettings?
    UserDefinedDimensions=[UserDefinedDimension]? SerialNumber=string?
InvoiceOrder: OrderId=int? CustomerId=int? CustomerName=string? CustomerDeliveryName=string?
    CustomerDeliveryPhone=string?
    Addresses=Addresses? OrderStatus=string? InvoiceId=int? DateOrdered=dateTime? DateInvoiced=dateTime?
    DateChanged=dateTime? PaymentTime=int? CustomerReferenceNo=string? ProjectId=int? OurReference=int?
    IncludeVAT=boolean~
    YourReference=string? OrderTotalIncVat=decimal? OrderTotalVat=decimal? InvoiceTitle=string? InvoiceText=string?
    Paid=dateTime? OCR=string? CustomerOrgNo=string? Currency=Currency? PaymentMethodId=int? PaymentAmount=decimal?
    ProductionManagerId=int? SalesOpportunityId=int? TypeOfSaleId=int? Distributor=string? DistributionMethod=string?
    DepartmentId=int? ExternalStatus=int? InvoiceEmailAddress=string? InvoiceRows=[InvoiceRow]?
    APIException=APIException?
    ProductionNumber=string? DeliveryDate=dateTime? ReferenceInvoiceId=int? ReferenceOrderId=int?
    ReferenceNumber=string?
    SkipStock=boolean? AccrualDate=dateTime? AccrualLength=int? RoundFactor=decimal? InvoiceTemplateId=guid?
    VippsNumber=string? DeliveryMethod=DeliveryMethod? DeliveryAlternative=string? SendToFactoring=boolean?~
    Commission=decimal? UserDefinedDimensions=[UserDefinedDimension]? GLNNumber=string? CustomerDeliveryId=int?
InvoiceSearchParameters: CustomerIds=[int]? ChangedAfter=dateTime? OrderStates=[OrderSlipStateType]? InvoiceIds=[int]?
    OrderIds=[int]? ExternalStatus=[int]?
""",
        """
GetInvoices: searchParams=InvoiceSearchParameters? invoiceReturnProperties=[string]? rowReturnProperties=[string]? ->
    [InvoiceOrder]?
SaveInvoices: invoices=[InvoiceOrder]? -> [InvoiceOrder]?
""",
    ),
)

BY_PATH = {path: service for service in SERVICES for path in service.paths}
