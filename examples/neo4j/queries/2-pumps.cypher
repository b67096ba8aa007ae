// The pumps: the motors that drive them, what feeds the motors, and where the water goes
MATCH path = (:Bus)-[:feeds]->(:Motor)<-[:drivenBy]-(:Pump)-[:feeds]->(:WaterNode)
RETURN path
