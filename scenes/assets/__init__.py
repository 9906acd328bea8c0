"""Assets: everything between files on disk and arrays ready to draw. `catalogue.Catalogue` is the way in."""
