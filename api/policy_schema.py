"""What differs from a preset, as a schema: the fields of a policy, none of which is needed."""

from copy import deepcopy
from typing import Any, Final

Json = dict[str, Any]

PARTIAL: Final = {
    "WholePolicy": ("PolicyChanges", "What differs from the preset."),
    "RuleOfPurpose": ("RuleChanges", "What differs in what a purpose asks for."),
    "PermittedHours": ("HoursChanges", "Permitted hours; left out, 8 to 21."),
}
"""The schemas of a policy as it is answered, and of its changes."""
REFERENCE: Final = "#/components/schemas/"
ASKED: Final = ("PolicyBody", "SimulationBody")


def add_changes(schemas: Json) -> None:
    """Adds the schemas of changes, and names them in the bodies that take a policy."""
    for whole, (name, told) in PARTIAL.items():
        partial = _renamed(deepcopy(schemas[whole]))
        partial |= {"title": name, "description": told, "additionalProperties": False}
        partial.pop("required", None)
        schemas[name] = partial
    # The preset is named beside the changes, never in them.
    del schemas["PolicyChanges"]["properties"]["preset"]
    for name in ASKED:
        fields = schemas[name]["properties"]
        told = fields["changes"]["description"]
        fields["changes"] = {"$ref": REFERENCE + "PolicyChanges", "description": told}


def _renamed(node: Any) -> Any:
    """The same, with references to what is partial here as well."""
    if isinstance(node, list):
        return [_renamed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: _renamed(value) for name, value in node.items()}
    whole = str(found.get("$ref", "")).removeprefix(REFERENCE)
    if whole in PARTIAL:
        found["$ref"] = REFERENCE + PARTIAL[whole][0]
    return found
