// The substation: what it contains, what supplies it, and the first feeders behind it
MATCH inside = (:Substation {id: 'P_SS1'})-[:contains]->(asset)
OPTIONAL MATCH supply = (asset)<-[:feeds]-(:ExternalGrid)
OPTIONAL MATCH around = (asset)-[:connects]-(branch)-[:connects]-(:Bus)
OPTIONAL MATCH part = (branch)-[:_hasComponent]->(:Part)
RETURN inside, supply, around, part;
