"""What the hub says about itself."""

from erphub.platform.capability import Capability

capability = Capability("about", "About", packages=("about",))
