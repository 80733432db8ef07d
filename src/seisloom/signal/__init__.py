"""Signal processing on arrays: filters, triggers, scaling, resampling, noise."""
