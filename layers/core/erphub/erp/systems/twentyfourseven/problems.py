"""What 24SevenOffice refuses, and what its answers or their absence mean."""

from erphub.platform.errors import CredentialsRefused, ErpRefused, Unavailable, Uncertain
from erphub.platform.problem_types import ProblemType, Reason
from erphub.platform.problems import UNAVAILABLE

DATASET_NOT_OFFERED = ProblemType(
    ErpRefused, "dataset_not_offered", "24SevenOffice offers no {title} over this way of signing in."
)
DEPARTMENT_NOT_CHOSEN = ProblemType(
    ErpRefused,
    "department_not_chosen",
    "The connection does not use department {department}.",
    "Choose another in the sync's settings, or edit the connection.",
)
NO_COMPANIES = ProblemType(ErpRefused, "no_companies", "The user reaches no company in 24SevenOffice.")
COMPANY_MUST_BE_CHOSEN = ProblemType(
    ErpRefused,
    "company_must_be_chosen",
    "The user reaches {count} companies.",
    "Switch on “Several companies”, then choose which ones.",
)
COMPANY_OF_ANOTHER_ORGANISATION = ProblemType(
    ErpRefused,
    "company_gone",
    "The connection signs in to organisation {organisation_id} and does not reach company {company}.",
)
ERP_TIMEOUT = ProblemType(Unavailable, "erp_timeout", "24SevenOffice did not answer in time.", "Try again later.")
ERP_ANSWER_BROKEN = ProblemType(
    Unavailable, "erp_answer_broken", "24SevenOffice's answer broke off.", "Try again later.", members=("erp_trace_id",)
)
ERP_ERROR = ProblemType(
    Unavailable,
    "erp_error",
    "24SevenOffice answered with an error of its own ({status}).",
    "Try again later.",
    members=("erp_trace_id", "erp_message"),
)
CREDENTIALS_REFUSED = ProblemType(
    CredentialsRefused,
    "credentials_refused",
    "24SevenOffice does not accept what the connection signs in with.",
    "Enter it again in the connection.",
    members=("erp_message",),
)
SESSION_NOT_HELD = ProblemType(
    Unavailable,
    "session_not_held",
    "24SevenOffice ends every session at once at the moment.",
    "Try again later.",
    members=("erp_message",),
)
PERMISSION_DENIED = ProblemType(
    ErpRefused,
    "permission_denied",
    "24SevenOffice does not let this connection do that{scope}. It needs access to CRM, Accounting, Admin, "
    "Products and Invoicing: give it in 24SevenOffice, then try again.",
    members=("erp_trace_id", "erp_message"),
)
PERIOD_CLOSED = ProblemType(
    ErpRefused,
    "period_closed",
    "24SevenOffice takes nothing of that day: its accounting period is closed or not set up.",
    "Open it there, then send again; or leave the document out, and post it by hand.",
    members=("erp_trace_id", "erp_message"),
)
ERP_UNREACHABLE = ProblemType(Unavailable, "erp_unreachable", "24SevenOffice cannot be reached. Nothing was sent.")
ANSWER_LOST = ProblemType(
    Uncertain,
    "answer_lost",
    "24SevenOffice did not answer, and may have done what was asked. The hub looks before it sends again.",
)
ANSWER_BROKE_OFF = ProblemType(
    Uncertain,
    "answer_lost",
    "24SevenOffice's answer broke off; it may have done what was asked. The hub looks before it sends again.",
    members=("erp_trace_id",),
)
OUTCOME_UNKNOWN = ProblemType(
    Uncertain,
    "erp_error",
    "24SevenOffice stumbled, and may or may not have done what was asked. The hub looks before it sends again.",
    members=("erp_trace_id", "erp_message"),
)
PDF_UNREADABLE = ProblemType(ErpRefused, "pdf_unreadable", "The PDF cannot be read, so its pages cannot be drawn.")
PDF_TOO_LONG = ProblemType(ErpRefused, "pdf_too_long", "The PDF must have 1 to {maximum} pages.")
UPLOAD_ADDRESS_REFUSED = ProblemType(
    ErpRefused, "upload_address_refused", "24SevenOffice gave an unsafe address for the file."
)
PAGES_IN_A_CIRCLE = ERP_ANSWER_BROKEN.saying("24SevenOffice's pages lead in a circle.", "Try again later.")
CUSTOMER_UNKNOWN = ProblemType(
    ErpRefused,
    "customer_unknown",
    "Customer {customer_id} is not in 24SevenOffice yet.",
    "Send the customer first, then the invoice again.",
)
GIFT_CARD_PRODUCT_MISSING = ProblemType(
    ErpRefused,
    "gift_card_product_missing",
    "Gift cards are invoiced as the product GIFTCARD, which 24SevenOffice does not have.",
    "Create a product with the number GIFTCARD there by hand, then send again.",
)
PRODUCT_MISSING = ProblemType(
    ErpRefused,
    "product_missing",
    "24SevenOffice has no product {number}.",
    "Send the product first, then the invoice again.",
)
ORDER_WAS_CHANGED = ProblemType(
    ErpRefused,
    "order_was_changed",
    "Order {order} was begun by the hub and then changed in 24SevenOffice.",
    "Delete it there and send again, or finish it there and skip the document.",
)
LINE_WITHOUT_ACCOUNT = ProblemType(
    ErpRefused,
    "account_not_chosen",
    "The line {description!r} names no product, and no account is chosen for sales at {rate} % VAT.",
)
PRODUCT_NUMBER_NOT_UNIQUE = ProblemType(
    ErpRefused,
    "product_number_not_unique",
    "24SevenOffice has {count} products numbered {number}, so it is unclear which one to change.",
    "Give the others another number.",
)
PRODUCT_CATEGORY_MISSING = ProblemType(
    ErpRefused,
    "product_category_missing",
    "24SevenOffice has no product category, and a product needs one.",
    "Create one there, then send again.",
)
ATTACHMENT_UNAVAILABLE = ProblemType(
    Unavailable,
    "attachment_unavailable",
    "24SevenOffice does not take the PDF at the moment, and a voucher cannot be given one later. It waits.",
    members=("erp_message", "erp_trace_id", "only_this"),
)
ATTACHMENT_TOO_LATE = ProblemType(
    ErpRefused,
    "attachment_too_late",
    "The voucher is posted, and 24SevenOffice takes a PDF only together with the voucher.",
    "Add the PDF to the voucher there by hand.",
)
VOUCHER_TYPE_NOT_CHOSEN = ProblemType(
    ErpRefused,
    "voucher_type_not_chosen",
    "No voucher type (bilagsart) is chosen.",
    "Choose one in the sync's settings; 24SevenOffice lists them under Administration → Settings.",
)
DEPARTMENT_MISSING = ProblemType(
    ErpRefused,
    "department_missing",
    "Department {department} does not exist in 24SevenOffice.",
    "Choose another in the sync's settings.",
)
INBOX_NEEDS_USER = ProblemType(
    ErpRefused,
    "inbox_needs_user",
    "Only a connection that signs in with user name and password can hand vouchers to the inbox.",
    "Choose the ledger in the sync's settings, or connect with a user.",
)
CURRENCY_DIFFERS = ProblemType(
    ErpRefused,
    "currency_differs",
    "The settlement is in {currency}, and the company keeps its accounts in {accounts_currency}.",
)
ATTACHMENT_REFUSED = ProblemType(ErpRefused, "attachment_refused", "24SevenOffice could not read the PDF.")
TAX_CODE_MISSING = ProblemType(
    ErpRefused,
    "tax_code_missing",
    "24SevenOffice has no VAT code of {rate} % for {what}.",
    "Set one up there, then send again.",
    members=("account",),
)
SETTLEMENT_EMPTY = ProblemType(
    ErpRefused, "settlement_empty", "The settlement has no amounts, so there is nothing to post."
)
SETTLEMENT_DOES_NOT_BALANCE = ProblemType(
    ErpRefused,
    "settlement_does_not_balance",
    "The settlement does not balance: debit and credit differ by {difference}.",
)
ACCOUNT_NOT_CHOSEN = LINE_WITHOUT_ACCOUNT.saying(
    "No account is chosen for {purpose}.", "Choose one in the sync's chart of accounts, then send again."
)
ACCOUNT_MISSING = ProblemType(
    ErpRefused,
    "account_missing",
    "Account {number} ({purpose}) does not exist in 24SevenOffice.",
    "Create it there, or choose another in the sync's chart of accounts; then send again.",
    members=("account",),
)
CLIENT_REFUSED = CREDENTIALS_REFUSED.saying(
    "24SevenOffice accepts neither this client id with its secret, or knows no such organisation.", "Check all three."
)
APPLICATION_NOT_CONNECTED = ProblemType(
    CredentialsRefused,
    "application_not_connected",
    "The organisation has not connected this application. In 24SevenOffice, open Administration → Integrations → "
    "Connect application, and enter the application's id there.",
    members=("erp_message",),
)
COMPANY_NOT_CHOSEN = COMPANY_MUST_BE_CHOSEN.saying(
    "The user reaches several companies.", "Choose the company in the connection's settings."
)
COMPANY_CLOSED_TO_USER = COMPANY_OF_ANOTHER_ORGANISATION.saying(
    "The user no longer reaches company {company} in 24SevenOffice.", "Give the access back, or choose another."
)
APPLICATION_ID_MISSING = ProblemType(
    ErpRefused,
    "application_id_missing",
    "This hub has no application id from 24SevenOffice yet, which signing in with a user needs.",
    "Sign in with an organisation id instead, or ask the hub's operator.",
)
NOT_ANSWERED = UNAVAILABLE.saying("24SevenOffice did not answer.")
IDENTITY_BLOCKED = ProblemType(
    CredentialsRefused,
    "identity_blocked",
    "24SevenOffice has blocked the identity that this connection uses.",
    "Choose the company again in the connection, or ask 24SevenOffice to lift the block.",
    members=("erp_message",),
)
ERP_REFUSED = ProblemType(
    ErpRefused,
    "erp_refused",
    "24SevenOffice refused it: {erp_message}",
    members=("erp_message", "erp_trace_id", "status_there"),
)
REFUSED_WITHOUT_WORDS = ERP_REFUSED.saying("24SevenOffice refused it (status {status_there}).")
REFUSED_FOR_DEPARTMENT = ProblemType(
    ErpRefused, "department_missing", "24SevenOffice refused it: {erp_message}", members=ERP_REFUSED.members
)
REFUSED_FOR_PROJECT = ProblemType(
    ErpRefused, "project_missing", "24SevenOffice refused it: {erp_message}", members=ERP_REFUSED.members
)
REFUSED_WITHOUT_LINES = ProblemType(
    ErpRefused, "lines_missing", "24SevenOffice refused it: {erp_message}", members=ERP_REFUSED.members
)
NOT_IN_ERP = ProblemType(
    ErpRefused, "not_in_erp", "24SevenOffice refused it: {erp_message}", members=ERP_REFUSED.members
)
ACTOR_GONE = NOT_IN_ERP.saying("There is no customer or supplier {number} any more.")
STAMP_TAKEN = ProblemType(
    Unavailable, "stamp_taken", "Other programs are saving vouchers' images at the same time.", "Try again."
)
ANSWER_WITHOUT_RESULT = ProblemType(ErpRefused, "erp_answer_broken", "24SevenOffice answered without a result.")
STOCK_REFUSED = ProblemType(ErpRefused, "stock_refused", "24SevenOffice did not take the product's stock quantity.")
NUMBER_TAKEN = ProblemType(
    Unavailable, "number_taken", "Other programs are posting vouchers at the same time.", "Try again."
)
VOUCHER_REFUSED = ERP_REFUSED.saying("24SevenOffice refused the voucher: {erp_message}")
VOUCHER_TYPE_MISSING = ProblemType(
    ErpRefused,
    "voucher_type_missing",
    "24SevenOffice has no voucher type {number}.",
    "Choose another in the sync's settings.",
)
DRAFT_NOT_READABLE = ProblemType(
    Uncertain,
    "draft_not_readable",
    "24SevenOffice cannot be asked for vouchers that wait for approval, and this one had no page to go by.",
    "Look for {key} there; then skip the document or send it again.",
)
SIGN_IN_BUSY = ProblemType(
    Unavailable,
    "sign_in_busy",
    "24SevenOffice is being signed in to by another transfer, which does not come back.",
    "Try again in a minute.",
    members=("retry_after",),
)

# What reading finds in rows, told with a run

ROW_CAME_TWICE = Reason("row_came_twice", "The ERP gave a row twice; it is kept once.")
LIST_KEPT_CHANGING = Reason("list_kept_changing", "The ERP's list was another one each time it was read to its end.")
BALANCE_DIFFERS = Reason("balance_differs", "The ERP's own balance is another one than its entries come to.")

MODULE_MISSING = ProblemType(
    ErpRefused,
    "module_missing",
    "The company does not have that module of 24SevenOffice.",
    "Have it added there, then try again.",
    members=("erp_message", "erp_trace_id"),
)
AREA_CLOSED = PERMISSION_DENIED.saying(
    "The {who} has no access to {area} ({holds}).",
    "Ask the accountant, or whoever administers 24SevenOffice, to give the {who} access to {area} there; then "
    "test again.",
)
AREA_MISSING = MODULE_MISSING.saying(
    "The company does not have {area} ({holds}) in 24SevenOffice.",
    "Ask the accountant, or whoever administers 24SevenOffice, to have the module {area} added; then test again.",
)

# Warnings of a connection's test

DEPARTMENT_GONE = Reason(
    "department_gone",
    "Departments that were chosen are no longer there: {departments}. Vouchers that name them are refused; edit "
    "the connection to choose others.",
)
