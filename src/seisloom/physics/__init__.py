"""Physics that makes known-truth data: layered media, travel times, surveys."""
