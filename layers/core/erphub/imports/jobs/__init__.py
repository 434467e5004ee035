"""Import jobs and their schedules."""
