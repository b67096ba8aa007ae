"""The driver's errors as errors that say who must do what. None repeats a password."""

from __future__ import annotations

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
)

from twinfall.ontology.errors import BadSettings, Conflict, Refused, TwinError, Unavailable

_COSTLY = ("TransactionTimedOut", "MemoryPoolOutOfMemory", "TransactionOutOfMemory")


def translated(error: Exception, uri: str) -> TwinError | None:
    """The error to raise instead; None for one that only a bug can cause."""
    if isinstance(error, Neo4jError):
        return _from_server(error, uri)
    if isinstance(error, ConfigurationError):
        return BadSettings(
            f"Neo4j cannot be used as configured: {error}",
            path=uri,
            cure="check TWINFALL_STORE: such as bolt://localhost:7687 or neo4j+s://host",
        )
    if isinstance(error, DriverError | OSError):
        return unavailable(uri)
    return None


def unavailable(uri: str) -> Unavailable:
    """The server is away."""
    return Unavailable(
        "Neo4j does not answer", path=uri, cure="Twinfall goes on by itself when it is back"
    )


def _from_server(error: Neo4jError, uri: str) -> TwinError | None:
    code = error.code or ""
    if code.endswith("AuthenticationRateLimit"):
        return Unavailable(
            "Neo4j lets this user in only after a pause: somebody tried wrong passwords",
            path=uri,
            cure="wait some seconds; if it stays, look for who still uses an old password",
        )
    if isinstance(error, AuthError) or ".Security." in code:
        return BadSettings(
            "Neo4j refuses this user and password",
            path=uri,
            cure="check TWINFALL_NEO4J_USER and TWINFALL_NEO4J_PASSWORD (or its _FILE)",
        )
    if code.endswith("DatabaseNotFound"):
        return BadSettings(
            "Neo4j has no database of this name",
            path=uri,
            cure="check TWINFALL_NEO4J_DATABASE; in the Community Edition it is `neo4j`",
        )
    if any(word in code for word in _COSTLY):
        return Refused(
            "Neo4j gave up on this query: it takes too long or too much memory",
            code="TOO_COSTLY",
            cure="ask for smaller pages, fewer levels or a narrower filter",
        )
    if isinstance(error, ConstraintError):
        return Conflict(
            "somebody else wrote the same twin meanwhile",
            cure="read it again and repeat the change",
        )
    return unavailable(uri) if error.is_retryable() else None
