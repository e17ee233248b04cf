"""What the commands of the command line do, apart from parsing and printing.

One module for each kind of work: a command loads what it needs, and no more.
"""
