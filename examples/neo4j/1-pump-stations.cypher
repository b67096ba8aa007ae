// Pump stations: pumps, their parts, the motors that drive them, and where the water goes
MATCH (p:Pump)
OPTIONAL MATCH part = (p)-[:_hasComponent]->(:Part)
OPTIONAL MATCH drive = (p)-[:drivenBy]->(m:Motor)<-[:feeds]-(:Bus)
OPTIONAL MATCH motor = (m)-[:_hasComponent]->(:Part)
OPTIONAL MATCH source = (p)<-[:feeds]-(:WaterNode)
OPTIONAL MATCH sink = (p)-[:feeds]->(:WaterNode)
RETURN p, part, drive, motor, source, sink;
