"""DTDL v2, v3 and v4 read from plain JSON, driven by the language's metamodel as data."""
