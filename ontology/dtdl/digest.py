"""Condenses the reference parser's digest of the DTDL metamodel into `metamodel.json`.

    python -m twinfall.ontology.dtdl.digest dtdl_digest.json > ontology/dtdl/metamodel.json

The digest (MIT, `metamodel.LICENSE`) is 1.6 MB, mostly documentation and code generation hints.
What remains is what a reader needs: per version and class the properties with their limits, the
supplemental types, the contexts and the standard elements.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_PROPERTY_HINTS = {
    "abstract",
    "breakout",
    "deprecated",
    "hidden",
    "description",
    "inherited",
    "inheritedFrom",
    "patternDesc",
    "reverseAs",
    "shadowed",
    "uniqueAmong",
}
_TYPE_HINTS = {"altcotypes", "altcotypeNames", "elements", "mergeable"}
_WORDS_ONLY = {"requiredTypeNames", "requiredTypesString", "requiredValueNames"}
_WORDS_ONLY |= {"requiredValuesString", "disallowedTypeName", "description", "patternDesc"}
_WORDS_ONLY |= {"typeName", "deprecated"}


def _said(values: Json) -> Json:
    """Without what is empty or false: a reader's default."""
    return {k: v for k, v in values.items() if v is not False and v not in (None, [], {})}


def _properties(described: Json, version: str) -> Json:
    found = {}
    for name, by_version in described.items():
        rule = by_version.get(version)
        if rule is None:
            continue
        merged = {**by_version["_"], **rule}
        merged["barred"] = not merged.pop("allowed")
        merged["typeImplied"] = not merged.pop("typeRequired", True)
        found[name] = _said({k: v for k, v in merged.items() if k not in _PROPERTY_HINTS})
    return found


def _ancestry(classes: Json, name: str) -> list[str]:
    line = []
    while name:
        line.append(name)
        name = classes[name]["parentClass"]
    return line


def _class(classes: Json, name: str, version: str) -> Json:
    given = classes[name]
    when = given["idRequiredWhen"].get(version, [])
    return _said(
        {
            "abstract": given["abstract"],
            "ancestry": _ancestry(classes, name),
            "concrete": [
                c
                for c in given["concreteSubclasses"].get(version, [])
                if c not in given["elementalSubclasses"].get(version, [])
            ],
            "elemental": given["elementalSubclasses"].get(version, []),
            "typeOptional": int(version) in given["typeOptionalVersions"],
            "idRequired": int(version) in given["idRequiredVersions"],
            "idRequiredWhen": sorted({f"{w['class']}.{w['property']}" for w in when}),
            "instance": (given.get("instance") or {}).get(version),
            "overt": given["overt"],
            "properties": _properties(given["properties"], version),
        }
    )


def _classes(digest: Json) -> Json:
    classes = digest["materialClasses"]
    return {
        str(version): {
            name: _class(classes, name, str(version))
            for name in classes
            if version in classes[name]["dtdlVersions"]
        }
        for version in digest["dtdlVersions"]
    }


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return _said({k: _stripped(v) for k, v in value.items() if k not in _WORDS_ONLY})
    return [_stripped(v) for v in value] if isinstance(value, list) else value


def _supplemental(digest: Json) -> Json:
    kept = {}
    for name, given in digest["supplementalTypes"].items():
        kept[name] = _stripped({k: v for k, v in given.items() if k not in _TYPE_HINTS})
    return kept


def condense(digest: Json) -> Json:
    """The part of the digest that the reader uses."""
    return {
        "contexts": digest["contexts"],
        "classes": _classes(digest),
        "supplementalTypes": _supplemental(digest),
        "elements": digest["elements"],
        "descendantControls": [_said(c) for c in digest["descendantControls"]],
        "identifierDefinition": digest["identifierDefinition"],
        "identifierReference": digest["identifierReference"],
        "reservedIdPrefixes": digest["reservedIdPrefixes"],
        "limitContexts": digest["limitContexts"],
        "partitions": digest["partitions"],
        "rootableClasses": digest["rootableClasses"],
        "apocrypha": digest["apocrypha"],
        "openVersions": digest["dtdlVersionsAllowingUndefinedExtensionsByDefault"],
        "keywordVersions": digest["dtdlVersionsRestrictingKeywords"],
        "limitVersions": digest["dtdlVersionsAllowingCustomLimits"],
        "implicitVersions": digest["affiliateContextsImplicitDtdlVersions"],
    }


def main(path: str) -> None:
    """Write the condensed metamodel to the standard output."""
    digest = json.loads(Path(path).read_text("utf-8-sig"))
    json.dump(condense(digest), sys.stdout, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1])
