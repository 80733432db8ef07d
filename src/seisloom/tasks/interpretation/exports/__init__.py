"""From attribute volumes to what interpretation packages read: fault sticks, and horizons."""
