"""One file per way of talking to a printer, behind one contract."""
