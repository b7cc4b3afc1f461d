"""The tests: one folder a room, and one file for each thing that holds for the whole house."""
