"""What the private server may use, and what a client may therefore ask of it, in one place.

The numbers belong together: the cache decides how large a transaction may be, the interval between
checkpoints decides how large the log of operations becomes and how long a start after a kill takes.
"""

from __future__ import annotations

MEGABYTE = 2**20

#: What WiredTiger, the storage engine, keeps in memory: a laptop's memory belongs to the training.
CACHE_BYTES = 256 * MEGABYTE

#: The log of operations, which no other member copies; it only has to feed change streams, and
#: a reader that falls further behind is told so. The server cuts it after a checkpoint, when the
#: next operation is written: between two cuts it may be larger by what is written meanwhile.
OPLOG_BYTES = 64 * MEGABYTE

#: How often a checkpoint is written; the server's own choice would be every 60 s. What was written
#: since the last one is read again by a start after a kill, and that part of the log cannot be
#: cut. Measured on two cores, writing 40 to 60 MB/s: every 60 s a log of 1.7 GB after 1.5 GB of
#: documents, and 70 s for the start; every 5 s 470 MB and 5 s; every 2 s 410 MB and 3.3 s; every
#: second 250 MB and 1.2 s, while nothing was written more slowly. A server without work
#: writes 105 kB/s and needs 0.7 % of a core instead of 0.4 %.
CHECKPOINT_SECONDS = 1

#: The journal is three files of this size, two of them made in advance; 100 MB each would be the
#: server's own choice. What is committed at once is in it twice, as documents and as operations,
#: and the cache allows no more of it than half a file.
JOURNAL_FILE_BYTES = 32 * MEGABYTE

#: For how long the engine keeps what documents were before they were changed, instead of 300 s:
#: nobody reads the past, and transactions that are open keep theirs anyway.
HISTORY_SECONDS = 5

#: A client that was killed inside a transaction holds its locks for this long, and whoever else
#: writes the same documents waits; our own transactions take a second at the most.
TRANSACTION_SECONDS = 20

#: Of all transactions that are open at a time, only this part of the cache may hold what is not
#: committed: the engine begins to abort them at a fifth of the cache (its limit for what is not on
#: disk), and holds each document about three times (document, index, log). Measured with documents
#: of 3 KB: of transactions of 16 MB all succeed with a cache of 256 MB, of 24 MB none (error 388);
#: 32 and 48 MB with a cache of 512 MB; 64 and 96 MB with 1 GB.
TRANSACTIONS_BYTES = CACHE_BYTES // 16

#: As many writers as a small machine runs may each be inside a transaction.
TRANSACTIONS_AT_ONCE = 8

#: Documents that one transaction may carry, in bytes. More goes outside of the transaction, and
#: becomes visible by a marker that is written in it.
TRANSACTION_BYTES = TRANSACTIONS_BYTES // TRANSACTIONS_AT_ONCE

#: One insert of many documents outside of a transaction: a command of at most 48 MB (the server's
#: limit for a message) that the engine has to hold at once, as small as keeps the speed.
BATCH_BYTES = 8 * MEGABYTE

#: The same in documents: each of them costs an index entry or more, however small it is. The
#: server's own limit is 100,000.
BATCH_DOCUMENTS = 10_000

__all__ = [
    "MEGABYTE",
    "CACHE_BYTES",
    "OPLOG_BYTES",
    "CHECKPOINT_SECONDS",
    "JOURNAL_FILE_BYTES",
    "HISTORY_SECONDS",
    "TRANSACTION_SECONDS",
    "TRANSACTIONS_BYTES",
    "TRANSACTIONS_AT_ONCE",
    "TRANSACTION_BYTES",
    "BATCH_BYTES",
    "BATCH_DOCUMENTS",
]
