"""What Neo4j Browser needs to show the demo's city well: style sheet, saved queries, a picture."""
