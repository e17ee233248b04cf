"""`enclave protect`: the engine as a tool of its own, for tables that were made elsewhere."""
