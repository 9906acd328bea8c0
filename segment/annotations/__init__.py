"""Sets whose objects are listed one by one, as masks or outlines in files of annotation tools."""
