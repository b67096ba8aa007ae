"""What a scenario comes to, for people."""

from __future__ import annotations

from typing import Any

from twinfall.api.cli.output import console, print_table

MAX_POINTS = 40
"""Of the curve of a timeline."""
MAX_NAMED = 10


def show(found: dict[str, Any], first: int) -> None:
    """Print an outcome as `whatIf` answers it, with so many assets."""
    timeline, impact = found["timeline"], found["impact"]
    _show_totals(found["name"] or "In this scenario", timeline)
    _show_failures(impact["totals"], found["without"])
    for name, words in (("newlyDown", "down, and not today"), ("recovered", "up, and not today")):
        ids = found[name]
        if ids["count"]:
            more = " ..." if ids["count"] > MAX_NAMED else ""
            _say(f"{ids['count']} {words}: {', '.join(ids['ids'][:MAX_NAMED])}{more}")
    if found["expected"] is not None:
        _show_expected(found["expected"])
    if _unfolds(found):
        _show_curve(timeline["curve"])
        _show_events(timeline, first)
    else:
        _show_affected(impact)


def _show_totals(name: str, timeline: dict[str, Any]) -> None:
    ever, hours = timeline["everDown"], timeline["unserved"]
    _say(
        f"{name}: {ever['assets']} assets down at one time or another until {timeline['until']}, "
        f"{ever['customers']:g} customers, value {ever['value']:g}"
    )
    if hours["assetHours"]:
        _say(
            f"not served until then, in {timeline['outageCount']} outages: "
            f"{hours['assetHours']:.5g} asset hours, {hours['customerHours']:.5g} customer hours, "
            f"{hours['valueHours']:.5g} value hours"
        )


def _show_failures(totals: dict[str, Any], without: dict[str, Any] | None) -> None:
    """What the failures of now take along, where they take something along here or today."""
    if any(one["assets"] or one["degraded"] for one in (totals, without or totals)):
        _say(f"its failures take along {_said(totals)}")
        if without is not None:
            _say(f"the same failures today: {_said(without)}")


def _unfolds(found: dict[str, Any]) -> bool:
    """Whether the timeline tells more than what the failures take along."""
    timeline = found["timeline"]
    ever = timeline["everDown"]["assets"]
    changed = found["without"] is not None
    once = ever == timeline["eventCount"] == found["newlyDown"]["count"]
    return bool(timeline["eventCount"]) and (changed or not once)


def _show_curve(points: list[dict[str, Any]]) -> None:
    shown = points[:MAX_POINTS]
    rows = [[p["at"], str(p["assets"]), f"{p['customers']:g}", f"{p['value']:g}"] for p in shown]
    title = f"the first {len(shown)} of {len(points)} moments" if len(points) > len(shown) else ""
    print_table(title, ["from", "assets down", "customers", "value"], rows)


def _show_events(timeline: dict[str, Any], first: int) -> None:
    count, shown = timeline["eventCount"], timeline["events"][:first]
    title = f"the first {len(shown)} of {count} falls and rises" if count > len(shown) else ""
    rows = [[one["at"], one["id"], one["to"], _why(one)] for one in shown]
    print_table(title, ["at", "asset", "becomes", "why"], rows)


def _why(event: dict[str, Any]) -> str:
    if event["group"] is None:
        return "" if event["to"] == "ok" else "fails by itself"
    return f"{event['group']}: {event['cause'] or 'cut off before, or by what is changed'}"


def _show_affected(impact: dict[str, Any]) -> None:
    rows = [
        [str(n["wave"]), n["at"], n["twin"]["id"], n["to"], n["votes"] or ""]
        for n in impact["affected"]["nodes"]
    ]
    if rows:
        print_table("", ["wave", "at", "asset", "becomes", "why"], rows)


def _show_expected(expected: dict[str, Any]) -> None:
    head = ["over all samples", "mean", "±", "5 %", "50 %", "95 %"]
    rows = [
        [name, *(f"{expected[name][part]:.4g}" for part in ("mean", "error", "p5", "p50", "p95"))]
        for name in ("assets", "customers", "value")
    ]
    print_table(f"{expected['samples']} samples, {expected['exposed']} exposed", head, rows)
    likely = [[one["id"], f"{one['probability']:.0%}"] for one in expected["likeliest"][:10]]
    if likely:
        print_table("", ["likeliest down", "probability"], likely)


def _said(totals: dict[str, Any]) -> str:
    return (
        f"{totals['assets']} assets, {totals['degraded']} degraded, "
        f"{totals['customers']:g} customers, value {totals['value']:g}"
    )


def _say(line: str) -> None:
    console().print(line, markup=False)
