"""What botocore is told of the services is what its own loader would have told it."""

import json
from typing import Any, get_args

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from erphub.platform.aws.service_models import Service, ServiceModels

SERVICES = get_args(Service.__value__)


def plain(data: Any) -> Any:
    return json.loads(json.dumps(data))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_a_service_is_known_as_botocores_own_loader_knows_it(service: str, kind: str):
    assert plain(ServiceModels().load_service_model(service, kind)) == plain(Loader().load_service_model(service, kind))


@pytest.mark.parametrize("name", ["endpoints", "partitions", "_retry", "sdk-default-configuration"])
def test_what_holds_for_all_services_is_known_as_well(name: str):
    assert plain(ServiceModels().load_data(name)) == plain(Loader().load_data(name))


def test_the_order_of_a_services_members_is_kept():
    [ours, botocores] = [
        list(loader.load_service_model("dynamodb", "service-2")["shapes"]) for loader in (ServiceModels(), Loader())
    ]
    assert ours == botocores


def test_a_service_that_nobody_here_uses_is_unknown():
    with pytest.raises(UnknownServiceError, match="Unknown service: 'ec2'"):
        ServiceModels().load_service_model("ec2", "service-2")
