"""HTTP ERP systems that stand in for the real ones, in tests, in the demo and beside the local stack."""
