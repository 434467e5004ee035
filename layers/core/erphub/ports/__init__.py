"""What the hub asks of the world: one small protocol per need, satisfied by AWS, by ERP systems and by fakes."""
