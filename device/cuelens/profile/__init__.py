"""The profile: a caregiver's options for one wearer, the rules made from it, and the phrases of each language."""
