"""The nouns of the hub, as plain data that every floor shares."""
