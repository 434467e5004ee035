"""The companies a login can see, by their names, with why some cannot be opened."""

import pytest

from local.sqlserver import Database

from .conftest import EACH_READER, Site


def test_companies_are_the_databases_named_like_one_sorted_by_name(site: Site, company: Database) -> None:
    names = site.catalogue["vbsys"]
    names.insert("Frm", [(2, "Ålesund Fisk AS"), (10000, "Berg & Sønn"), (3, "  "), (4, None), (9, "Finnes ikke")])
    for database in ("F0002", "F10000", "F0003", "F0004", "F12", "Fxxxx", "F0001_old", "XF0001"):
        site.catalogue.database(database, grant=["reader"])
    found = site.open().companies()
    assert [(one.key, one.name) for one in found] == [
        ("F10000", "Berg & Sønn"),
        ("F0003", "F0003"),
        ("F0004", "F0004"),
        ("F0001", "Fjord Handel AS"),
        ("F0002", "Ålesund Fisk AS"),
    ]
    assert all(one.problem is None for one in found)


def test_a_company_that_cannot_be_opened_is_listed_with_the_reason(site: Site, company: Database) -> None:
    site.catalogue.database("F0002")
    site.catalogue.database("F0003", grant=["reader"]).state = "OFFLINE"
    site.catalogue.database("F0004", grant=["reader"]).state = "RESTORING"
    problems = {one.key: one.problem or "" for one in site.open().companies()}
    assert problems["F0001"] == ""
    assert "no access" in problems["F0002"]
    assert "offline" in problems["F0003"]
    assert "restored" in problems["F0004"]


def test_what_tells_two_connections_to_the_same_company_apart_is_remembered(site: Site, company: Database) -> None:
    attributes = site.company().attributes
    broker = str(company.guid).upper()
    assert attributes == {
        "server": "STANDIN\\VISMA",
        "database": "F0001",
        "broker": broker,
        "installation": f"STANDIN\\VISMA/{broker}",
    }


def test_without_the_names_the_databases_names_are_shown(site: Site, company: Database) -> None:
    site.catalogue["vbsys"].revoke("reader")
    assert [one.name for one in site.open().companies()] == ["F0001"]
    site.catalogue["vbsys"].grant("reader")
    site.catalogue["vbsys"].drop_table("Frm")
    assert [one.name for one in site.open().companies()] == ["F0001"]


def test_the_system_database_may_have_any_name(site: Site, company: Database) -> None:
    site.catalogue.database("vb sys]'å", grant=["reader"]).table(
        "Frm", {"FrmNo": "int", "Nm": "nvarchar(60)"}, [(1, "Annet navn")]
    )
    assert [one.name for one in site.open(database="VB SYS]'å").companies()] == ["Annet navn"]


def test_hundreds_of_companies_take_two_questions_not_hundreds(site: Site) -> None:
    for number in range(10, 410):
        site.catalogue.database(f"F{number:04}", grant=["reader"])
    site.catalogue["vbsys"].insert("Frm", [(number, f"Selskap {number}") for number in range(10, 410)])
    assert len(site.open().companies()) == 400
    assert site.server.stats.statements == {"databases": 1, "identity": 1, "rows": 1}


@EACH_READER
@pytest.mark.parametrize(
    "name", ["Regnskap 2024", 'with "quotes"', "br]ack[ets", "blåbær", "grønn 🌿", "semi;colon'--"]
)
def test_any_database_name_works_in_the_generic_system(site: Site, name: str) -> None:
    database = site.catalogue.database(name, grant=["reader"])
    database.table("Konto]plan å", {"Konto nr": "int", "Na]vn%s": "nvarchar(50)"}, [(1500, "Kunder %d")])
    mapping = {"accounts": {"table": "Konto]plan å", "columns": {"account_no": "Konto nr", "name": "Na]vn%s"}}}
    found = site.imported("accounts", key=name, system="sqlserver-generic", mapping=mapping)
    assert [(row["account_no"], row["name"]) for row in found.rows] == [("1500", "Kunder %d")]


def test_the_servers_own_databases_are_no_companies(site: Site, company: Database) -> None:
    assert [one.key for one in site.open("sqlserver-generic").companies()] == ["F0001", "vbsys"]
