"""What may exist: DTDL in, a compiled Ontology out. Pure: no network, no store, no clock."""
