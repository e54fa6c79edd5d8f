"""The caregiver's page: a process of its own, which asks running glasses over the link and serves one paired phone."""
