"""What was recorded: gathers of any format, curves picked from their spectra, and curves of other programs."""
