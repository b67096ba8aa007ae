"""How graphql-core runs our queries: documents come parsed and validated, root fields complete.

`complete_value` is private to graphql-core, hence the pinned version and the test that compares
projected with ordinary execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext


class Projected:
    """A value that is a complete answer already: keyed by response names, leaves serialised."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class TwinExecutor(StrawberryGraphQLCoreExecutionContext):
    """Takes projected values as they are instead of completing each of their fields."""

    def complete_value(
        self, return_type: Any, details: Any, info: Any, path: Any, result: Any, position: Any
    ) -> Any:
        """The value as it stands in the answer."""
        if type(result) is Projected:
            return result.value
        return super().complete_value(return_type, details, info, path, result, position)


class PreparedDocument(SchemaExtension):
    """Hands over the document that was parsed, limited and validated before."""

    def on_operation(self) -> Iterator[None]:
        """Before strawberry would parse."""
        context = self.execution_context
        context.graphql_document = context.context.document
        context.pre_execution_errors = []
        yield
