// The tank, its parts, and the pipes and hydrants around it
MATCH (t:Tank)
MATCH water = (t)-[:connects|feeds]-{1,12}(:WaterAsset)
OPTIONAL MATCH part = (t)-[:_hasComponent]->(:Part)
RETURN water, part
LIMIT 250;
