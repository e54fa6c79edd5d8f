"""What is wrong in a set of faces: wrong labels, repeats, pictures of no face, and those unlike all others."""
