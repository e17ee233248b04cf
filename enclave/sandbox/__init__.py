"""The launcher: the only process with root's rights that takes orders, and it takes them from the hub alone.

`protocol` says what may be asked, `directory` who may have what, `environment` and `command` what is started,
`servers` what runs, `listener` who is talking. Only the standard library is used.
"""
