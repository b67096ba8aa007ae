// What is in the city: how many twins of each model
MATCH (n:Twin)
RETURN n._model AS model, count(*) AS twins
ORDER BY twins DESC
