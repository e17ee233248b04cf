"""The closed language in which a policy says how a variable is derived: parsed, checked for types, evaluated."""
