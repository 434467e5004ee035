"""All scenes that are swept."""

from tests.reliability.scene import Scene
from tests.reliability.scene_deletion import Deletion
from tests.reliability.scene_import import Import
from tests.reliability.scene_transfer import Transfer
from tests.reliability.scene_wizard import Wizard

SCENES: tuple[type[Scene], ...] = (Wizard, Import, Transfer, Deletion)
