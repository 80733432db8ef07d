"""The dispersion room: from shot gathers to the curves of surface-wave modes, and from these to Vs."""
