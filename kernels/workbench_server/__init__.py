"""What the notebook servers of the workbench add to Jupyter Server: ways out that are closed, and a furnished home."""
