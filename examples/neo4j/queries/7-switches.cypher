// Open switches: where two parts of the power network could be joined
MATCH path = (:Bus)<-[:connects]-(:Switch {closed: false})-[:connects]->(:Bus)
RETURN path LIMIT 60
