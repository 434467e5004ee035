"""Invitations: somebody is asked to belong to a client, and belongs to it once they have accepted."""
