"""`make check-aws`: every rule on what template.yaml would deploy. `--measure` writes layers/sizes.json first."""

import argparse
import sys

from . import actions, alarms, artefacts, edge, formation, functions, gateway, limits, tables, workflows
from .stack import Stack, deployed

RULES = (
    formation.numbers,
    formation.roles,
    formation.kept,
    formation.references,
    formation.rules,
    functions.resource_policies,
    functions.environments,
    functions.layers,
    functions.unreserved,
    functions.networks,
    functions.aliased,
    functions.snapshots,
    functions.gradual,
    artefacts.artefacts,
    workflows.names,
    workflows.histories,
    workflows.throttling,
    workflows.uncaught,
    alarms.dimensions,
    actions.exist,
    gateway.sizes,
    gateway.permissions,
    gateway.seconds,
    gateway.binary_types,
    edge.domains,
    edge.mappings,
    edge.firewalls,
    edge.associations,
    tables.indexes,
    tables.transactions,
)


def findings(stack: Stack) -> list[str]:
    """What any rule has to say."""
    return [f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}: {said}" for rule in RULES for said in rule(stack)]


def figures(stack: Stack) -> list[str]:
    """How much of each limit is used, the nearest to it named."""
    policies = {name: functions.resource_policy(stack, name) for name in stack.of_type("AWS::Lambda::Function")}
    roles = formation.inline_policies(stack)
    unpacked = artefacts.unzipped(artefacts.recorded(), dict(stack.written))
    histories = {name: workflows.longest(definition) for name, definition in stack.machines.items()}
    biggest = {arch: max(unpacked, key=lambda name: unpacked[name][arch]) for arch in artefacts.PROCESSORS}
    lines = [
        f"resources {len(stack.resources)} of {limits.RESOURCES}, template {stack.size} of {limits.TEMPLATE} bytes",
        _most("resource policy", policies, limits.RESOURCE_POLICY, "bytes"),
        _most("inline policies", roles, limits.INLINE_POLICIES, "characters"),
        _most("history", histories, limits.HISTORY, "events"),
    ]
    for arch, name in biggest.items():
        size = unpacked[name][arch] / 2**20
        lines.append(f"unpacked on {arch} {size:.1f} of {limits.UNZIPPED / 2**20:.0f} MB ({name})")
    return lines


def _most(what: str, sizes: dict[str, int], limit: int, unit: str) -> str:
    name = max(sizes, key=sizes.__getitem__)
    return f"{what} {sizes[name]} of {limit} {unit} ({name})"


def main() -> None:
    """Check; ends with status 1 and what is wrong when anything is."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", action="store_true")
    arguments.add_argument("--figures", action="store_true", help="say how much of each limit is used")
    given = arguments.parse_args()
    if given.measure:
        artefacts.measure()
    stack = deployed()
    if found := findings(stack):
        sys.exit("\n".join(found))
    if given.figures:
        print("\n".join(figures(stack)))
    print(f"{len(RULES)} rules of AWS: nothing to say")


if __name__ == "__main__":
    main()
