"""Where adapters meet ports: the only room that knows the others. `settings` is read once, `house` opens it all."""
