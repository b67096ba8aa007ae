"""How the DTDL parser stands against the verdicts of the public reference parser's test corpus.

    python benchmarks/conformance.py [FOLDER] [--limit N] [--wrong N] [--kind K]

Prints balanced accuracy (the mean of the shares of valid accepted and invalid rejected) by kind
and DTDL version and by the extensions used, how often all our error codes are among the expected
ones, how many expected element sets are equal, and how many instance verdicts agree. Cases with
`quirks`, which ask a parser to tolerate what the standard forbids, are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinfall.ontology import Ontology, parse
from twinfall.ontology.errors import BadInput, ModelIncomplete, ModelInvalid

Case = dict[str, Any]
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "conformance" / "dtdl"


def cases(folder: Path) -> Iterator[Case]:
    """The model cases in the order of the file."""
    with gzip.open(folder / "cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def script(case: Case) -> Any:
    """The case's resolver, which answers as written there."""
    answers = {tuple(sorted(step["request"])): step["response"] for step in case["resolution"]}
    return lambda wanted: answers.get(tuple(sorted(wanted)))


def run(case: Case) -> Ontology:
    """Parse a case with its options."""
    return parse(
        [json.dumps(model) for model in case["models"]],
        undefined_extensions=case.get("undefined_extensions"),
        max_version=case.get("max_dtdl_version") or 4,
        acceptable_limits=case.get("acceptable_limits"),
        resolver=script(case) if case.get("resolution") else None,
    )


EXTENSION = re.compile(r'"dtmi:(?:dtdl:extension|dtdl:limits|iot[a-z]+):([A-Za-z]+)[^"]*"')


def scope(case: Case) -> str:
    """`core`, `quantitativeTypes`, or `other extensions`: what its contexts name."""
    named = set(EXTENSION.findall(json.dumps(case["models"])))
    if not named:
        return "core"
    return "quantitativeTypes" if named == {"quantitativeTypes"} else "other extensions"


def code_agrees(case: Case, error: ModelInvalid) -> bool:
    """Whether each code we report is expected."""
    expected = {e["code"] for e in case["expected_errors"]}
    return {p.code for p in error.problems} <= expected


def elements_equal(case: Case, ontology: Ontology) -> bool:
    """Whether every expected element has the expected members. A count given is a least one:
    for deep schemas it leaves out fields and keys, which elsewhere it counts.
    """
    if len(ontology.elements) < (case.get("expected_element_count") or 0):
        return False
    return all(_is_element(e, ontology.elements) for e in case.get("expected_elements", ()))


def _is_element(expected: Case, elements: Any) -> bool:
    found = elements.get(expected["id"])
    if found is None or found["type"] != expected["type"]:
        return False
    for part in ("properties", "supplementalProperties", "undefinedProperties"):
        for name, value in expected.get(part, {}).items():
            if found[part].get(name) != value:
                return False
    return all(
        set(expected.get(part, ())) <= set(found[part])
        for part in ("supplementalTypes", "undefinedTypes")
    )


class Score:
    """Counts of one table."""

    def __init__(self) -> None:
        self.verdicts: dict[Any, Counter[tuple[bool, bool]]] = defaultdict(Counter)
        self.scopes: dict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)
        self.codes: Counter[bool] = Counter()
        self.elements: Counter[bool] = Counter()
        self.instances: Counter[bool] = Counter()
        self.crashes: list[str] = []
        self.wrong: list[tuple[Case, str]] = []

    def judge(self, case: Case) -> None:
        """Run one case and count it."""
        ontology: Ontology | None = None
        said = ""
        try:
            ontology = run(case)
        except ModelInvalid as err:
            if case["expected_errors"]:
                self.codes[code_agrees(case, err)] += 1
            said = "; ".join(str(p) for p in err.problems[:4])
        except ModelIncomplete as err:
            said = str(err)
        except Exception as err:  # a crash is a finding, and the run goes on
            self.crashes.append(f"{case['name']}: {type(err).__name__} {err}")
        verdict = (case["valid"], ontology is not None)
        self.verdicts[(case["kind"], case["dtdl_version"])][verdict] += 1
        self.scopes[scope(case)][verdict] += 1
        if case["valid"] != (ontology is not None):
            self.wrong.append((case, said))
        if ontology is not None and case["valid"]:
            self.elements[elements_equal(case, ontology)] += 1
            for instance in case.get("instances", ()):
                self.instances[instance_agrees(instance, ontology)] += 1


def instance_agrees(instance: Case, ontology: Ontology) -> bool:
    """Whether we judge an instance as expected."""
    try:
        conforms = not ontology.check_instance(instance["subject"], instance["submit"])
    except BadInput:
        return bool(instance.get("throws"))
    return conforms == instance.get("conforms")


def balanced(counts: Counter[tuple[bool, bool]]) -> float:
    """The mean of the shares of valid accepted and invalid rejected."""
    valid = counts[(True, True)] + counts[(True, False)]
    invalid = counts[(False, True)] + counts[(False, False)]
    shares = []
    if valid:
        shares.append(counts[(True, True)] / valid)
    if invalid:
        shares.append(counts[(False, False)] / invalid)
    return sum(shares) / len(shares)


def share(counts: Counter[bool]) -> str:
    """`12 of 13 (92.3 %)`."""
    total = counts[True] + counts[False]
    return f"{counts[True]} of {total} ({100 * counts[True] / max(total, 1):.1f} %)"


def main() -> None:
    """Judge the corpus and print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    arguments.add_argument("--every", type=int, default=1, help="only each N-th case")
    arguments.add_argument("--wrong", type=int, default=0, help="show so many wrong cases")
    arguments.add_argument("--kind", default="")
    chosen = arguments.parse_args()
    score, start, count, quirks = Score(), time.process_time(), 0, 0
    for number, case in enumerate(cases(chosen.folder)):
        if number % chosen.every or not case["kind"].startswith(chosen.kind):
            continue
        if case.get("quirks"):
            quirks += 1
            continue
        score.judge(case)
        count += 1
    seconds = time.process_time() - start
    report(score, chosen.wrong)
    print(f"{count} cases in {seconds:.1f} s CPU; {quirks} with quirks left out")


def report(score: Score, wrong: int) -> None:
    """Print what was counted."""
    total: Counter[tuple[bool, bool]] = Counter()
    for key, counts in sorted(score.verdicts.items(), key=str):
        total += counts
        shown = " ".join(str(part) for part in key)
        print(f"{shown:20} {100 * balanced(counts):6.2f} %  {dict(counts)}")
    for name, counts in sorted(score.scopes.items()):
        print(f"{name:20} {100 * balanced(counts):6.2f} %")
    print(f"{'all':20} {100 * balanced(total):6.2f} %")
    print(f"codes all expected   {share(score.codes)}")
    print(f"elements equal       {share(score.elements)}")
    print(f"instances agree      {share(score.instances)}")
    print(f"crashes              {len(score.crashes)}")
    for line in score.crashes[:wrong]:
        print("  ", line)
    for case, said in score.wrong[:wrong]:
        codes = sorted({e["code"] for e in case["expected_errors"]})
        print(f"-- {case['name']} valid={case['valid']} {codes} {said}")
        print("  ", json.dumps(case["models"])[:1500])


if __name__ == "__main__":
    main()
