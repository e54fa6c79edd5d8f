"""What a caregiver chose for one wearer, and the rules made of it; languages and their phrases."""
