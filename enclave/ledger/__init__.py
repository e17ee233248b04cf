"""What is written for good: the audit log, the store of requests, signed releases and their stand-alone verifiers."""
