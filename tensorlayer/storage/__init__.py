"""MongoDB and GridFS: the private server, the connection, transactions, blobs and codecs."""
