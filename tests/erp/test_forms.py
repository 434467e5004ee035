"""A wizard step as a form, and what may be answered to it."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from erphub.erp import catalogue as erp
from erphub.erp.description import Step
from erphub.erp.forms import AnswerContext, clean_answer, step_schema
from erphub.platform.errors import Invalid


def step(system: str, name: str) -> Step:
    return next(one for one in erp.describe(system).steps if one.id == name)


SERVER = step("visma-business", "server")
GOOD: dict[str, Any] = {"server": "db01", "login": "reader", "password": "s3cret"}


def errors(where: Step, body: object, known: AnswerContext | None = None) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        clean_answer(where, body, known)
    return {error.pointer: error.code for error in refused.value.errors}


def test_defaults_are_filled_in_and_secrets_kept_apart() -> None:
    settings, secrets = clean_answer(SERVER, GOOD)
    assert settings == {
        "server": "db01",
        "database": "vbsys",
        "authentication": "sql",
        "login": "reader",
        "encryption": "verify",
        "is_shared": False,
    }
    assert secrets == {"password": "s3cret"}


def test_every_error_is_told_at_once() -> None:
    body = {"server": 5, "login": "", "encryption": "none", "is_shared": "yes", "color": "red", "database": "x" * 129}
    assert errors(SERVER, body) == {
        "/server": "wrong_type",
        "/login": "required",
        "/password": "required",
        "/encryption": "not_a_choice",
        "/is_shared": "wrong_type",
        "/color": "unknown_field",
        "/database": "too_long",
    }


@pytest.mark.parametrize("body", [None, [], "server=db01", 3])
def test_an_answer_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(Invalid) as refused:
        clean_answer(SERVER, body)
    assert refused.value.code == "not_an_object"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"server": "db01;x=1"}, "/server", "server_name"),
        ({"login": "re\u0007ader"}, "/login", "bad_form"),
        ({"login": "FIRMA\\kari"}, "/login", "login_is_windows"),
        ({"authentication": "windows"}, "/login", "windows_login_form"),
        ({"authentication": "windows", "login": "FIRMA\\"}, "/login", "windows_login_form"),
        ({"authentication": "windows", "login": "FIRMA\\a\\b"}, "/login", "windows_login_form"),
        ({"password": "a\u0000b"}, "/password", "bad_form"),
        ({"ca_certificate": "hello"}, "/ca_certificate", "certificate_form"),
        ({"ca_certificate": "-----BEGIN PRIVATE KEY-----\n"}, "/ca_certificate", "private_key_given"),
        ({"encryption": "trust", "ca_certificate": "x"}, "/ca_certificate", "not_applicable"),
        ({"is_shared": 1}, "/is_shared", "wrong_type"),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(change: dict[str, Any], pointer: str, code: str) -> None:
    assert errors(SERVER, GOOD | change) == {pointer: code}


def test_an_integrated_windows_login_is_refused_with_the_reason() -> None:
    with pytest.raises(Invalid) as refused:
        clean_answer(SERVER, {"server": "db01", "authentication": "windows", "login": "", "password": ""})
    told = {error.pointer: error.detail for error in refused.value.errors}
    assert "cloud" in told["/login"]
    assert "/password" in told


def test_a_windows_login_with_its_domain_is_fine() -> None:
    settings, _ = clean_answer(SERVER, GOOD | {"authentication": "windows", "login": "FIRMA\\kari"})
    assert settings["login"] == "FIRMA\\kari"


def test_sql_in_a_text_field_is_only_text() -> None:
    evil = "'; DROP TABLE AcTr;--"
    settings, secrets = clean_answer(SERVER, GOOD | {"login": evil, "database": evil, "password": evil})
    assert (settings["login"], settings["database"], secrets["password"]) == (evil, evil, evil)


def test_a_secret_is_kept_to_the_letter_and_other_answers_are_trimmed() -> None:
    settings, secrets = clean_answer(SERVER, GOOD | {"login": " reader ", "password": " blank "})
    assert (settings["login"], secrets["password"]) == ("reader", " blank ")


class TestEditing:
    known = AnswerContext(clean_answer(SERVER, GOOD)[0], frozenset({"password"}))

    def test_a_password_left_out_stays_what_it_was(self) -> None:
        settings, secrets = clean_answer(SERVER, {"server": "db01", "login": "reader", "is_shared": True}, self.known)
        assert secrets == {}
        assert settings["is_shared"] is True

    @pytest.mark.parametrize(
        "change",
        [{"server": "evil.example.com"}, {"login": "other"}, {"encryption": "trust"}, {"server": "db01,1434"}],
    )
    def test_a_kept_password_does_not_go_to_another_server_or_login(self, change: dict[str, str]) -> None:
        body = {"server": "db01", "login": "reader"} | change
        assert errors(SERVER, body, self.known) == {"/password": "secret_needed_again"}
        assert clean_answer(SERVER, body | {"password": "new"}, self.known)[1] == {"password": "new"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("\\\\files01\\docs", None),
        ("\\\\files01\\docs\\2026\\inn", None),
        ("D:\\docs", None),
        ("https://docs.example.com/archive", None),
        ("/mnt/docs", None),
        ("docs", "path_form"),
        ("http://docs.example.com", "path_form"),
        ("\\\\files01", "path_form"),
        ("javascript:alert(1)", "path_form"),
        ("/mnt/../etc", "path_climbs"),
        ("\\\\files01\\docs\\..\\secret", "path_climbs"),
        ("/mnt/\u0000", "bad_form"),
        ("", "required"),
    ],
)
def test_a_document_centre_path_is_checked_for_form(path: str, code: str | None) -> None:
    where = step("visma-business", "vouchers")
    body = {"voucher_provider": "visma-document-center", "document_center_path": path}
    if code is None:
        assert clean_answer(where, body)[0] == body
    else:
        assert errors(where, body) == {"/document_center_path": code}


def test_without_a_voucher_provider_no_path_is_asked_for() -> None:
    where = step("visma-business", "vouchers")
    assert clean_answer(where, {})[0] == {"voucher_provider": "none"}
    assert errors(where, {"document_center_path": "/x"}) == {"/document_center_path": "not_applicable"}


def test_a_system_without_vouchers_does_not_ask_for_them() -> None:
    assert "vouchers" not in [one.id for one in erp.describe("sqlserver-generic").steps]


@pytest.mark.parametrize(
    ("companies", "expected"),
    [
        ("all", None),
        (["F0001", "F0002"], None),
        ([], {"/companies": "too_few"}),
        (["F0001", "F0001"], {"/companies": "repeated"}),
        (["F0001", 2], {"/companies/1": "wrong_type"}),
        ("F0001", {"/companies": "not_a_choice"}),
        (None, {"/companies": "required"}),
    ],
)
def test_companies_are_all_or_a_list_of_keys(companies: object, expected: dict[str, str] | None) -> None:
    where = step("visma-business", "companies")
    if expected is None:
        taken = {"companies": companies, "confirm_duplicates": False}
        assert clean_answer(where, {"companies": companies})[0] == taken
    else:
        assert errors(where, {"companies": companies}) == expected


@pytest.mark.parametrize("name", ["Visma \u202egnirheb", "a\nb", "x" * 101, " \u00a0 "])
def test_a_name_that_deceives_is_refused(name: str) -> None:
    assert set(errors(step("visma-business", "name"), {"name": name})) == {"/name"}


class TestMapping:
    where = step("sqlserver-generic", "mapping")

    def test_a_mapping_of_a_view_is_accepted(self) -> None:
        mapping = {"accounts": {"table": "Kontoplan ]år", "columns": {"account_no": "Konto nr", "name": "Navn"}}}
        assert clean_answer(self.where, {"mapping": mapping})[0] == {"mapping": mapping}

    def test_keys_and_the_date_cannot_be_left_out(self) -> None:
        mapping = {"gl_transactions": {"table": "Ledger", "columns": {"journal_no": "J", "amount": " "}}}
        assert errors(self.where, {"mapping": mapping}) == {
            "/mapping/gl_transactions/columns/entry_no": "required",
            "/mapping/gl_transactions/columns/voucher_date": "required",
        }

    @pytest.mark.parametrize(
        ("mapping", "pointer", "code"),
        [
            ({}, "/mapping", "too_few"),
            ({"ledger": {}}, "/mapping/ledger", "unknown_field"),
            ({"accounts": {"columns": {"account_no": "x"}}}, "/mapping/accounts/table", "required"),
            (
                {"accounts": {"table": "t", "columns": {"account_no": "x", "colour": "y"}}},
                "/mapping/accounts/columns/colour",
                "unknown_field",
            ),
            (
                {"accounts": {"table": "t\u0000", "columns": {"account_no": "x"}}},
                "/mapping/accounts/table",
                "bad_form",
            ),
            (
                {"accounts": {"table": "t", "columns": {"account_no": "x" * 129}}},
                "/mapping/accounts/columns/account_no",
                "too_long",
            ),
            (
                {"accounts": {"table": "t", "columns": {"account_no": " "}}},
                "/mapping/accounts/columns/account_no",
                "required",
            ),
        ],
    )
    def test_a_wrong_mapping_says_where(self, mapping: dict[str, Any], pointer: str, code: str) -> None:
        assert errors(self.where, {"mapping": mapping}) == {pointer: code}


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        (GOOD, True),
        (GOOD | {"encryption": "trust"}, True),
        (GOOD | {"encryption": "trust", "ca_certificate": "x"}, False),
        (GOOD | {"encryption": "verify", "ca_certificate": "x"}, True),
        (GOOD | {"encryption": "plain"}, False),
        ({"server": "db01"}, False),
    ],
)
def test_the_schema_a_form_is_drawn_from_agrees_with_the_check(body: dict[str, Any], valid: bool) -> None:
    assert Draft202012Validator(step_schema(SERVER)).is_valid(body) is valid


def test_a_voucher_path_is_required_by_the_schema_when_its_provider_is_chosen() -> None:
    schema = Draft202012Validator(step_schema(step("visma-business", "vouchers")))
    assert not schema.is_valid({"voucher_provider": "visma-document-center"})
    assert schema.is_valid({"voucher_provider": "none"})
    assert schema.is_valid({})


def test_trusting_any_certificate_is_a_choice_with_a_warning() -> None:
    choices = step_schema(SERVER)["properties"]["encryption"]["oneOf"]
    assert {choice["const"]: "description" in choice for choice in choices} == {"verify": False, "trust": True}
