"""Factor studies: which factor of the renders, and which option of the training, matters how much."""
