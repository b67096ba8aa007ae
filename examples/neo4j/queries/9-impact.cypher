// What an impact takes along, after `twinfall impact P_B1000 --show`: red failed, orange down
MATCH (n:_Affected)-[r]-(m:_Affected)
WHERE n._wave <= 1 AND m._wave <= 2
RETURN n, r, m LIMIT 120
