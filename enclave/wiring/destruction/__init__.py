"""The destruction of a project: what goes and what stays, two persons, the steps, and the certificate."""
