"""The pages on which people see and change their own account: `/settings` and below, `/join` and `/reset`."""
