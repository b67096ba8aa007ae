// A part of the road map: junctions and the roads between them
MATCH (a:RoadJunction)
WITH a ORDER BY a.x LIMIT 24
MATCH road = (a)<-[:startsAt]-(:Road)-[:endsAt]->(:RoadJunction)
RETURN road
LIMIT 120;
