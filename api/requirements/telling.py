"""A report, as GraphQL answers it, for people and for CI: text and JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

Record = Mapping[str, Any]
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORD = {"notEvaluated": "not evaluated"}


def is_fine(finding: Record) -> bool:
    """Whether nobody has to do anything: it holds, is skipped, or is a warning."""
    return finding["verdict"] in ("held", "skipped") or finding["severity"] == "warn"


def counted(findings: Sequence[Record]) -> str:
    """`3 held, 1 broken`."""
    words = [_word(one) for one in findings]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def lines_of(finding: Record, first: int) -> Iterator[str]:
    """What stands under a verdict: the message, then witnesses with their paths."""
    yield finding["message"]
    for witness in finding["witnesses"][:first]:
        yield f"{_called(witness)}: {witness['message']}"
        for path in witness["paths"]:
            at = "" if path["at"] == "PT0S" else f", after {path['at']}"
            yield f"  {' -> '.join(_called(one) for one in path['path'])}{at}"
    left = finding["failing"] + finding["unclear"] - min(first, len(finding["witnesses"]))
    if left > 0 and finding["witnesses"]:
        yield f"and {left:,} more"


def _called(one: Record) -> str:
    return f"{one['id']} ({one['name']})" if one["name"] else str(one["id"])


def _word(finding: Record) -> str:
    verdict = str(finding["verdict"])
    if finding["severity"] == "warn" and verdict not in ("held", "skipped"):
        return "warning"
    return _WORD.get(verdict, verdict)


def junit(report: Record, name: str, first: int) -> bytes:
    """JUnit XML: a case a requirement. What is broken is a failure, what could not be judged an
    error; a warning is a skipped case that says so.
    """
    findings = report["findings"]
    suite = ElementTree.Element(
        "testsuite", name=_clean(name), timestamp=report["at"][:19], time="0"
    )
    kinds = {"failure": 0, "error": 0, "skipped": 0}
    for finding in findings:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_clean(f"{name}.{finding['kind']}"),
            name=_clean(finding["name"]),
            time="0",
        )
        kind = _kind(finding)
        if kind:
            kinds[kind] += 1
            message = _clean(finding["message"])
            if _word(finding) == "warning":
                message = f"warning: {message}"
            part = ElementTree.SubElement(case, kind, message=message)
            part.text = _clean("\n".join(lines_of(finding, first)))
            if kind != "skipped":
                part.set("type", finding["verdict"])
    suite.set("tests", str(len(findings)))
    for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(kinds[kind]))
    properties = ElementTree.Element("properties")
    ElementTree.SubElement(properties, "property", name="snapshot", value=report["snapshot"])
    suite.insert(0, properties)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True)) + b"\n"


def _kind(finding: Record) -> str:
    """The word of JUnit; empty where it holds."""
    if finding["verdict"] == "held":
        return ""
    if is_fine(finding):
        return "skipped"
    return "failure" if finding["verdict"] == "broken" else "error"


def _clean(text: str) -> str:
    """Without the characters that XML has no place for."""
    return _NOT_XML.sub("\ufffd", text)
