// What lies up to twelve steps behind the high-voltage bus: candidates; `impact` computes the truth
MATCH (bus:Bus {id: 'P_B1000'})
MATCH reach = (bus)-[:feeds|connects]-{1,12}(:PowerAsset)
RETURN reach
LIMIT 250;
