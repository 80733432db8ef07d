"""What made a record: earthquake, explosion, mass movement or noise, from waveforms of one station."""
