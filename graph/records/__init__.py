"""What was noticed, decided and done: alarms, work orders, the outbox and the audit."""

from twinfall.graph.records.change import Change
from twinfall.graph.records.records import FILE_NAME, Asked, Page, Records
from twinfall.graph.records.rows import (
    SEVERITIES,
    Alarm,
    AuditLine,
    Delivery,
    DeliveryState,
    NewAlarm,
    NewDelivery,
    NewRequirementEvent,
    NewWorkOrder,
    RequirementEvent,
    Severity,
    WorkOrder,
    alarm_id,
)

__all__ = [
    "FILE_NAME",
    "SEVERITIES",
    "Alarm",
    "Asked",
    "AuditLine",
    "Change",
    "Delivery",
    "DeliveryState",
    "NewAlarm",
    "NewDelivery",
    "NewRequirementEvent",
    "NewWorkOrder",
    "Page",
    "Records",
    "RequirementEvent",
    "Severity",
    "WorkOrder",
    "alarm_id",
]
