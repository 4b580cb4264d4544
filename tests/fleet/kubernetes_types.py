"""
What the API of Kubernetes accepts: its client for Python knows each field's name and type, and whether it is required, from the
OpenAPI description of the API. The newest release is not needed, because fields of stable kinds do not go away.
"""
import re

from kubernetes.client import models

PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def faults(item):
    """Each fault of an object with apiVersion and kind, with its place."""
    name = item["apiVersion"].rpartition("/")[2].capitalize() + item["kind"]
    if not hasattr(models, name):
        return [f"there is no kind {item['kind']} in {item['apiVersion']}"]
    return list(of(name, item, item["kind"]))


def of(kind, value, at):
    inner = re.fullmatch(r"list\[(.*)\]|dict\(str, (.*)\)", kind)
    if kind == "object":
        if not isinstance(value, (int, str)):  # a port: its number or its name
            yield f"{at}: a number or a name, not {value!r}"
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind != "bool"):
            yield f"{at}: {kind}, not {value!r}"
    elif inner and inner[1]:
        if not isinstance(value, list):
            yield f"{at}: a list, not {value!r}"
            return
        for number, one in enumerate(value):
            yield from of(inner[1], one, f"{at}[{number}]")
    elif inner or not isinstance(value, dict):
        if not isinstance(value, dict):
            yield f"{at}: a mapping, not {value!r}"
            return
        for key, one in value.items():
            yield from of(inner[2], one, f"{at}.{key}")
    else:
        yield from fields(getattr(models, kind), value, at)


def fields(model, value, at):
    names = {written: name for name, written in model.attribute_map.items()}
    for key in value:
        if key not in names:
            yield f"{at}: there is no field {key}"
        else:
            yield from of(model.openapi_types[names[key]], value[key], f"{at}.{key}")
    try:
        model(**{names[key]: one for key, one in value.items() if key in names})
    except ValueError as what:  # a field that is needed, or a value out of bounds
        yield f"{at}: {what}"
