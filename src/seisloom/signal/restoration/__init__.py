"""Missing traces filled and noise taken off, by methods that learn nothing: pure functions of panels (trace, time)."""
