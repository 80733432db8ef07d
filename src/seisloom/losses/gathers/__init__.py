"""What physics says of surface gathers (trace, time), where no wave equation in their own axes holds."""
