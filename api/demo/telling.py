"""What happens in the demo, in lines for its terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfall.api.graphql.durations import duration_text

if TYPE_CHECKING:
    from twinfall.analytics import AssetImpact
    from twinfall.analytics.alarms import Alarm, Symptom


def alarm_line(alarm: Alarm) -> str:
    """An alarm raised with the sensors that explain it, or cleared."""
    if alarm.state == "CLEARED":
        return f"alarm cleared: {alarm.twin} behaves as learned again"
    symptoms = "; ".join(_symptom(symptom) for symptom in alarm.symptoms)
    return f"alarm on {alarm.twin}, most of it at {alarm.suspect}: {symptoms}"


def impact_line(twin: str, impact: AssetImpact) -> str:
    """What would follow if this twin failed."""
    if not impact.count:
        return f"if {twin} failed, nothing else would"
    first = impact.affected(0, 1)[0].at
    when = "at once" if first == 0 else f"the first after {duration_text(first)}"
    services = ", ".join(total.name for total in impact.totals.services)
    lost = f"; without {services} then" if services else ""
    return f"if {twin} failed: {impact.count} more assets, {when}{lost}"


def _symptom(symptom: Symptom) -> str:
    unit = f" {symptom.unit}" if symptom.unit else ""
    return (
        f"{symptom.address} {symptom.name} {symptom.observed:.4g}{unit}"
        f" (expected {symptom.expected:.4g})"
    )
