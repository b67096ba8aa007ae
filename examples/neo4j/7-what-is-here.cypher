// How many twins of each model, how many relationships of each name (a table)
MATCH (n:Twin)
RETURN 'model' AS what, n._model AS name, count(*) AS count
UNION ALL
MATCH (:Twin)-[r]->(:Twin)
RETURN 'relationship' AS what, type(r) AS name, count(*) AS count;
