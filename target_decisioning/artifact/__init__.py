"""Where the rules artifact comes from, and how the current one is kept fresh."""

from target_decisioning.artifact.keeper import ArtifactKeeper
from target_decisioning.artifact.loaded import Loaded
from target_decisioning.artifact.location import artifact_format, artifact_location

__all__ = ["ArtifactKeeper", "Loaded", "artifact_format", "artifact_location"]
