"""The audit of a set of faces: wrong labels, near-duplicates, pictures of no face, outliers and poor pictures."""
