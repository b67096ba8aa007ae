"""Model files: found on disk, checked, written. What a model may say is the ontology's matter."""

from __future__ import annotations

import glob
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from twinfall.api.lines import open_file
from twinfall.ontology import Ontology, differences, parse, read_dependencies
from twinfall.ontology import lint as lints
from twinfall.ontology.differences import Comparison
from twinfall.ontology.errors import BadInput, ModelIncomplete, ModelInvalid, Problem
from twinfall.ontology.exporting import file_stem

if TYPE_CHECKING:
    from twinfall.ontology.rdf import Loss, Source

SIDECAR_ENDINGS = (".dependencies.yaml", ".dependencies.yml", ".dependencies.json")
RDF_ENDINGS = (".ttl", ".turtle", ".nt", ".jsonld")
RDF_NOT_READ = (".rdf", ".owl", ".trig", ".nq", ".n3")
"""RDF of other kinds: refused with a word on what is read."""
MAX_FILES = 20_000
MAX_FILE_BYTES = 64 * 1024 * 1024
"""Of one document: as much as is read as one."""
_SECTIONS = ("Models", "Dependencies")


@dataclass(frozen=True, slots=True)
class Files:
    """Models and the sidecars beside them."""

    documents: tuple[Path, ...]
    sidecars: tuple[Path, ...]
    rdf: tuple[Path, ...] = ()

    @classmethod
    def at(cls, paths: Sequence[str]) -> Files:
        """What these files, folders and patterns name. Raises BadInput where that is nothing."""
        found = [file for path in paths for file in _files(path)]
        beside = [s for file in found if not _is_sidecar(file) for s in _sidecars_of(file)]
        unique = sorted(dict.fromkeys(f.resolve() for f in [*found, *beside]))
        if len(unique) > MAX_FILES:
            raise BadInput(f"{len(unique)} files, at most {MAX_FILES} are read", code="TOO_LARGE")
        here = {f.resolve(): f for f in reversed([*found, *beside])}
        shown = [here[f] for f in unique]
        models = [f for f in shown if not _is_sidecar(f)]
        return cls(
            tuple(f for f in models if not is_rdf(f)),
            tuple(f for f in shown if _is_sidecar(f)),
            tuple(f for f in models if is_rdf(f)),
        )

    def texts(self) -> list[str]:
        """The documents."""
        return [_text(f) for f in self.documents]

    def models(self, known: Ontology | None = None, version: int = 1) -> Models:
        """All models: the documents, and those that the RDF files say, read together, which get
        this version.
        """
        texts = self.texts()
        if not self.rdf:
            return Models(self.documents, texts)
        from twinfall.ontology.rdf import read_models  # rdflib takes its time

        read = read_models(rdf_sources(self.rdf), known=known, version=version)
        told = [self.rdf[0] if len(self.rdf) == 1 else self.rdf[0].parent] * len(read.documents)
        return Models((*self.documents, *told), [*texts, *read.documents], read.losses)

    def sidecar_texts(self) -> list[str]:
        """The sidecars."""
        return [_text(f) for f in self.sidecars]


@dataclass(frozen=True, slots=True)
class Models:
    """DTDL texts, each with the file that it comes from, and what RDF says that they cannot."""

    files: tuple[Path, ...]
    texts: list[str]
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with its file; `frame` shows the lines around it."""

    file: str
    code: str
    message: str
    path: str
    line: int | None
    element: str
    cure: str
    frame: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found."""

    word: Literal["valid", "incomplete", "invalid"]
    documents: int
    sidecars: int
    interfaces: int
    seconds: float
    findings: tuple[Finding, ...] = field(default=())
    losses: tuple[Loss, ...] = field(default=())
    """What RDF files say and DTDL cannot."""


def check(paths: Sequence[str], version: int = 1) -> Verdict:
    """Read and judge model files and sidecars; models of RDF get this version."""
    start = time.perf_counter()
    files = Files.at(paths)
    models, sidecars = files.models(version=version), files.sidecar_texts()
    texts = models.texts
    word: Literal["valid", "incomplete", "invalid"] = "valid"
    findings: list[Finding] = []
    ontology: Ontology | None = None
    try:
        ontology = parse(texts)
        read_dependencies(sidecars, ontology)
    except ModelIncomplete as error:
        word = "incomplete"
        findings = [_missing(dtmi, models.files, texts) for dtmi in error.undefined]
    except ModelInvalid as error:
        word = "invalid"
        source = (models.files, texts) if ontology is None else (files.sidecars, sidecars)
        findings = [_finding(p, *source) for p in error.problems]
    return Verdict(
        word,
        len(texts),
        len(files.sidecars),
        len(ontology.interfaces) if ontology else 0,
        time.perf_counter() - start,
        tuple(findings),
        models.losses,
    )


def compare(old: Sequence[str], new: Sequence[str]) -> Comparison:
    """What changed between two sets of model files. Raises ModelInvalid, ModelIncomplete."""
    before, after = (parse(Files.at(paths).models().texts) for paths in (old, new))
    return differences.compare(before, after)


def lint(paths: Sequence[str]) -> list[lints.Finding]:
    """What model files and sidecars that are valid hardly mean. Raises ModelInvalid."""
    files = Files.at(paths)
    ontology = parse(files.models().texts)
    return lints.lint(ontology, read_dependencies(files.sidecar_texts(), ontology))


def write_models(blocks: Iterable[bytes], folder: Path) -> list[Path]:
    """The models and sidecars of an export, a file each; never over a file that says otherwise."""
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    rows = model_rows(blocks)
    return write_files(((_file_name(s, row), orjson.dumps(row, option=option)) for s, row in rows),
                       folder)  # fmt: skip


def write_files(files: Iterable[tuple[str, bytes]], folder: Path) -> list[Path]:
    """Files by name into a folder; never over one that says otherwise."""
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files:
            path = folder / name
            if path.exists() and path.read_bytes() != text:
                raise BadInput(
                    "is there with other content", code="EXISTS", path=str(path), cure="move it"
                )
            path.write_bytes(text)
            written.append(path)
    except OSError as error:
        raise BadInput(
            f"cannot be written: {error.strerror}", code="BAD_FILE", path=str(folder)
        ) from error
    return written


def _files(path: str) -> Iterator[Path]:
    at = Path(path)
    if at.is_dir():
        endings = (".json", *SIDECAR_ENDINGS, *RDF_ENDINGS)
        inside = sorted(f for f in at.rglob("*") if f.name.endswith(endings) and f.is_file())
        if not inside:
            raise BadInput("no model file in this folder", code="BAD_FILE", path=path)
        yield from inside
    elif at.is_file():
        yield at
    else:
        matching = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []  # noqa: PTH207
        if not matching:
            raise BadInput("there is no such file or folder", code="BAD_FILE", path=path)
        for found in matching:
            yield from _files(found)


def is_rdf(file: Path) -> bool:
    """Whether a file's ending says that it holds RDF."""
    return file.suffix.lower() in (*RDF_ENDINGS, *RDF_NOT_READ)


def rdf_sources(files: Iterable[Path]) -> list[Source]:
    """The texts of RDF files."""
    from twinfall.ontology.rdf.reading import MAX_BYTES, Source  # rdflib takes its time

    sources = []
    for file in files:
        with open_file(file) as opened:
            sources.append(Source.of_file(str(file), opened.read(MAX_BYTES + 1)))
    return sources


def _is_sidecar(file: Path) -> bool:
    return file.name.endswith(SIDECAR_ENDINGS)


def _sidecars_of(file: Path) -> Iterator[Path]:
    for ending in SIDECAR_ENDINGS:
        beside = file.with_name(file.stem + ending)
        if beside.is_file():
            yield beside


def _text(file: Path) -> str:
    with open_file(file) as opened:
        content = opened.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        message = f"larger than {MAX_FILE_BYTES >> 20} MiB"
        cure = "split it: any number of files is one set"
        raise BadInput(message, code="TOO_LARGE", path=str(file), cure=cure)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"is not UTF-8 text (byte {error.start})", code="BAD_FILE", path=str(file)
        ) from None


def _finding(problem: Problem, files: Sequence[Path], texts: Sequence[str]) -> Finding:
    known = problem.document is not None and problem.document < len(files)
    number = problem.document if known and problem.document is not None else 0
    name = str(files[number]) if known else "all files"
    frame = _frame(texts[number], problem.line) if known and problem.line else ()
    p = problem
    return Finding(name, p.code, p.message, p.path, p.line, p.element, p.cure, frame)


def _missing(dtmi: str, files: Sequence[Path], texts: Sequence[str]) -> Finding:
    """Where a model that nobody defines is referred to first."""
    message = f"{dtmi} is referred to but not defined"
    cure = "give the file that defines it too"
    for file, text in zip(files, texts, strict=True):
        at = text.find(f'"{dtmi}"')
        if at >= 0:
            line = text.count("\n", 0, at) + 1
            shown = str(file), "undefined", message, "", line, "", cure
            return Finding(*shown, _frame(text, line))
    return Finding("all files", "undefined", message, "", None, "", cure)


def _frame(text: str, line: int) -> tuple[str, ...]:
    """The line with one before and one after, numbered and marked."""
    lines = text.splitlines()
    shown = range(max(1, line - 1), min(len(lines), line + 1) + 1)
    return tuple(f"{'>' if n == line else ' '} {n:>4} | {lines[n - 1][:160]}" for n in shown)


def model_rows(blocks: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """The rows of an export up to its twins."""
    section, rest = "", b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            row = orjson.loads(line)
            if set(row) == {"Section"}:
                section = row["Section"]
                if section == "Twins":
                    return
            elif section in _SECTIONS:
                yield section, row


def _file_name(section: str, row: Any) -> str:
    if section == "Models":
        return f"{file_stem(str(row['@id']))}.json"
    return f"{file_stem(min(row.get('interfaces', {}), default='empty'))}.dependencies.json"
