// Where water depends on electricity: the ways from the external grid to the pumps' motors
MATCH (m:Motor)
MATCH way = SHORTEST 1 (:ExternalGrid)((:PowerAsset)-[:feeds|connects]-(:PowerAsset))+(m)
MATCH drive = (:Pump)-[:drivenBy]->(m)
RETURN way, drive;
