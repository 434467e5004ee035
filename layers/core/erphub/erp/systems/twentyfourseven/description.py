"""24SevenOffice for whoever chooses it: what it is, and the questions its wizard asks."""

from erphub.erp.description import AdapterCapability, Description, Field, Link, Step
from erphub.erp.steps import all_or_these, companies_step, finish_step, name_step, shared_field

ORGANISATION, USER = "organisation", "user"
_NO_CONTROLS = "^[^\\u0000-\\u001f\\u007f]*$"

SIGN_IN = Step(
    id="sign-in",
    title="Sign in",
    help="How the hub signs in to 24SevenOffice. An organisation reaches one company and posts to its ledger; a user"
    " can reach several companies, and can hand vouchers to the inbox to be approved.",
    fields=(
        Field(
            "sign_in",
            "Way of signing in",
            "With an organisation no password of a person is kept; choose it unless vouchers are to be approved first.",
            default=ORGANISATION,
            choices={ORGANISATION: "Organisation id", USER: "User name and password"},
        ),
        Field(
            "organisation_id",
            "Organisation id",
            "In 24SevenOffice under Administration → Integrations, after the application has been connected there.",
            example="100001",
            max_length=18,
            pattern="^[0-9]+$",
            when=("sign_in", (ORGANISATION,)),
            names_target=True,
        ),
        Field(
            "client_id",
            "Client id",
            "Of the application that is connected under Administration → Integrations.",
            example="a1b2c3d4",
            max_length=200,
            pattern=_NO_CONTROLS,
            when=("sign_in", (ORGANISATION,)),
            names_target=True,
        ),
        Field(
            "client_secret",
            "Client secret",
            "Belongs to the client id. Stored encrypted, never shown again.",
            secret=True,
            max_length=500,
            when=("sign_in", (ORGANISATION,)),
        ),
        Field(
            "username",
            "User name",
            "The e-mail address of a user with access to CRM, Accounting, Admin, Products and Invoicing.",
            example="regnskap@example.com",
            max_length=200,
            pattern=_NO_CONTROLS,
            when=("sign_in", (USER,)),
            names_target=True,
        ),
        Field(
            "password",
            "Password",
            "Stored encrypted, never shown again.",
            secret=True,
            max_length=200,
            when=("sign_in", (USER,)),
        ),
        Field(
            "has_several_companies",
            "Several companies",
            "On, when the user reaches more than one company; then choose which on the next page.",
            type="boolean",
            default=False,
            keeps_secrets=True,
        ),
        shared_field(),
    ),
    tests=True,
)

DEPARTMENTS = Step(
    id="departments",
    title="Departments",
    help="Which of the companies' departments the hub's vouchers may name. Not asked where there is nothing to choose:"
    " a company without departments, or with one.",
    fields=(
        Field(
            "departments",
            "Departments",
            "The keys of the departments to use, at least one for each company that has several; or `all` for every one"
            " of them and those that are added later, then each sync names its own.",
            example=["100001/1"],
            schema=all_or_these(200),
            listed=True,
        ),
    ),
)

DESCRIPTION = Description(
    id="24sevenoffice",
    title="24SevenOffice",
    summary="24SevenOffice (Finago Office): imports its data, and sends settlements, invoices, customers and products.",
    documentation=(
        Link("REST API", "https://rest-api.developer.24sevenoffice.com/"),
        Link("Web services", "https://developer.24sevenoffice.com/"),
        Link(
            "Connecting an application",
            "https://rest-api.developer.24sevenoffice.com/doc/v1/topic/topic-authentication",
        ),
    ),
    steps=(SIGN_IN, companies_step(), DEPARTMENTS, name_step(), finish_step()),
    capabilities=frozenset(
        {
            AdapterCapability.COMPANIES,
            AdapterCapability.DATASETS,
            AdapterCapability.DOCUMENTS,
            AdapterCapability.ACTORS,
        }
    ),
    datasets=(
        "accounts",
        "gl_transactions",
        "customers",
        "suppliers",
        "products",
        "orders",
        "order_lines",
        "dimensions",
    ),
    # An organisation would have to ask for the lines of each order by itself, every night.
    datasets_when={"order_lines": ("sign_in", (USER,))},
)
