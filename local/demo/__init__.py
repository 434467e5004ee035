"""The demo: an ERP is connected and its ledger imported, over the hub's own API, in front of your eyes."""
