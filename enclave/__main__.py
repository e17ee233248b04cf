"""`python -m enclave` is the command line."""

from enclave.cli import main

main()
