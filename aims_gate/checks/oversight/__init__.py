"""Human oversight: what people must have said before a model moves on."""
