"""A synthetic bank: customers who live through some months, made from nothing but a seed."""
