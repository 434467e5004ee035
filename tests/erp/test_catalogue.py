"""The list of ERP systems, and that it costs nothing to show it."""

import json
import subprocess
import sys

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.datasets import BY_ID
from erphub.erp.description import Description
from erphub.erp.system import ErpAdapter, ListsOptions
from erphub.platform.errors import Invalid, NotFound

SQL_SERVER = {"server": "db01", "login": "reader", "database": "vbsys"}


@pytest.mark.parametrize("described", erp.catalogue(), ids=lambda one: one.id)
class TestEverySystem:
    def test_it_can_do_what_its_description_says_and_nothing_else(self, described: Description) -> None:
        system = erp.open_system(described.id, SQL_SERVER, {"password": "x"})
        assert isinstance(system, ErpAdapter)
        can = {capability for capability, protocol in erp.CAPABILITIES.items() if isinstance(system, protocol)}
        assert can == set(described.capabilities)

    def test_what_its_wizard_lists_from_the_erp_it_can_be_asked_for(self, described: Description) -> None:
        system = erp.open_system(described.id, SQL_SERVER, {"password": "x"})
        assert isinstance(system, ListsOptions) is any(step.listed for step in described.steps)

    def test_it_is_described_for_whoever_chooses(self, described: Description) -> None:
        assert described.title
        assert described.summary
        assert all(link.url.startswith("https://") for link in described.documentation)
        assert described.documentation

    def test_its_datasets_are_ones_the_hub_knows(self, described: Description) -> None:
        assert set(described.datasets) <= set(BY_ID)
        assert described.datasets

    def test_a_dataset_that_depends_on_a_setting_names_one_of_its_choices(self, described: Description) -> None:
        fields = {field.name: field for step in described.steps for field in step.fields}
        for dataset, (name, values) in described.datasets_when.items():
            assert dataset in described.datasets
            assert set(values) < set(fields[name].choices)

    def test_its_wizard_tests_the_connection_and_ends(self, described: Description) -> None:
        ids = [step.id for step in described.steps]
        assert len(set(ids)) == len(ids)
        assert ids[-1] == "finish"
        assert any(step.tests for step in described.steps)

    def test_no_field_name_stands_in_two_steps(self, described: Description) -> None:
        names = [field.name for step in described.steps for field in step.fields]
        assert len(set(names)) == len(names)


def test_both_sql_server_systems_are_offered() -> None:
    assert {"visma-business", "sqlserver-generic"} <= {one.id for one in erp.catalogue()}


def test_an_unknown_erp_system_is_not_found() -> None:
    for ask in (erp.describe, lambda name: erp.open_system(name, {}, {})):
        with pytest.raises(NotFound) as missing:
            ask("sap")
        assert missing.value.code == "unknown_erp_system"


def test_settings_that_cannot_be_right_are_refused_before_anything_is_dialled() -> None:
    with pytest.raises(Invalid):
        erp.open_system("visma-business", SQL_SERVER | {"server": "a b"}, {"password": "x"})


def test_listing_the_catalogue_loads_no_driver_and_no_table_engine() -> None:
    code = (
        "import json, sys; from erphub.erp import catalogue as erp, forms;"
        "[forms.step_schema(s) for d in erp.catalogue() for s in d.steps];"
        "erp.open_system('visma-business', {'server': 'db01', 'login': 'x'}, {'password': 'x'});"
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] in"
        " ('pymssql', 'arro3', 'deltalake', 'boto3', 'certifi', 'httpx', 'zeep')]))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(shown.stdout) == []
