"""ERP Hub: connect a business's ERP systems, import their data, and send documents to them."""
