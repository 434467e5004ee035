"""The one way out to the network, judged and bounded."""
