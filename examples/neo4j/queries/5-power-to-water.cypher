// How power reaches a pump: the shortest way from the external grid
MATCH (grid:ExternalGrid), (pump:Pump {id: 'W_WP1'})
MATCH path = shortestPath((grid)-[:feeds|connects|drivenBy*..60]-(pump))
RETURN path
