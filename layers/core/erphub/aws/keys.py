"""Every key of the tenant table, on one page. What belongs to a tenant has the tenant in its partition key.

pk                 sk                              what
CUSTOMER#<id>      PROFILE                         a customer
CUSTOMER#<id>      ADMIN#<user>                    one of its administrators
CUSTOMER#<id>      ROLE#<name>                     a role: a set of permissions
CUSTOMER#<id>      CLIENT#<client>                 that it owns this client
CUSTOMER#<id>      COMPANY#<identity>              a company some connection has, and which ones have it
CUSTOMER#<id>      LICENCES                        licences used and allowed
CLIENT#<c>         PROFILE                         a client, and whose it is
CLIENT#<c>         MEMBER#<user>                   a member and the role; index `user` finds it by user
CLIENT#<c>         WIZARD#<w>                      a wizard in progress (expires)
CLIENT#<c>         WIZARD#<w>#TOKEN                what resumes its machine (expires)
CLIENT#<c>         WIZARD#<w>#COMPANY#<key>        a company it found (expires)
CLIENT#<c>         WIZARD#<w>#CHOICE#<field>#<key>  something a field can be chosen from (expires)
CLIENT#<c>         CONNECTION#<id>                 a connection
CLIENT#<c>         CONNECTION-COMPANY#<id>#<w>#<key>  a company that wizard <w> chose (those no longer in use expire)
CLIENT#<c>         CONNECTION-NAME#<name>          that the name is taken
CLIENT#<c>         JOB#<job>                       an import job; index `due` finds it when it is due
CLIENT#<c>         RUN#<job>#<run>                 a run of it, and its progress
CLIENT#<c>         RUN-OPEN#<job>#<run>            that it has not ended; index `due` has when to look at it
CLIENT#<c>         RUN-UNIT#<run>#<n>              one company and dataset of a run
CLIENT#<c>         RUN-PART#<run>#<n>              one range of it: read or not
CLIENT#<c>         RUN-LOG#<run>#<nanoseconds>     a line of its log
CLIENT#<c>         LEASE#<dataset>#<conn>#<co>     which run may write there now
CLIENT#<c>         LEASE#SIGN-IN#<conn>#           which scheduled run may sign in now (expires)
CLIENT#<c>         DATASET#<dataset>               the column types of its table in the lake
CLIENT#<c>         TOKEN#<connection>#<name>       an ERP's token, encrypted, and who renews it (expires)
CLIENT#<c>         BUDGET#<connection>#<kind>      calls of this hour, and until when to wait (expires)
CLIENT#<c>         NOTICE#<event>                  what the client was told; index `due` while the bus has not got it
CLIENT#<c>         NOTICE-ONCE#<conn>#<occasion>   that the client was told on this occasion (expires)
CLIENT#<c>         WEBHOOK#<w>                     where events are sent; its secret is where passwords are
CLIENT#<c>         WEBHOOK-DELIVERY#<w>#<d>        one event on its way there; index `due` until it is done (expires)
CLIENT#<c>         DELETION#<connection>           that it is being deleted: by whom, until when it can be restored
CLIENT#<c>         DELETION-PLAN#<conn>#<token>    what somebody was shown before deleting it (expires)
CLIENT#<c>#AUDIT#<connection>  ENTRY#<ulid>        what was done to a connection; never changed, never removed
CLIENT#<c>#AUDIT#<connection>  ONCE#<occasion>     that this occasion has been written down
USER#<user>        PLATFORM                        a platform administrator
IDEMPOTENCY#…      …                               answers kept for repeated requests (expires)

Index `connection` has whatever names its connection in `connection_id` (jobs, runs, wizards …), by sort key.
"""

type Key = dict[str, str]


def _key(pk: str, *parts: str) -> Key:
    return {"pk": pk, "sk": "#".join(parts)}


def customer(customer_id: str) -> Key:
    """The key of a customer."""
    return _key(f"CUSTOMER#{customer_id}", "PROFILE")


def customer_admin(customer_id: str, user: str) -> Key:
    """The key of a customer admin."""
    return _key(f"CUSTOMER#{customer_id}", "ADMIN", user)


def role(customer_id: str, name: str) -> Key:
    """The key of a role."""
    return _key(f"CUSTOMER#{customer_id}", "ROLE", name)


def customer_client(customer_id: str, client_id: str) -> Key:
    """The key of a customer client."""
    return _key(f"CUSTOMER#{customer_id}", "CLIENT", client_id)


def company(customer_id: str, identity: str) -> Key:
    """The key of a customer's company, by what it is and not by who connected it."""
    return _key(f"CUSTOMER#{customer_id}", "COMPANY", identity)


def licences(customer_id: str) -> Key:
    """The key of a customer's licences."""
    return _key(f"CUSTOMER#{customer_id}", "LICENCES")


def client(client_id: str) -> Key:
    """The key of a client."""
    return _key(f"CLIENT#{client_id}", "PROFILE")


def member(client_id: str, user: str) -> Key:
    """The key of a member."""
    return _key(f"CLIENT#{client_id}", "MEMBER", user)


def platform_admin(user: str) -> Key:
    """The key of a platform admin."""
    return _key(f"USER#{user}", "PLATFORM")


def of_user(user: str) -> str:
    """The partition of index `user` that holds a user's memberships and administratorships."""
    return f"USER#{user}"


def wizard(client_id: str, wizard_id: str) -> Key:
    """The key of a wizard."""
    return _key(f"CLIENT#{client_id}", "WIZARD", wizard_id)


def wizard_token(client_id: str, wizard_id: str) -> Key:
    """The key of a wizard token."""
    return _key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "TOKEN")


def wizard_company(client_id: str, wizard_id: str, company: str) -> Key:
    """The key of a wizard company."""
    return _key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "COMPANY", company)


def wizard_choice(client_id: str, wizard_id: str, *field_and_choice: str) -> Key:
    """The key of a wizard choice."""
    return _key(f"CLIENT#{client_id}", "WIZARD", wizard_id, "CHOICE", *field_and_choice)


def connection(client_id: str, connection_id: str) -> Key:
    """The key of a connection."""
    return _key(f"CLIENT#{client_id}", "CONNECTION", connection_id)


def connection_company(client_id: str, connection_id: str, generation: str, company: str) -> Key:
    """The key of a connection company."""
    # Not below the connection's own key: a list of connections must not wade through their companies.
    return _key(f"CLIENT#{client_id}", "CONNECTION-COMPANY", connection_id, generation, company)


def connection_name(client_id: str, name: str) -> Key:
    """The key of a connection name."""
    return _key(f"CLIENT#{client_id}", "CONNECTION-NAME", name)


def job(client_id: str, job_id: str) -> Key:
    """The key of a job."""
    return _key(f"CLIENT#{client_id}", "JOB", job_id)


def whose_job(key: Key) -> tuple[str, str]:
    """The client and the job that such a key is of."""
    return key["pk"].removeprefix("CLIENT#"), key["sk"].removeprefix("JOB#")


def whose_sync(key: Key) -> tuple[str, str]:
    """The client and the connection that the key of a sync is of."""
    return key["pk"].removeprefix("CLIENT#"), key["sk"].removeprefix("SYNC#")


def run(client_id: str, job_id: str, run_id: str) -> Key:
    """The key of a run."""
    return _key(f"CLIENT#{client_id}", "RUN", job_id, run_id)


def run_open(client_id: str, job_id: str, run_id: str) -> Key:
    """The key that says a run has not ended."""
    return _key(f"CLIENT#{client_id}", "RUN-OPEN", job_id, run_id)


def run_unit(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run unit."""
    return _key(f"CLIENT#{client_id}", "RUN-UNIT", run_id, f"{number:06}")


def run_part(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run part."""
    return _key(f"CLIENT#{client_id}", "RUN-PART", run_id, f"{number:06}")


def run_log(client_id: str, run_id: str, line: str) -> Key:
    """The key of a run log."""
    return _key(f"CLIENT#{client_id}", "RUN-LOG", run_id, line)


def lease(client_id: str, dataset: str, connection_id: str, company: str) -> Key:
    """The key of a lease."""
    return _key(f"CLIENT#{client_id}", "LEASE", dataset, connection_id, company)


def sync(client_id: str, connection_id: str) -> Key:
    """The key of a sync."""
    return _key(f"CLIENT#{client_id}", "SYNC", connection_id)


def sync_lease(client_id: str, connection_id: str) -> Key:
    """The key of a sync lease."""
    return _key(f"CLIENT#{client_id}", "SYNC-LEASE", connection_id)


def exports(client_id: str, connection_id: str, *parts: str) -> Key:
    """A key of the export log."""
    return _key(f"CLIENT#{client_id}#CONNECTION#{connection_id}", *parts)


def dataset(client_id: str, dataset_id: str) -> Key:
    """The key of a dataset."""
    return _key(f"CLIENT#{client_id}", "DATASET", dataset_id)


def token(client_id: str, connection_id: str, name: str) -> Key:
    """The key of a token of a connection's ERP."""
    return _key(f"CLIENT#{client_id}", "TOKEN", connection_id, name)


def budget(client_id: str, connection_id: str, kind: str) -> Key:
    """The key of what is left of a connection's calls."""
    return _key(f"CLIENT#{client_id}", "BUDGET", connection_id, kind)


def notice(client_id: str, event_id: str) -> Key:
    """The key of a notice."""
    return _key(f"CLIENT#{client_id}", "NOTICE", event_id)


def notice_once(client_id: str, connection_id: str, occasion: str) -> Key:
    """The key that says a client was told something of a connection on an occasion."""
    return _key(f"CLIENT#{client_id}", "NOTICE-ONCE", connection_id, occasion)


def webhook(client_id: str, webhook_id: str) -> Key:
    """The key of a webhook."""
    return _key(f"CLIENT#{client_id}", "WEBHOOK", webhook_id)


def webhook_delivery(client_id: str, webhook_id: str, delivery_id: str) -> Key:
    """The key of a webhook delivery."""
    return _key(f"CLIENT#{client_id}", "WEBHOOK-DELIVERY", webhook_id, delivery_id)


def audit(client_id: str, connection_id: str, entry: str) -> Key:
    """The key of an entry of a connection's audit trail, which has a partition of its own."""
    return _key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ENTRY", entry)


def audit_occasion(client_id: str, connection_id: str, once: str) -> Key:
    """The key that says an occasion has been written down."""
    return _key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ONCE", once)


def deletion(client_id: str, connection_id: str) -> Key:
    """The key of a connection's deletion."""
    return _key(f"CLIENT#{client_id}", "DELETION", connection_id)


def deletion_plan(client_id: str, connection_id: str, token: str) -> Key:
    """The key of what somebody was shown before deleting a connection."""
    return _key(f"CLIENT#{client_id}", "DELETION-PLAN", connection_id, token)
