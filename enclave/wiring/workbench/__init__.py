"""The workbench: what `enclave workbench` starts, where it keeps things, and who its parts run as.

`settings` and `layout` say what and where, `system_users`, `folders`, `tokens`, `passwords` and `certificate` prepare,
`parts` says what runs, `supervisor` keeps it running, `run` does it all in order.
"""
