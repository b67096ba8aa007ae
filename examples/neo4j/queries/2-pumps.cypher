// The pumps: their parts, the motors that drive them, what feeds the motors, where the water goes
MATCH path = (:Bus)-[:feeds]->(:Motor)<-[:drivenBy]-(pump:Pump)-[:feeds]->(:WaterNode)
MATCH part = (pump)-[:_hasComponent]->()
RETURN path, part
