// Street by street: a corner of the city's roads
MATCH path = (:RoadJunction)<-[:startsAt]-(:Road)-[:endsAt]->(:RoadJunction)
RETURN path LIMIT 90
