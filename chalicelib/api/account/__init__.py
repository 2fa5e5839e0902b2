"""The pages on which people see and change their own account: below `/settings`, `/join` and `/reset`."""
