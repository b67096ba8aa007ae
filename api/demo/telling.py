"""What happens in the demo, in lines for its terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinfall.analytics.alarms import Alarm, Symptom


def alarm_line(alarm: Alarm) -> str:
    """An alarm raised with the sensors that explain it, or cleared."""
    if alarm.state == "CLEARED":
        return f"alarm cleared: {alarm.twin} behaves as learned again"
    symptoms = "; ".join(_symptom(symptom) for symptom in alarm.symptoms)
    return f"alarm on {alarm.twin}, most of it at {alarm.suspect}: {symptoms}"


def _symptom(symptom: Symptom) -> str:
    unit = f" {symptom.unit}" if symptom.unit else ""
    return (
        f"{symptom.address} {symptom.name} {symptom.observed:.4g}{unit}"
        f" (expected {symptom.expected:.4g})"
    )
