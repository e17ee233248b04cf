"""Who vouches for people who log in: one class for each kind of the settings' block `log_in`."""
