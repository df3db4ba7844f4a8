"""Bodies of requests, as the contract has them."""
