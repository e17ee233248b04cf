"""The encrypted store: keys, blocks of columns, sealed documents, coding tables, destruction.

::

    files.py      durable steps on disk: write whole or not at all, one writer at a time
    master.py     the master key and its file
    keys.py       the key ring: data keys wrapped by project keys, wrapped by the master key; destruction
    block.py      one encrypted file of columns: what is bound, what is detected
    index.py      which files a data set consists of
    reader.py     read-only view of one data set, made to travel to a worker process
    store.py      the Vault: everything above behind one object
    coding.py     numbers of persons and enterprises <-> meaningless numbers, drawn at random
"""
