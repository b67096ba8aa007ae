// Around the substation: what it contains, what feeds it and the first branches it feeds
MATCH (:Substation)-[:contains]->(inside)
MATCH path = (inside)-[:connects|feeds*1..4]-(:PowerAsset)
WITH collect(path) AS paths UNWIND paths[..80] AS path
RETURN path
