// The tank with its parts and the pipes around it, three steps far
MATCH (tank:Tank)
OPTIONAL MATCH part = (tank)-[:_hasComponent]->()
OPTIONAL MATCH near = (tank)-[:connects*1..3]-(:WaterAsset)
WITH collect(DISTINCT part) + collect(DISTINCT near) AS paths UNWIND paths[..150] AS path
RETURN path
