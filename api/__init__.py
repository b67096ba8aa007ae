"""How people ask: GraphQL, HTTP, the command line; the wiring of all rooms."""
