// The tank with its parts and the pipes around it, four pipes far
MATCH (tank:Tank)
OPTIONAL MATCH part = (tank)-[:_hasComponent]->()
OPTIONAL MATCH near = (tank)-[:connects*1..8]-(:WaterAsset)
WITH collect(DISTINCT part) + collect(DISTINCT near) AS paths UNWIND paths[..150] AS path
RETURN path
