"""Problems of the audit log."""
