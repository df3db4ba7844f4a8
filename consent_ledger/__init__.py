"""What is true: the facts on a number, what they add up to, and what may be done about them."""
