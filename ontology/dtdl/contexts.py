"""The `@context` of an element: which language, which extensions, which terms.

The active context is the merge of those of all enclosing elements; of two versions of one
context the inner, and in one array the later, holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinfall.ontology.dtdl.elements import Context, Path, Reading
from twinfall.ontology.dtdl.identifiers import is_definable
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

    def start(self, specifiers: Sequence[Any]) -> bool:
        """Whether a model's own @context begins as it must, and whether all of it is readable."""
        for specifier in specifiers:
            if isinstance(specifier, dict):
                self.terms(specifier)
            elif not isinstance(specifier, str):
                self.fail("invalidContext", "a @context must be a DTMI")
        if self.failed or self.outer is not None:
            return not self.failed
        leading = self.reading.metamodel.leading
        first = next((s for s in specifiers if isinstance(s, dict) or s not in leading), "")
        if not specifiers:
            self.fail("emptyContext", "the @context is empty", f'write "{CORE};3" or "{CORE};4"')
        elif not (isinstance(first, str) and first.startswith(f"{CORE};")):
            cure = f'begin with "{CORE};3" or "{CORE};4"'
            near = isinstance(first, str) and _known(self.reading, first)
            self.fail("missingDtdlContext", "the @context must begin with DTDL's own", near or cure)
        return not self.failed

    def terms(self, local: dict[str, Any]) -> None:
        """Terms of a model's own are refused later; here it must be clear that they are."""
        for term, meaning in local.items():
            if isinstance(meaning, str):
                continue
            code, what = "termDefinitionNotStringOrObject", "neither a text nor an object"
            if isinstance(meaning, dict):
                if isinstance(meaning.get("@id"), str):
                    continue
                code, what = "termDefinitionIdPropertyNotString", 'an object whose "@id" is no text'
                if "@id" not in meaning:
                    code, what = "termDefinitionMissingIdProperty", 'an object without "@id"'
            self.fail(code, f'@context: the meaning of "{term}" is {what}')

    def add(self, specifier: Any) -> None:
        if isinstance(specifier, dict):
            self.fail("disallowedLocalContext", "a @context may not define terms of its own")
            return
        dtmi = read_dtmi(specifier)
        core = specifier.partition(";")[0].partition("#")[0] == CORE
        if not specifier.startswith("dtmi:"):
            known = _known(self.reading, specifier)
            self.fail("nonDtmiContextSpecifier", f'@context "{specifier}" is not a DTMI', known)
        elif dtmi is not None and self._too_new(specifier, core):
            self.no_minor(specifier, self.version)
        elif dtmi is None or dtmi.is_reserved:
            self.fail("invalidContextSpecifier", f'@context "{specifier}" is not a valid DTMI')
        elif core:
            self.core(specifier)
        elif "#" in specifier:
            self.fail("invalidContextSpecifier", f'@context "{specifier}": no fragment here')
        else:
            self.affiliate(specifier)

    def _too_new(self, specifier: str, core: bool) -> bool:
        """Whether an identifier is not one yet in the language of the context."""
        if self.version not in self.reading.metamodel.open_versions or (core and ";" in specifier):
            return False
        return not is_definable(self.reading, self.version, specifier.partition("#")[0])

    def core(self, specifier: str) -> None:
        base, _, fragment = specifier.partition("#")
        written = base.partition(";")[2]
        major, _, minor = written.partition(".")
        known = self.reading.metamodel.contexts
        if written == "":
            self.fail("missingContextVersion", f"{specifier} has no version", "say ;3 or ;4")
        elif self.pending_limits:
            self.own_limits(specifier, major)
        elif f"{CORE};{major}" not in known:
            self.fail("unrecognizedContextVersion", f"there is no DTDL {specifier}")
        elif minor and int(major) in self.reading.metamodel.open_versions:
            self.no_minor(specifier, major)
        elif self.followed:
            self.fail("dtdlContextFollowsAffiliate", f"{specifier} must come before extensions")
        else:
            self.language(specifier, int(major), f"#{fragment}" if "#" in specifier else "")

    def no_minor(self, specifier: str, version: int | str) -> None:
        message = (
            f"{specifier} is no identifier in DTDL {version}: it needs one whole number at its end"
        )
        self.fail("invalidContextSpecifierForVersion", message)

    def own_limits(self, specifier: str, major: str) -> None:
        self.pending_limits = False
        fragment = specifier.partition("#")[2]
        if fragment and f"#{fragment}" not in (LIMITLESS, OWN_LIMITS):
            self.fail("invalidContextFragment", f"{specifier}: no such fragment")
        elif specifier.endswith(LIMITLESS) or major != str(self.version):
            self.no_limits()

    def language(self, specifier: str, version: int, fragment: str) -> None:
        reading = self.reading
        if version > reading.options.max_version:
            top = reading.options.max_version
            self.fail("disallowedContextVersion", f"DTDL {version} is above the allowed {top}")
        elif fragment and fragment not in (LIMITLESS, OWN_LIMITS):
            self.fail("invalidContextFragment", f"{specifier}: no such fragment")
        elif fragment and version not in reading.metamodel.limit_versions:
            self.fail("disallowedContextFragment", f"{specifier}: DTDL {version} has no fragments")
        elif fragment == OWN_LIMITS:
            self.fail("misplacedLimitContext", f"{specifier} must follow {CORE};4{LIMITLESS}")
        else:
            self.version = version
            self.pending_limits = fragment == LIMITLESS

    def affiliate(self, specifier: str) -> None:
        base, _, version = specifier.partition(";")
        major = f"{base};{version.partition('.')[0]}"
        metamodel = self.reading.metamodel
        self.followed = self.followed or self.version > 0 or specifier not in metamodel.leading
        if not version:
            self.fail("missingContextVersion", f"{specifier} has no version", f"say {base};1")
        elif major in metamodel.limit_contexts:
            self.limit(major)
        elif self.pending_limits:
            self.no_limits()
        elif major in metamodel.contexts:
            self.affiliates[base] = major
        else:
            self.unknown(base, specifier)

    def no_limits(self) -> None:
        self.pending_limits = False
        self.fail("missingLimitContext", f"{LIMITLESS} must be followed by a limit context")

    def limit(self, specifier: str) -> None:
        allowed = self.reading.options.acceptable_limits or ()
        if not self.pending_limits:
            self.fail("misplacedLimitContext", f"{specifier} must follow {CORE};4{LIMITLESS}")
        elif specifier not in allowed and specifier.partition(";")[0] not in allowed:
            self.fail("disallowedLimitContext", f"the limits {specifier} are not accepted here")
        else:
            self.limits = self.reading.metamodel.limit_contexts[specifier]
        self.pending_limits = False

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


def _known(reading: Reading, specifier: str) -> str:
    return did_you_mean(specifier, reading.metamodel.contexts)


def _make(
    reading: Reading, specifiers: Sequence[Any], outer: Context | None, path: Path
) -> Context | None:
    builder = _Builder(reading, outer, path)
    if builder.start(specifiers):
        for specifier in specifiers:
            builder.add(specifier)
        if builder.pending_limits:
            builder.no_limits()
    return None if builder.failed else _built(reading, builder)


def _built(reading: Reading, builder: _Builder) -> Context:
    metamodel = reading.metamodel
    core = f"{CORE};{builder.version}"
    terms: dict[str, str] = {}
    for specifier in builder.affiliates.values():
        terms.update(metamodel.contexts[specifier])
    terms.update(metamodel.contexts[core])  # what DTDL itself means by a word nobody redefines
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
