// One pump with its parts and its motor with its parts
MATCH (pump:Pump {id: 'W_WP1'})
MATCH path = (pump)-[:_hasComponent|drivenBy*1..2]->()
RETURN path
