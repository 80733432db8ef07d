"""The command `seisloom`: one module a group of commands, thin."""
