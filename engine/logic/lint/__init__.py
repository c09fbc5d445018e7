"""Looking at rules without any record: what conflicts, is dead or says nothing new, each with an example."""
