"""The main job on real census data, from nothing."""
