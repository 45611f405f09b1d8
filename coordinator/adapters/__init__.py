"""One package or file per outside thing: database, broker, storage, slicer, clock."""
