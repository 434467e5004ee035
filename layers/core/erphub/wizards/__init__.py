"""The dialogue that makes or edits a connection."""
