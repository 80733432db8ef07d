"""From samples to a trained network: loader, one Lightning module, callbacks, fit."""
