"""The `@context` of an element: which language, which extensions, which terms.

The active context is the merge of those of all enclosing elements; of two versions of one
context the inner, and in one array the later, holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Path, Reading
from twinfall.ontology.dtdl.suggest import did_you_mean
from twinfall.ontology.dtmi import read_dtmi

CORE = "dtmi:dtdl:context"
LIMITLESS = "#limitless"
OWN_LIMITS = "#limits"


def read_context(reading: Reading, raw: Any, outer: Context | None, path: Path) -> Context | None:
    """The context that `raw` makes within `outer`; None, with problems, where it makes none."""
    specifiers = raw if isinstance(raw, list) else [raw]
    key = (id(outer), tuple(specifiers)) if all(isinstance(s, str) for s in specifiers) else None
    if key is not None and key in reading.contexts:
        return reading.contexts[key]
    made = _make(reading, specifiers, outer, (path, "@context"))
    if key is not None:
        reading.contexts[key] = made
    return made


class _Builder:
    """One `@context` being read, specifier by specifier."""

    def __init__(self, reading: Reading, outer: Context | None, path: Path) -> None:
        self.reading = reading
        self.path = path
        self.outer = outer
        self.version = outer.version if outer else 0
        self.limits = outer.limits if outer else ""
        self.affiliates = dict(outer.affiliates) if outer else {}
        self.open = outer.open if outer else False
        self.pending_limits = False
        self.followed = False
        self.failed = False

    def fail(self, code: str, message: str, cure: str = "") -> None:
        self.failed = True
        self.reading.report(code, message, self.path, cure=cure)

    def add(self, specifier: Any, first: bool) -> None:
        if isinstance(specifier, dict):
            _refuse_local(self, specifier)
            return
        if not isinstance(specifier, str):
            self.fail("invalidContext", "a @context must be a DTMI")
            return
        dtmi = read_dtmi(specifier)
        if not specifier.startswith("dtmi:"):
            known = did_you_mean(specifier, self.reading.metamodel.contexts)
            self.fail("nonDtmiContextSpecifier", f'@context "{specifier}" is not a DTMI', known)
        elif dtmi is None or dtmi.is_reserved:
            self.fail("invalidContextSpecifier", f'@context "{specifier}" is not a valid DTMI')
        elif specifier.partition(";")[0] == CORE:
            self.core(specifier, first)
        else:
            self.affiliate(specifier)

    def core(self, specifier: str, first: bool) -> None:
        base, _, fragment = specifier.partition("#")
        known = self.reading.metamodel.contexts
        if base.partition(";")[2] == "":
            self.fail("missingContextVersion", f"{specifier} has no version", "say ;3 or ;4")
        elif self.pending_limits:
            self.own_limits(specifier)
        elif base not in known:
            self.fail("unrecognizedContextVersion", f"there is no DTDL {specifier}")
        elif self.followed:
            self.fail("dtdlContextFollowsAffiliate", f"{specifier} must come before extensions")
        else:
            self.language(specifier, int(base.partition(";")[2]), fragment)

    def own_limits(self, specifier: str) -> None:
        self.pending_limits = False
        fragment = specifier.partition("#")[2]
        if fragment and f"#{fragment}" not in (LIMITLESS, OWN_LIMITS):
            self.fail("invalidContextFragment", f"{specifier}: no such fragment")
        elif specifier.endswith(LIMITLESS):
            self.fail("missingLimitContext", f"{LIMITLESS} must be followed by a limit context")

    def language(self, specifier: str, version: int, fragment: str) -> None:
        reading = self.reading
        if self.outer and version > self.outer.version:
            self.fail("unrecognizedContextVersion", f"DTDL {version} inside {self.outer.version}")
        elif version > reading.options.max_version:
            top = reading.options.max_version
            self.fail("disallowedContextVersion", f"DTDL {version} is above the allowed {top}")
        elif fragment and (
            version not in reading.metamodel.limit_versions
            or f"#{fragment}" not in (LIMITLESS, OWN_LIMITS)
        ):
            self.fail("invalidContextFragment", f"{specifier}: no such fragment")
        elif f"#{fragment}" == OWN_LIMITS:
            self.fail("misplacedLimitContext", f"{specifier} must follow {CORE};4{LIMITLESS}")
        else:
            self.version = version
            self.pending_limits = f"#{fragment}" == LIMITLESS

    def affiliate(self, specifier: str) -> None:
        base, _, version = specifier.partition(";")
        metamodel = self.reading.metamodel
        self.followed = True
        if not self.version and not self.failed:
            cure = f'begin with "{CORE};3" or "{CORE};4"'
            self.fail("missingDtdlContext", "the @context must begin with DTDL's own", cure)
        elif not version:
            self.fail("missingContextVersion", f"{specifier} has no version", f"say {base};1")
        elif "." in version and self.version in self.reading.metamodel.open_versions:
            message = f"{specifier}: DTDL {self.version} has no minor versions"
            self.fail("invalidContextSpecifierForVersion", message)
        elif specifier in metamodel.limit_contexts:
            self.limit(specifier)
        elif specifier in metamodel.contexts:
            self.extension(base, specifier)
        else:
            self.unknown(base, specifier)

    def limit(self, specifier: str) -> None:
        allowed = self.reading.options.acceptable_limits or ()
        if not self.pending_limits:
            self.fail("misplacedLimitContext", f"{specifier} must follow {CORE};4{LIMITLESS}")
        elif specifier not in allowed and specifier.partition(";")[0] not in allowed:
            self.fail("disallowedLimitContext", f"the limits {specifier} are not accepted here")
        else:
            self.limits = self.reading.metamodel.limit_contexts[specifier]
        self.pending_limits = False

    def extension(self, base: str, specifier: str) -> None:
        self.affiliates[base] = specifier

    def unknown(self, base: str, specifier: str) -> None:
        option = self.reading.options.undefined_extensions
        by_default = self.version in self.reading.metamodel.open_versions
        if option == "allow" or (option is None and by_default):
            self.open = True
            return
        known = [c for c in self.reading.metamodel.contexts if c.partition(";")[0] == base]
        code = "unresolvableContextVersion" if known else "unresolvableContextSpecifier"
        cure = did_you_mean(specifier, known or self.reading.metamodel.contexts)
        self.fail(code, f"the extension {specifier} is unknown", cure)


def _refuse_local(builder: _Builder, _local: dict[str, Any]) -> None:
    builder.fail("disallowedLocalContext", "a @context may not define terms of its own")


def _make(
    reading: Reading, specifiers: Sequence[Any], outer: Context | None, path: Path
) -> Context | None:
    builder = _Builder(reading, outer, path)
    for position, specifier in enumerate(specifiers):
        builder.add(specifier, first=position == 0)
    if not builder.version and not builder.failed:
        cure = f'begin with "{CORE};3" or "{CORE};4"'
        builder.fail("missingDtdlContext", "the @context names no version of DTDL", cure)
    if builder.pending_limits:
        builder.fail("missingLimitContext", f"{LIMITLESS} must be followed by a limit context")
    return None if builder.failed else _built(reading, builder)


def _built(reading: Reading, builder: _Builder) -> Context:
    metamodel = reading.metamodel
    core = f"{CORE};{builder.version}"
    terms = dict(metamodel.contexts[core])
    for specifier in builder.affiliates.values():
        terms.update(metamodel.contexts[specifier])
    prefixes = list(metamodel.reserved.get(core, ()))
    for specifier in builder.affiliates.values():
        prefixes += metamodel.reserved.get(specifier, ())
    return Context(
        version=builder.version,
        limits=builder.limits,
        affiliates=tuple(builder.affiliates.items()),
        terms=terms,
        open=builder.open,
        reserved=tuple(prefixes),
    )
