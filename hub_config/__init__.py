"""The hub's configuration: `jupyterhub_config.py` says it all in short; the modules beside it say how."""
