// Around the substation: what it contains, what feeds it and the first branches it feeds
MATCH (:Substation)-[:contains]->(inside)
OPTIONAL MATCH path = (inside)-[:connects|feeds|contains]-(near:PowerAsset)
WITH collect(path) AS paths UNWIND paths[..120] AS path
RETURN path
