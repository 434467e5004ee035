"""`python -m erphub_client` is the command `erphub`."""

from erphub_client.command import main

main()
