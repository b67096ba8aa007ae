// The twelve largest loads, each with its bus and the transformer behind it
MATCH (load:Load)
WITH load ORDER BY load.activePower DESC, load.id LIMIT 12
MATCH supply = (load)<-[:feeds]-(:Bus)<-[:connects]-(:Transformer)-[:connects]->(:Bus)
RETURN supply;
