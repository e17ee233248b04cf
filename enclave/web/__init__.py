"""The gateway in front of people and programs: pages in three languages and an interface, as a service of the hub."""
