"""Order over event sequences: Declare templates as automata, and the cheapest sequence that keeps them."""
