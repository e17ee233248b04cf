"""How the vault is opened: what key holders bring, the door of an open house, and the operator socket."""
