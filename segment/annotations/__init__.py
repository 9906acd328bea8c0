"""Sets whose objects are listed one by one, as masks or outlines in JSON files."""
