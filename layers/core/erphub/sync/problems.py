"""Problems of a sync: settings, documents, changes, uploads and transfers."""

from erphub.platform.errors import (
    Conflict,
    CredentialsRefused,
    ErpRefused,
    HubError,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    Uncertain,
)
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from erphub.platform.problems import INVALID_REQUEST, UNAVAILABLE, VERSION_CONFLICT
from erphub.tenancy.problems import CONNECTION_NOT_FOUND

KIND_DIFFERS = FieldProblemType("kind_differs", "The address says {kind}, the body {given!r}.")
FEED_BUSY = VERSION_CONFLICT.saying("The feed of changes is being written by others.", "Try again.")
BOUND_OTHERWISE = ProblemType(
    ErpRefused,
    "bound_otherwise",
    "In the ERP this is {reference}, which is the till's {external_id} already.",
    "Send it under that id, or give one of them another number.",
)
BOUND_TO_ANOTHER = ProblemType(
    Conflict,
    "bound_otherwise",
    "The till's {external_id} is {reference} in the ERP, not {other_reference}.",
    members=("reference",),
)
CHANGE_BEING_SENT = ProblemType(
    Conflict,
    "being_sent",
    "The till's own change of this record is on its way to the ERP.",
    "Acknowledge again after the transfer.",
    members=("entry_id",),
)
EXTERNAL_ID_REQUIRED = FieldProblemType(
    "external_id_required", "The record is new: say under which id the till keeps it."
)
ANOTHER_SETTLEMENT = ProblemType(
    Conflict,
    "another_settlement",
    "Under this id another Z-report is kept: {title}.",
    "Hand this one in under an id of its own; if it was the other that was wrong, skip that in the export log.",
    members=("entry_id",),
)
OUTCOME_OPEN = CHANGE_BEING_SENT.saying(
    "The document is on its way, and it cannot be told yet whether the ERP has it.", "Try again later."
)
ALREADY_SENT = ProblemType(
    Conflict,
    "already_sent",
    "The ERP has it already, as {reference}. It must be corrected there.",
    members=("entry_id", "reference"),
)
SUPERSEDED = ProblemType(
    Conflict,
    "superseded",
    "{document} was handed in again after this file, with another content, which is kept.",
    "Nothing is to be done, unless the file's was the right one: hand that in again.",
    members=("entry_id",),
)
ANOTHER_CONTENT = ProblemType(
    Conflict,
    "another_content",
    "{document} is kept as {external_id} with another content ({difference}).",
    "Correct it under that id, or in the ERP where it has been sent.",
    members=("differences", "entry_id", "external_id", "reference"),
)
INVOICE_REPEATED = ProblemType(
    Conflict,
    "invoice_repeated",
    "An invoice with the same content is kept as {external_id}. If it is another one, give both the till's own "
    "invoice number in `number`.",
    members=("entry_id", "external_id"),
)
DATE_IN_FUTURE = FieldProblemType("date_in_future", "{day} has not come yet.")
VAT_IMPLAUSIBLE = FieldProblemType(
    "vat_implausible",
    "{vat} is not the VAT in {amount} at {rate} %: that is {expected:.2f}.",
    "Send the line with its own VAT, or split it by rate.",
)
UNKNOWN_KIND = ProblemType(NotFound, "unknown_kind", "There are no documents of the kind {kind!r}.")
PDF_NOT_FOUND = ProblemType(
    NotFound,
    "pdf_not_found",
    "The till has handed over no PDF with this document. One that the hub made is with the voucher.",
)
DOCUMENT_NOT_FOUND = ProblemType(
    NotFound,
    "document_not_found",
    "No document was handed in under this id. The same may be there under another id: look it up in the list.",
)
DOCTYPE_REFUSED = ProblemType(
    Invalid, "doctype_refused", "The file declares a document type of its own, which is not accepted."
)
NOT_A_CASH_REGISTER_FILE = ProblemType(
    Invalid,
    "not_a_cash_register_file",
    "This is no SAF-T Cash Register file: its root is not auditfile of urn:StandardAuditFile-Taxation-CashRegister:NO.",
)
REPORT_TWICE = ProblemType(Invalid, "report_twice", "The file has this Z-report twice, with different amounts.")
REPORT_BEHIND_TRANSACTIONS = ProblemType(
    Invalid,
    "report_behind_transactions",
    "The register has a report behind many of its transactions, so that nobody knows which of them it closes.",
    "Write its events before its transactions, as the schema has them.",
)
TOO_MANY_REPORTS = ProblemType(
    Invalid,
    "too_many_reports",
    "A file may have at most {maximum} Z-reports.",
    "Hand it in as several, by location or by year.",
)
MALFORMED_XML = ProblemType(Invalid, "malformed_xml", "The file is not well-formed XML.")
VALUE_INVALID = ProblemType(Invalid, "value_invalid", "{error}.")
VALUE_REPEATED = FieldProblemType("value_repeated", "{name} is there {count} times where it can be once.")
EXTERNAL_ID_INVALID = FieldProblemType(
    "external_id_invalid", "An id has 1 to 100 of: letters A-Z, digits, and . _ : @ ~ or -."
)
DOCUMENT_TOO_LARGE = ProblemType(
    Invalid, "document_too_large", "A document may have at most {maximum} KB.", "Hand it in as several."
)
SYNC_NEEDED = ProblemType(
    Conflict, "sync_not_set_up", "This connection has no sync yet.", "Save its settings first (PUT …/sync)."
)
DOCUMENTS_OR_CODE = FieldProblemType("choose_one", "Name document_ids or a code: one of the two.")
BEING_SENT = CHANGE_BEING_SENT.saying("It is being sent right now.", "Wait for the outcome.")
IN_THE_ERP = ALREADY_SENT.saying("It is in the ERP, as {reference}.")
SENT_ALREADY = ALREADY_SENT.saying("It is in the ERP already, as {reference}.")
BODY_FORGOTTEN = ProblemType(
    Conflict,
    "body_forgotten",
    "It was left out and its time in the log is over.",
    "Hand {external_id} in again, then retry.",
)
NO_SYNC_OR_CONNECTION = ProblemType(
    NotFound, "sync_not_set_up", "This connection has no sync, or there is no such connection."
)
ENTRY_NOT_FOUND = ProblemType(NotFound, "entry_not_found", "There is no such document in the export log.")
TOO_MANY_ENTRIES = ProblemType(
    TooLarge, "too_many_entries", "More than {maximum} entries: ask for fewer days or one kind."
)
TRANSFER_RUNNING = ProblemType(
    Conflict, "transfer_running", "Another transfer of this connection is under way.", members=("transfer_id",)
)
TRANSFER_FIRST = TRANSFER_RUNNING.saying("Another transfer of this connection was first.")
TRANSFER_WORKED_ON = TRANSFER_RUNNING.saying("This transfer is being worked on already.")
LOCATION_AMBIGUOUS = ProblemType(
    Unavailable,
    "location_ambiguous",
    "{said} is meant by several {of}: {value}.",
    "Say in a location which, then it goes with the next transfer.",
)
LOCATION_UNKNOWN = ProblemType(
    Unavailable,
    "location_unknown",
    "{said} is no location of the sync's settings{shown}, so nobody can tell whose books it belongs to.",
    "Add it there to a company and department; then it goes with the next transfer.",
)
SYNC_NOT_SET_UP = NO_SYNC_OR_CONNECTION.saying("This connection has no sync yet: save its settings.")
SETTINGS_CHANGED = VERSION_CONFLICT.saying(
    "Somebody else has saved the settings since you read them.", "Read them again."
)
DOCUMENTS_NOT_SUPPORTED = ProblemType(ErpRefused, "documents_not_supported", "This ERP system takes no documents.")
COMPANY_FIXED = FieldProblemType(
    "company_fixed",
    "Company {company} has documents of this sync already, and their numbers mean something else in another company.",
    "Choose it again. A shop of another company is a location of these settings, with its company; a till that "
    "names neither shop nor register gets a connection of its own, which chooses the other company by name.",
)
VOUCHER_TYPE_REQUIRED = FieldProblemType("voucher_type_required", "Choose the voucher type of daily settlements.")
IMPORT_TYPE_NOT_SUPPORTED = FieldProblemType(
    "import_type_not_supported",
    "Over this connection settlements can go to the {targets} only.",
    "Choose that, or connect in another way.",
)
NEEDS_Z_REPORT = FieldProblemType("needs_z_report", "Stock change is part of the Z-report: switch that on too.")
CONFIRM_LEDGER = FieldProblemType(
    "confirm_ledger",
    "Straight to the ledger is final: settlements cannot be edited there.",
    "Say so again with confirm_ledger.",
)
NEEDS_PRODUCTS = FieldProblemType("needs_products", "Stock quantities go with products: switch those on too.")
SALES_ACCOUNT_REQUIRED = FieldProblemType("account_required", "Name a sales account for each VAT rate that is sold at.")
PAYMENT_ACCOUNT_REQUIRED = SALES_ACCOUNT_REQUIRED.saying("Name an account for each means of payment.")
GIFT_CARD_PRODUCT_MISSING = FieldProblemType(
    "gift_card_product_missing",
    "Gift cards are invoiced as the product GIFTCARD, which the ERP does not have.",
    "Create it there, or have the hub create it (POST …/sync/gift-card-product).",
)
LOCATION_WITHOUT_WORDS = FieldProblemType(
    "location_without_words", "Say how the till names it: its departments, its registers, or both."
)
VOUCHER_TYPE_RESERVED = FieldProblemType(
    "voucher_type_reserved",
    "The ERP keeps the voucher type {voucher_type} for vouchers that it makes itself.",
    "Choose one for daily settlements.",
)
VOUCHER_TYPE_UNKNOWN = FieldProblemType("voucher_type_unknown", "The ERP has no voucher type {voucher_type!r}.")
VAT_RATE_UNKNOWN = FieldProblemType("vat_rate_unknown", "The ERP has no tax code of {rate} %.")
RATE_WITHOUT_ACCOUNT = VAT_RATE_UNKNOWN.saying(
    "No account is chosen for sales at {rate} % on {day}.",
    "Choose one in the sync's settings (`accounts.sales`), then hand it in again.",
)
RATE_NOT_VALID = FieldProblemType(
    "vat_rate_not_valid",
    "On {day} there was no VAT of {rate} %, which is valid {periods}.",
    "Send the line at the rate of its day; where other days hold, say so in the settings (`vat_periods`).",
)
ACCOUNT_MISSING = FieldProblemType("account_missing", "The ERP has no account {number}.")
TIME_ZONE_UNKNOWN = FieldProblemType("time_zone_unknown", "There is no time zone {time_zone!r}.")
LOCATION_REPEATED = FieldProblemType(
    "location_repeated", "{name} is what location {number} ({other_name}) is called as well."
)
STOCK_ACCOUNT_REQUIRED = SALES_ACCOUNT_REQUIRED.saying("Stock change needs the {name} account.")
ACCOUNT_WITHOUT_SALES_TYPE = FieldProblemType(
    "account_without_sales_type",
    "Account {number} has no sales type (type group).",
    "Set one up in the ERP's accounting settings.",
)
PDF_NOT_MADE = ProblemType(ErpRefused, "pdf_not_made", "The PDF could not be made.")
PDF_INVALID = ProblemType(
    Invalid,
    "pdf_invalid",
    "The file that was handed over is no PDF of at most {maximum} MB.",
    "Hand over the PDF itself.",
)
PDF_AMBIGUOUS = Reason(
    "pdf_ambiguous",
    "Different files were put to the address of its PDF, and nobody said which counts.",
    "Hand over the right one with `PUT …/pdf?replace=true`.",
)
PDF_REPLACED_LATE = Reason(
    "pdf_replaced_late",
    "The PDF was replaced after the voucher had gone with the earlier one, which is the one in the ERP.",
    "Add the new one to the voucher in the ERP.",
)
PDF_EXISTS = ProblemType(
    Conflict,
    "pdf_exists",
    "Another PDF is kept for this document.",
    "If this one is to count instead, say so with `replace=true`; the earlier one is kept too.",
    members=("entry_id", "digest"),
)
PDF_TOO_OFTEN = ProblemType(
    Conflict, "pdf_too_often", "The PDF was replaced {count} times.", "Skip the document, and hand it in anew."
)
PDF_NOT_TAKEN = ProblemType(Conflict, "pdf_not_taken", "Only a settlement has a PDF, no {kind}.")
ATTACHING_FAILED = ProblemType(HubError, "internal_error", "The PDF could not be attached.")
COLLECTING_FAILED = ATTACHING_FAILED.saying("Something went wrong on our side.")
SYNC_BUSY = UNAVAILABLE.saying("The sync is being changed by others.", "Try again.")
CONNECTION_GONE = CONNECTION_NOT_FOUND.saying("The connection is no longer there.")
REAUTH_REQUIRED = ProblemType(
    CredentialsRefused, "reauth_required", "The ERP does not accept the connection's credentials.", "Enter them again."
)
ALREADY_KEPT = ProblemType(
    Conflict,
    "already_kept",
    "It is the same document as {external_id}, which is kept.",
    "Leave this one out.",
    members=("entry_id",),
)
CUSTOMER_UNKNOWN = ProblemType(
    ErpRefused,
    "customer_unknown",
    "The invoice names the customer {customer_id}, who was never handed over.",
    "Send the customer, then retry.",
)
CUSTOMER_IN_ANOTHER_COMPANY = ProblemType(
    Unavailable,
    "customer_in_another_company",
    "The invoice's customer {customer_id} is in company {customer_company}, and the invoice belongs to company "
    "{company}.",
    "Hand the customer in for the invoice's shop, under an id of its own there.",
)
WAITS_FOR_CUSTOMER = ProblemType(
    Unavailable, "waits_for_customer", "The invoice's customer is not in the ERP yet; it follows the customer."
)
KIND_OR_DOCUMENTS = DOCUMENTS_OR_CODE.saying("Name a kind or document_ids, not both.")
SENDING_FAILED = ProblemType(Uncertain, "internal_error", "Something went wrong on our side while it was being sent.")
KIND_SWITCHED_OFF = ProblemType(Conflict, "kind_switched_off", "Sending of {kind}s is switched off.")
TRANSFER_NOT_FOUND = ProblemType(NotFound, "transfer_not_found", "There is no such transfer.")
DOCUMENT_NOT_IN_LOG = ENTRY_NOT_FOUND.saying("There is no document {entry} in the export log.")
LINE_TOO_LONG = ProblemType(Invalid, "line_too_long", "The line is longer than any document may be.")
LINE_NO_OBJECT = ProblemType(Invalid, "object_required", "The line is no JSON object.")
LINE_WITHOUT_ID = ProblemType(Invalid, "external_id_required", "The line needs a kind and an external_id.")
UPLOAD_NOT_FOUND = ProblemType(NotFound, "upload_not_found", "There is no such upload.")
UPLOAD_TAKEN = ProblemType(
    Conflict, "upload_taken", "This upload has been read, or is being read.", members=("status",)
)
FILE_NOT_UPLOADED = ProblemType(Conflict, "file_missing", "The file has not been uploaded yet.")
FILE_TOO_LARGE = ProblemType(Invalid, "file_too_large", "A file may have at most {maximum} MB.")
LINE_UNREADABLE = ProblemType(Invalid, "line_unreadable", "The line cannot be read.")
LINE_NOT_JSON = ProblemType(Invalid, "malformed_json", "The line is no JSON in UTF-8.")
ENCODING_UNSUPPORTED = ProblemType(
    Invalid, "encoding_unsupported", "The file is in UTF-16 or UTF-32.", "Save it in UTF-8."
)
DOCUMENT_INVALID = INVALID_REQUEST.saying("The document is not valid; `errors` says what.")
SETTINGS_INVALID = INVALID_REQUEST.saying("The settings are not saved; `errors` says everything that is wrong.")
VAT_INVALID = INVALID_REQUEST.saying(
    "The VAT of the settlement cannot be that of its rates; `errors` says which lines."
)
SHOP_FIXED = COMPANY_FIXED.saying(
    "Company {company} has documents of {shop}.",
    "Leave it there. A shop that belongs to another company from now on gets a location under a new name, which "
    "its till sends from then on.",
)
COMPANY_REQUIRED = FieldProblemType("company_required", "The login reaches {count} of them: choose the company.")
COMPANY_UNKNOWN = FieldProblemType("company_unknown", "The login reaches no company {chosen!r}.")
DEPARTMENT_REQUIRED = FieldProblemType(
    "department_required", "The login reaches {count} of them: choose the department."
)
DEPARTMENT_UNKNOWN = FieldProblemType("department_unknown", "The login reaches no department {chosen!r}.")
VALUE_IN_FILE = FieldProblemType("value_invalid", "{name}: {error}.")
AMOUNT_INVALID = FieldProblemType("amount_invalid", "{name}: {error}.")
REPORT_NUMBER_INVALID = FieldProblemType("report_number_invalid", "{name}: {error}.")
TRUTH_VALUE_INVALID = FieldProblemType("truth_value_invalid", "{name}: {error}.")
REPORT_DATE_INVALID = FieldProblemType("report_date_invalid", "{name}: {error}.")

DISCARDED_THERE = ProblemType(
    Conflict,
    "discarded_in_erp",
    "Somebody discarded it in the ERP's inbox.",
    "If it is to go there again all the same, say so with `resend_discarded`.",
    members=("reference",),
)

# Kept in the export log, or told of a sync

SETTLEMENT_EMPTY = Reason(
    "settlement_empty",
    "The Z-report has no amounts, so there is nothing to post.",
    "Another may be handed in under its id.",
)
BEFORE_FROM_DATE = Reason("before_from_date", "Nothing of a day before {from_date} is sent.")
INTERRUPTED = Reason("interrupted", "The transfer broke off here; the ERP is asked before the document is sent again.")
SKIPPED_UNCERTAIN = Reason("skipped_uncertain", "Left out by hand, while it could not be told whether the ERP has it.")
SKIPPED_BY_HAND = Reason("skipped_by_hand", "Left out by hand.")
DOCUMENT_REJECTED = Reason(
    "document_rejected", "The ERP refused documents.", "The export log says why of each: mend that, then retry."
)
REPORTS_MISSING = Reason(
    "reports_missing", "There are gaps in the numbers of the Z-reports.", "Hand in those that are missing."
)
NOTHING_SENT = Reason(
    "nothing_sent",
    "Nothing has been sent for longer than usual.",
    "Check that the till hands over its documents, and that they go.",
)
DISCARDED_IN_ERP = Reason(
    "discarded_in_erp", "Somebody threw it away in the ERP's inbox.", "Retry with `resend_discarded` sends it again."
)
VOUCHER_APPROVED = Reason("voucher_approved", "Vouchers were approved in the ERP's inbox.")
VOUCHER_DISCARDED = Reason(
    "voucher_discarded", "Vouchers were discarded in the ERP's inbox.", "Retry those that are to go there again."
)
APPROVAL_OVERDUE = Reason(
    "approval_overdue",
    "Vouchers have waited in the ERP's inbox for long.",
    "Ask the accountant to approve or discard them.",
)
