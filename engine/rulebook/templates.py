"""Templates: texts by name, language and channel, with the variables that they use.

In: the texts. Out: (name, language, channel) → `Template`; what a template may not hold is a fault.
Which names exist is the lints' question; which syntax is allowed, `template_names` says.
"""

from __future__ import annotations

import dataclasses

from belfry.engine.rulebook.model import Template
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.template_names import TemplateNames, check_template


def path_of(template: Template) -> str:
    """Where it lies in the rulebook."""
    one = template
    return f"templates/{one.name}/{one.language}.{one.channel}.{one.format}"


def read_templates(found: list[Template], faults: Faults) -> dict[tuple[str, str, str], Template]:
    """Each with its names. Where there is a .txt beside an .html, the .html is used."""
    templates: dict[tuple[str, str, str], Template] = {}
    for one in found:
        path = path_of(one)
        checked = check_template(one.text, file=path)
        if not isinstance(checked, TemplateNames):
            faults.extend(checked)
            continue
        key = (one.name, one.language, one.channel)
        if key in templates and one.format == "txt":
            continue
        templates[key] = dataclasses.replace(one, names=checked.names, paths=checked.paths)
    return templates
