"""Examples for the API's description: what stands in a path, and a body for each operation that takes one.

A test reads each with the very models that requests are read with, and sends it.
"""

from collections.abc import Mapping
from typing import Any

type Examples = Mapping[str, Mapping[str, Any]]
"""Bodies by a title."""

_ULID = "01JCG0W1ZARD0000000000000A"
_HOOK = {"url": "https://hooks.example.com/erp-hub", "description": "The till's server", "events": ["import.failed"]}
_JOB = {"name": "Nightly", "company_keys": ["F0001"], "dataset_ids": ["accounts"], "period": {"kind": "everything"}}
_SYNC = {
    "z_report": True,
    "customer_direction": "till",
    "from_date": "2026-01-01",
    "accounts": {"sales": {"25": "3000"}, "payment_means": {"cash": "1900"}},
    "retention_days": 400,
}
_SETTLEMENT = {
    "date": "2026-03-05",
    "number": 311,
    "department": "Storgata",
    "till": "1",
    "sales": [{"vat_rate": "25", "amount": "1250.00", "vat": "250.00"}],
    "payments": [{"means": "cash", "amount": "250.00"}, {"means": "bankaxept", "amount": "1000.00"}],
}
_INVOICE = {
    "date": "2026-03-05",
    "number": "F-1017",
    "customer_id": "K1",
    "lines": [{"description": "Coffee beans", "quantity": "2", "unit_price": "149.0000", "vat_rate": "15"}],
}
_CUSTOMER = {"name": "Kystkaffe AS", "organisation_no": "999999999", "email": "invoice@example.com"}
_PRODUCT = {"number": "P-20", "name": "Coffee beans, 250 g", "price": "149.00", "vat_rate": "15", "stock": "12"}

PATHS: Mapping[str, str] = {
    **dict.fromkeys(("client_id", "customer_id", "connection_id", "wizard_id", "job_id", "run_id", "key_id"), _ULID),
    **dict.fromkeys(("transfer_id", "entry_id", "upload_id", "webhook_id", "delivery_id", "notification_id"), _ULID),
    "invitation_id": _ULID,
    "user_id": "kari@example.com",
    "role": "accountant",
    "limit_name": "webhooks",
    "erp_system": "24sevenoffice",
    "dataset_id": "accounts",
    "step_id": "companies",
    "field_name": "departments",
    "kind": "settlement",
    "code": "connection_not_found",
    "external_id": "Z-2026-03-05-1",
    "entity": "company",
    "record_id": "1042",
    "actor_type": "customer",
}
"""What may stand in each place of a path."""

_CRM_RECORD = {
    "crm": "superoffice",
    "fields": {"NAME": "Kystkaffe AS", "VATNO": "923609016", "PHONE": "+47 22 33 44 55", "FAX": None},
    "revision": 17,
}

BODIES: Mapping[str, Examples] = {
    "create_customer": {"A chain of shops": {"name": "Kystkaffe", "administrator": "kari@example.com"}},
    "create_client": {"The head office": {"name": "Head office"}},
    "create_or_update_role": {"Whoever may look": {"permissions": ["connections:view"]}},
    "add_or_update_member": {"Another role": {"role": "viewer"}},
    "set_limit": {"Of one client": {"client_id": _ULID, "maximum": 5}},
    "create_api_key": {"A till": {"name": "Till", "role": "viewer", "networks": ["192.0.2.0/24"]}},
    "rotate_api_key": {"The old one counts for a day": {"overlap_seconds": 86400}},
    "create_webhook": {"Told of failed imports": _HOOK},
    "update_webhook": {"Enabled": _HOOK | {"is_enabled": True, "version": 1}},
    "update_connection": {"Shared": {"name": "Main office", "is_shared": True, "version": 1}},
    "transfer_ownership": {"To a colleague": {"user_id": "8a6f0c3e-1d2b-4c5d-9e7f-0a1b2c3d4e5f", "version": 1}},
    "update_customer": {"Duplicates allowed": {"allow_duplicates": True}},
    "set_licences": {"Five companies": {"licences_allowed": 5}},
    "start_wizard": {"Connect": {"erp_system": "24sevenoffice"}, "Edit": {"connection_id": _ULID, "step": "companies"}},
    "answer_step": {
        "Server of a Visma Business": {
            "server": "db01.example.com",
            "login": "reader",
            "password": "the login's password",
        },
        "Companies": {"companies": ["F0001"]},
        "Name": {"name": "Main office"},
        "Finish": {},
    },
    "request_access": {"A company that is connected": {"company_key": "F0001"}},
    "create_import_job": {"Every night": _JOB | {"connection_id": _ULID}},
    "update_import_job": {"Every night": _JOB | {"version": 1}},
    "update_sync": {"Z-reports": _SYNC},
    "test_sync": {"Z-reports": _SYNC},
    "create_gift_card_product": {"In the only company": {}},
    "submit_document": {
        "Settlement": _SETTLEMENT,
        "Invoice": _INVOICE,
        "Customer": _CUSTOMER,
        "Product": _PRODUCT,
    },
    "create_upload": {"A line each": {"format": "json_lines", "on_bad_line": "skip"}},
    "save_mapping": {
        "Names and phone numbers both ways": {
            "is_active": True,
            "pairs": [
                {"crm_field": "NAME", "erp_field": "NAME", "direction": "both", "show_in_search": True},
                {"crm_field": "PHONE", "erp_field": "PHONE", "direction": "both"},
            ],
            "version": 0,
        }
    },
    "submit_crm_record": {"A company": _CRM_RECORD},
    "submit_crm_records": {"A company": {"records": [_CRM_RECORD | {"entity": "company", "record_id": "1042"}]}},
    "acknowledge_changes": {"A new customer": {"changes": [{"change_id": "17", "external_id": "K1"}]}},
    "start_transfer": {"Shown, not posted": {"kind": "settlement", "dry_run": True}},
    "retry_exports": {"Two documents": {"document_ids": [_ULID]}},
    "skip_export": {"Posted elsewhere": {"reason": "Posted in the old system"}},
    "post_manually": {"Posted by hand": {"voucher": "10012", "reason": "The ERP was closed for the day"}},
}
"""A body or several for each operation that takes JSON."""
