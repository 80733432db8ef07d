"""A survey on disk: written from physics or from shot gathers, aligned with its picks, and told in a manifest."""
