"""From scores of held-out groups to intervals that keep their promise."""
